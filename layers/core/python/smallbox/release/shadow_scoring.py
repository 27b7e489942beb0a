"""Scores logged requests with a candidate: what it would have answered to the same callers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Floats
from smallbox.define.log_columns import logged_names
from smallbox.define.serve import OutputLimits
from smallbox.define.signature import Signature
from smallbox.errors import NotFound, NotReady
from smallbox.features.inputs.assembly import Inputs
from smallbox.features.inputs.recomputed import inputs_of_requests, logged_inputs
from smallbox.features.inputs.request_records import record_positions, records_of_requests
from smallbox.lake.predictions import of_signature
from smallbox.ports import Lake
from smallbox.registry.loader import LoadedVersion, ModelLoader
from smallbox.statistics.output_limits import within_limits
from smallbox.table_columns import GROUP
from smallbox.times import Micros


@dataclass(frozen=True, slots=True, eq=False)
class Rescored:
    """Requests that a candidate scored.

    Attributes:
        rows: their rows of the prediction log, with the columns of every version that has answered.
        signature: the candidate's.
        outputs: ``(n, k)``, what the candidate would have answered; NaN where it gives no number.
        lost: how many requests it could not score: the version that answered has lost its signature, or a field that
            the candidate reads is neither in the log nor in a record of the key.
    """

    rows: pa.Table
    signature: Signature
    outputs: Floats
    lost: int = 0

    def within(self, limits: Mapping[str, OutputLimits]) -> "Rescored":
        """The outputs as callers would get them: a value beyond ``Serve(limits)`` is set to the limit."""
        outputs = within_limits(self.outputs, self.signature.objective.outputs, limits)
        return replace(self, outputs=outputs)


class ShadowScorer:
    """Scores rows of the prediction log.

    A candidate with the signature of the version that answered gets the logged inputs. For another one they are
    computed as of the moment of each request: stored features from the lake, request fields from the log, and from the
    record of the key those that the log does not have.
    """

    def __init__(self, lake: Lake, loader: ModelLoader) -> None:
        self._lake = lake
        self._loader = loader

    def score(self, model: str, candidate: int, rows: pa.Table, now: Micros) -> Rescored:
        """The outputs of a candidate for rows of the log, as far as it can score them.

        Raises:
            NotReady: when the candidate cannot be loaded or run.
        """
        version, parts = self._loader.version(model, candidate), list[Rescored]()
        for number in sorted(pc.unique(rows["version"]).to_pylist()):
            own = rows.filter(pc.equal(rows["version"], number))
            parts.append(self._answered_by(model, number, version, own, now))
        if not parts:
            return Rescored(rows, version.signature, _no_outputs(version.signature))
        tables, outputs = [part.rows for part in parts], [part.outputs for part in parts]
        lost = sum(part.lost for part in parts)
        return Rescored(pa.concat_tables(tables), version.signature, np.concatenate(outputs), lost)

    def _answered_by(self, model: str, number: int, version: LoadedVersion, rows: pa.Table, now: Micros) -> Rescored:
        try:
            answered = self._loader.version(model, number).signature
        except (NotFound, NotReady):
            return Rescored(rows.slice(0, 0), version.signature, _no_outputs(version.signature), rows.num_rows)
        kept, inputs = self._inputs(version.signature, answered, rows, now)
        outputs = version.scorer.score(inputs.numeric, inputs.categorical)
        return Rescored(kept, version.signature, outputs, rows.num_rows - kept.num_rows)

    def _inputs(
        self, signature: Signature, answered: Signature, rows: pa.Table, now: Micros
    ) -> tuple[pa.Table, Inputs]:
        if signature == answered:
            return rows, logged_inputs(signature, of_signature(rows, signature))
        columns = logged_fields(answered)
        missing = [name for name in signature.request_fields if name not in columns]
        requests = {name: rows[columns[name]] for name in signature.request_fields if name in columns}
        if missing:
            records = records_of_requests(signature, self._lake, rows["key"], now)
            at = record_positions(records, rows)
            known = pc.is_valid(at)
            rows, found = rows.filter(known), records.take(at.filter(known))
            requests = {name: column.filter(known) for name, column in requests.items()}
            requests |= {name: found[name] for name in missing}
        return rows, inputs_of_requests(signature, self._lake, pa.table({**requests, "time": rows["time"]}))


def logged_fields(signature: Signature) -> Mapping[str, str]:
    """By request field the column of the log that has its value, for rows that were answered with a signature."""
    columns = {**{name: name for name in signature.inputs}, **logged_names(signature)}
    if signature.objective.group:
        columns[signature.objective.group] = GROUP
    return {**columns, signature.request.key: "key"}


def _no_outputs(signature: Signature) -> Floats:
    return np.empty((0, len(signature.objective.outputs)))
