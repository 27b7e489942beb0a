"""The predictions of a week, from the prediction log, by the signature that they were answered with."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.signature import Signature
from smallbox.errors import NotFound, NotReady
from smallbox.lake.predictions import PredictionLog, of_signature, of_versions, without_cause
from smallbox.lake.spans import spans_of
from smallbox.ports import Between, Lake
from smallbox.records import Channel
from smallbox.registry.signatures import Signatures
from smallbox.registry.version import Version
from smallbox.training.profile import profile


@dataclass(frozen=True, slots=True, eq=False)
class ServedRows:
    """Rows of the log that were answered with one signature, with its columns.

    Attributes:
        signature: the signature.
        rows: the rows.
        first: the number of the first version that answered them; 0 without rows.
    """

    signature: Signature
    rows: pa.Table
    first: int = 0


class Served:
    """Reads the log, and separates the rows by what they can be compared with. Fallback answers are left out."""

    def __init__(self, lake: Lake, signatures: Signatures) -> None:
        self._signatures = signatures
        self._log = PredictionLog(lake)

    def parts(self, model: str, between: Between, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[pa.Table]:
        """The predictions asked for in a range, part by part in the order of time; see :meth:`PredictionLog.read`."""
        moments = (time for time, _ in self._log.moments(model, between))
        for span in spans_of(moments, between):
            yield self._log.read(model, span, wanted)

    def by_signature(self, model: str, rows: pa.Table, channel: Channel) -> list[ServedRows]:
        """The rows of a channel by the signature that they were answered with.

        Rows of a version whose signature cannot be read are left out: they must not stop the checks of all others.
        """
        own = _answered(rows, channel)
        return [
            ServedRows(signature, of_signature(of_versions(own, numbers), signature), numbers[0])
            for signature, numbers in self._versions(model, own).items()
        ]

    def lost(self, model: str, rows: pa.Table) -> dict[int, int]:
        """By version whose signature or bundle is lost, the number of its rows: they cannot be audited."""
        counts = pc.value_counts(rows.filter(pc.not_equal(rows["arm"], "fallback"))["version"]).to_pylist()
        return {one["values"]: one["counts"] for one in counts if self.signature(model, one["values"]) is None}

    def comparable(self, rows: pa.Table, channel: Channel, champion: Version) -> ServedRows | None:
        """The rows of a channel that were answered with the champion's signature, by whatever version.

        ``None`` when the champion's signature is lost.
        """
        signature = self.signature(champion.model, champion.number)
        if signature is None:
            return None
        own = _answered(rows, channel)
        numbers = self._versions(champion.model, own).get(signature, [])
        return ServedRows(signature, of_signature(of_versions(own, numbers), signature))

    def _versions(self, model: str, rows: pa.Table) -> dict[Signature, list[int]]:
        """The versions that answered, by their signature."""
        numbers: dict[Signature, list[int]] = {}
        for number in sorted(pc.unique(rows["version"]).to_pylist()):
            signature = self.signature(model, number)
            if signature is not None:
                numbers.setdefault(signature, []).append(number)
        return numbers

    def signature(self, model: str, number: int) -> Signature | None:
        """The signature of a version; ``None`` when it is lost."""
        try:
            return self._signatures.of(model, number)
        except (NotFound, NotReady):
            return None


def _answered(rows: pa.Table, channel: Channel) -> pa.Table:
    """The rows of a channel that a version answered from its stored features, not the fallback."""
    own = rows.filter(pc.and_(pc.equal(rows["channel"], channel), pc.not_equal(rows["arm"], "fallback")))
    return without_cause(own, "states")


def profile_of(signature: Signature, rows: pa.Table, reference: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The distributions of inputs and outputs in rows of the log; with a reference, in its bins."""
    columns, outputs = signature.columns, signature.objective.outputs
    values = {name: rows[name].to_numpy().astype(np.float32) for name in (*columns.numeric, *outputs)}
    texts = {name: np.array(rows[name].to_pylist(), dtype=object) for name in columns.categorical}
    return profile(columns, outputs, {**values, **texts}, reference)
