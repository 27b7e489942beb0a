"""What both arms of a canary answered, counted in the prediction log: the figures that the log knows."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Floats, Ints, Objects
from smallbox.define.signature import Signature
from smallbox.lake.predictions import PredictionLog
from smallbox.ports import Between, Lake
from smallbox.records import digest_of
from smallbox.registry.assignment import position
from smallbox.registry.routing import Routing
from smallbox.release.harm_counts import COUNTED, ArmCounts
from smallbox.release.shadow_scoring import logged_fields
from smallbox.table_columns import GROUP
from smallbox.times import MINUTE, Micros

IN_LOG: Final = ("fallback", "missing")
"""The limits of harm that the log tells of. A request that failed is not in it, nor how long an answer took."""

_CLUSTERS: Final = 64
_COLUMNS: Final = frozenset({"id", "key", "time", "arm", "channel", "missing", "degraded", GROUP})


def logged_counts(lake: Lake, signature: Signature, routing: Routing, now: Micros) -> ArmCounts:
    """The counts of both arms since the canary's step began, by minute of the request and by cluster of units.

    An answer of the fallback belongs to the arm that its unit is assigned to.

    Args:
        lake: has the log.
        signature: the champion's.
        routing: the canary.
        now: the moment of the look.
    """
    unit = logged_fields(signature).get(routing.unit, GROUP if signature.objective.group else "key")
    wanted = {*_COLUMNS, unit}
    log = PredictionLog(lake).read(signature.name, Between("time", routing.since, now), lambda name: name in wanted)
    rows = log.filter(pc.equal(log["channel"], "online"))
    if not rows.num_rows:
        return ArmCounts(np.zeros((0, 2, len(COUNTED))), np.zeros((0, 2, len(COUNTED))))
    units = _units(rows, unit)
    arms, figures = _arms(rows, units, routing), _figures(rows)
    minutes = (rows["time"].to_numpy() - routing.since) // MINUTE
    clusters = np.array([int(digest_of(one.encode())[:8], 16) % _CLUSTERS for one in units])
    return ArmCounts(_counted(minutes, arms, figures), _counted(clusters, arms, figures))


def _units(rows: pa.Table, column: str) -> Objects:
    named = rows[column] if column in rows.column_names else rows["key"]
    return np.array(pc.coalesce(named.cast(pa.string()), rows["key"]).to_pylist(), dtype=object)


def _arms(rows: pa.Table, units: Objects, routing: Routing) -> Ints:
    """0 for the champion, 1 for the challenger."""
    salt = str(routing.challenger)
    known = {"champion": 0, "challenger": 1}
    return np.array(
        [
            known[arm] if arm in known else int(position(salt, unit) < routing.share)
            for arm, unit in zip(rows["arm"].to_pylist(), units, strict=True)
        ]
    )


def _figures(rows: pa.Table) -> Floats:
    """``(n, len(COUNTED))``, ones where it applies."""
    found = {
        "asked": np.ones(rows.num_rows, bool),
        "fallback": np.asarray(pc.equal(rows["arm"], "fallback")),
        "missing": _is_longer(rows["missing"]),
    }
    nothing = np.zeros(rows.num_rows, bool)
    return np.column_stack([found.get(name, nothing) for name in COUNTED]).astype(float)


def _is_longer(lists: pa.ChunkedArray) -> Bools:
    return np.asarray(pc.fill_null(pc.greater(pc.list_value_length(lists), 0), fill_value=False))


def _counted(places: Ints, arms: Ints, figures: Floats) -> Floats:
    """The sums by place, those without a row left out, and by arm."""
    kept, at = np.unique(places, return_inverse=True)
    found = np.zeros((len(kept), 2, figures.shape[1]))
    np.add.at(found, (at, arms), figures)
    return found
