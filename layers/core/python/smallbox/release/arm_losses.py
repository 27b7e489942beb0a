"""The labelled losses of both arms of a canary, by the unit that it assigns."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label
from smallbox.define.signature import Signature
from smallbox.labels.join import LABELLED
from smallbox.labels.table import judged_columns, of_objective, of_one_version, scored_rows
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import labelled_schema
from smallbox.ports import Between, Lake
from smallbox.registry.routing import Routing
from smallbox.release.harm_counts import ArmLosses
from smallbox.release.shadow_scoring import logged_fields
from smallbox.table_columns import GROUP
from smallbox.times import Micros

_COLUMNS = ("id", "key", "time", "event_time", "version", "arm", "status", "channel")


def arm_losses(lake: Lake, signature: Signature, routing: Routing, now: Micros) -> tuple[ArmLosses, ArmLosses] | None:
    """What champion and challenger lost on the requests since the canary's step began; ``None`` before any label.

    Also ``None`` where the log does not have the field that the canary assigns: rows of one unit are not independent,
    and nobody knows which these are.

    Only predictions whose attribution windows are over count: in open ones one class may be known sooner.

    Args:
        lake: has the labelled predictions, and the log.
        signature: the champion's.
        routing: the canary.
        now: the moment of the look.
    """
    if routing.unit and routing.unit not in logged_fields(signature):
        return None
    rows = _labelled(lake, signature.name, signature.label, routing.since, now)
    arms = [rows.filter(pc.equal(rows["arm"], arm)) for arm in ("champion", "challenger")]
    if not all(arm.num_rows for arm in arms):
        return None
    champion, challenger = (_by_unit(lake, signature, routing.unit, arm) for arm in arms)
    return champion, challenger


def _labelled(lake: Lake, model: str, label: Label, since: Micros, now: Micros) -> pa.Table:
    schema = labelled_schema(label.objective)
    columns = list(dict.fromkeys([*_COLUMNS, *judged_columns(label.objective)]))
    rows = lake.read(labelled_table(model), columns, Between("time", since, now), schema=schema)
    if rows is None:
        return schema.empty_table().select(columns)
    is_over = pc.less_equal(pc.add(rows["event_time"], label.within_micros), now)
    is_known = pc.and_(pc.equal(rows["status"], LABELLED), of_objective(label.objective, rows))
    return of_one_version(rows.filter(pc.and_(pc.and_(is_over, is_known), pc.equal(rows["channel"], "online"))))


def _by_unit(lake: Lake, signature: Signature, unit: str, rows: pa.Table) -> ArmLosses:
    losses = signature.objective.losses(scored_rows(signature.objective, rows))
    units = _units(lake, signature, unit, rows).take(pa.array(losses.rows))
    codes = units.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    counts = np.bincount(codes).astype(np.float64)
    return ArmLosses(counts, np.bincount(codes, weights=losses.values).astype(np.float64))


def _units(lake: Lake, signature: Signature, unit: str, rows: pa.Table) -> pa.Array:
    """The unit of each row; without a field the key or the group, and the key where the field is null."""
    keys = rows[GROUP if signature.objective.group else "key"].combine_chunks()
    column = logged_fields(signature).get(unit)
    if column is None:
        return keys
    between = Between("time", pc.min(rows["time"]).as_py(), pc.max(rows["time"]).as_py() + 1)
    logged = PredictionLog(lake).read(signature.name, between, lambda name: name in {"id", column})
    at = pc.index_in(rows["id"].combine_chunks(), value_set=logged["id"].combine_chunks())
    return pc.coalesce(logged[column].combine_chunks().take(at).cast(pa.string()), keys)
