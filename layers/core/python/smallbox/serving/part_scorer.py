"""Scores the rows of a file, or of a part of one, column by column, and logs every answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Floats, Ints
from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.features.columns import entities_of
from smallbox.features.engine import StoredFeatures
from smallbox.features.inputs.assembly import Inputs, assemble
from smallbox.features.inputs.point_in_time_join import historical_features, request_arrays_of_table
from smallbox.ingestion.fast_path import check_columns
from smallbox.ingestion.file_parts import FilePart
from smallbox.ingestion.part_loader import located, rows_of_part
from smallbox.ingestion.readers import BATCH_LIMITS, Limits
from smallbox.lake.schemas import prediction_schema
from smallbox.ports import Lake
from smallbox.records import Rejection
from smallbox.registry.loader import LoadedVersion, ModelLoader
from smallbox.registry.routing import Routing
from smallbox.serving.logged_rows import AskedRows, known_to, log_rows
from smallbox.serving.scored_file import REJECTIONS_SHOWN
from smallbox.serving.sticky_assignment import Share, shares_of
from smallbox.times import Micros

_SLICE: Final = 8_192
"""Rows that are assembled and logged at once, which bounds the memory."""
_AT_ONCE: Final = 1_024
"""Rows that the model gets at once: they stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and how a file is scored; the same for all of its parts and their retries.

    Attributes:
        key: the file's key; its ending gives the type.
        tag: distinguishes contents under the same key, so that the predictions of each have ids of their own.
        at: the moment of the rows whose event time lies ahead of it.
        routing: which version answers which row.
    """

    key: str
    tag: str
    at: Micros
    routing: Routing


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """The rows of a part.

    Attributes:
        log: a row of the prediction log for each valid row, in the part's order.
        rejected: how many rows break the contract.
        rejections: the first hundred of them.
    """

    log: pa.Table
    rejected: int
    rejections: Sequence[Rejection]


@dataclass(frozen=True, slots=True)
class _Checked:
    """The valid rows of a part with the number of each in the whole file, and those that break the contract."""

    values: pa.Table
    numbers: Ints
    rejected: int
    rejections: Sequence[Rejection]

    def take(self, rows: Sequence[int]) -> "_Checked":
        positions = np.array(rows, np.int64)
        return replace(self, values=self.values.take(pa.array(positions)), numbers=self.numbers[positions])


class PartScorer:
    """Scores one part at a time; it writes nothing.

    Args:
        lake: the records that the stored features are computed from.
        loader: the versions.
        batch: the size of a validation batch.
    """

    def __init__(self, lake: Lake, loader: ModelLoader, batch: Limits = BATCH_LIMITS) -> None:
        self._lake = lake
        self._loader = loader
        self._batch = batch

    def score(self, model: Model, occasion: Occasion, part: FilePart | None) -> ScoredRows:
        """Score every valid row as of its own event time, or of ``occasion.at`` when that lies ahead.

        The id of a prediction is the file, its tag and the number of the row: ``score/m/in/f.csv@1f2e-17``.

        Args:
            model: the deployed definition, whose contract the rows must keep.
            occasion: when and how.
            part: the rows; ``None`` for a file without any.

        Raises:
            NotReady: when a version of the routing cannot be loaded.
            MalformedBody: when the file's content does not match its type.
        """
        checked = self._checked(model, occasion, part)
        shares = _shares(model, occasion.routing, checked.values)
        tables = [log for share in shares for log in self._of_share(model, occasion, share, checked)]
        log = pa.concat_tables(tables or [_nothing(model)], promote_options="default")
        if len(shares) > 1:
            log = log.take(pa.array(np.argsort(np.concatenate([share.rows for share in shares]))))
        return ScoredRows(log, checked.rejected, checked.rejections)

    def _checked(self, model: Model, occasion: Occasion, part: FilePart | None) -> _Checked:
        tables, numbers, rejected = [pa.table({})], [np.empty(0, np.int64)], 0
        shown: list[Rejection] = []
        for batch in () if part is None else rows_of_part(model.request, occasion.key, part, self._batch):
            found = check_columns(model.request, batch.rows, occasion.at, batch.first)
            tables.append(found.values)
            numbers.append(found.numbers)
            rejected += len(found.rejections)
            missing = REJECTIONS_SHOWN - len(shown)
            # the records may be large, and no report shows them
            shown += [replace(one, record=None) for one in located(found.rejections[:missing], batch)]
        values = pa.concat_tables(tables, promote_options="default")
        return _Checked(values, np.concatenate(numbers), rejected, shown)

    def _of_share(self, model: Model, occasion: Occasion, share: Share, checked: _Checked) -> Iterator[pa.Table]:
        """The rows of the log that one version answers, in slices."""
        version = self._loader.version(model.name, share.version)
        own = checked if len(share.rows) == len(checked.numbers) else checked.take(share.rows)
        asked = _asked(version, model, occasion, own)
        stored = historical_features(version.signature, self._lake, asked.entities, asked.as_of)
        for first in range(0, len(asked.as_of), _SLICE):
            rows = slice(first, first + _SLICE)
            some = StoredFeatures(stored.numeric[rows], stored.texts[rows])
            yield _answered(version, asked.slice(first, _SLICE), some, share)


def _nothing(model: Model) -> pa.Table:
    return prediction_schema(logged_types(model)).empty_table()


def _shares(model: Model, routing: Routing, values: pa.Table) -> list[Share]:
    if not len(values):
        return []
    if len(routing.versions) == 1:
        return [Share("champion", routing.champion, range(len(values)))]
    return shares_of(
        routing,
        model.assigned_by(values.select(_assigning(model, routing.assigned_by)).to_pylist(), routing.assigned_by),
    )


def _assigning(model: Model, unit: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (model.request.key, model.objective.group, unit))))


def _asked(version: LoadedVersion, model: Model, occasion: Occasion, checked: _Checked) -> AskedRows:
    values = known_to(version.signature, checked.values)
    as_of = np.minimum(values[model.request.time].to_numpy(), occasion.at)
    entities = {view.name: entities_of(view, values) for view in version.signature.views}
    numbers = pa.array(checked.numbers).cast(pa.string())
    ids = pc.binary_join_element_wise(f"{occasion.key}@{occasion.tag}-", numbers, "")
    return AskedRows(values, entities, ids, as_of, occasion.at)


def _answered(version: LoadedVersion, asked: AskedRows, stored: StoredFeatures, share: Share) -> pa.Table:
    signature = version.signature
    inputs = assemble(signature, request_arrays_of_table(signature, asked.values), stored)
    outputs = _outputs(version, inputs)
    return log_rows(signature, asked, inputs, outputs, (share.arm, version.number))


def _outputs(version: LoadedVersion, inputs: Inputs) -> Floats:
    found = [
        version.scorer.score(inputs.numeric[first : first + _AT_ONCE], inputs.categorical[first : first + _AT_ONCE])
        for first in range(0, len(inputs.numeric), _AT_ONCE)
    ]
    return np.concatenate(found)
