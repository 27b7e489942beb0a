"""The credit of interleaved lists, from the labelled predictions."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints
from smallbox.labels.join import LABELLED, PENDING
from smallbox.labels.table import encoded_labels, of_objective, scored_columns
from smallbox.objectives.objective import Objective
from smallbox.statistics.preference import CreditedRows, Pairs, Preference, preference, unit_preferences
from smallbox.table_columns import GROUP, RANKED_COLUMNS

_COLUMNS = ("id", "key", "time", "version", "status")


def interleaved_columns(objective: Objective) -> list[str]:
    """The columns of labelled predictions that :func:`credited_rows` reads."""
    return [*dict.fromkeys((*_COLUMNS, *scored_columns(objective), *RANKED_COLUMNS))]


def credited_rows(objective: Objective, rows: pa.Table, experiment: str, versions: tuple[int, int]) -> CreditedRows:
    """The shown rows of an experiment whose labels are known, with the label as credit.

    A list counts once no row of it is pending. A row that was shown again, because its list was asked for again, counts
    once. The unit is the assigned one; where that is personal, and so not in the log, the list.

    Args:
        objective: that of both versions.
        rows: labelled predictions with the :func:`interleaved_columns`.
        experiment: its name.
        versions: the two versions; a row of the second is of team 1.
    """
    own = rows.filter(pc.and_(pc.equal(rows["interleaving"], experiment), _is_of(rows, versions)))
    pending = pc.unique(own.filter(pc.equal(own["status"], PENDING))[GROUP])
    known = pc.and_(pc.equal(own["status"], LABELLED), of_objective(objective, own))
    kept = own.filter(pc.and_(known, pc.invert(pc.is_in(own[GROUP], value_set=pending))))
    kept = shown_once(kept)
    units = pc.coalesce(kept["assigned_unit"], kept[GROUP])
    numbers = (kept[name].to_numpy().astype(np.int64) for name in ("own_rank", "other_rank"))
    return CreditedRows(
        list_codes(units),
        list_codes(kept[GROUP]),
        kept["list_position"].to_numpy().astype(np.int64),
        (kept["version"].to_numpy() == versions[1]).astype(np.int64),
        encoded_labels(objective, kept[objective.label_column]),
        *numbers,
    )


def judge_interleaving(
    objective: Objective,
    rows: pa.Table,
    experiment: str,
    versions: tuple[int, int],
    pairs: Pairs = "all",
    error: float = 0.05,
) -> Preference:
    """Which of two versions people prefer; the verdict is about the second one. See :func:`credited_rows`."""
    return preference(unit_preferences(credited_rows(objective, rows, experiment, versions), pairs), error)


def _is_of(rows: pa.Table, versions: tuple[int, int]) -> pa.Array:
    return pc.is_in(rows["version"], value_set=pa.array(versions, pa.int64()))


def shown_once(rows: pa.Table) -> pa.Table:
    """The first showing of each row of a list: a list that was asked for again was shown once."""
    rows = rows.sort_by([("time", "ascending"), ("id", "ascending")])
    numbered = rows.select([GROUP, "key"]).append_column("row", pa.array(np.arange(rows.num_rows)))
    return rows.take(numbered.group_by([GROUP, "key"]).aggregate([("row", "min")])["row_min"])


def list_codes(names: pa.ChunkedArray) -> Ints:
    """A number for each name."""
    return np.asarray(pc.index_in(names.combine_chunks(), value_set=pc.unique(names)), np.int64)
