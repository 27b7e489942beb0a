"""Proves that a shadow and a canary are judged without interleaved lists: such a group has rows of two versions."""

import pyarrow as pa

from smallbox.define.log_columns import logged_types
from smallbox.lake.names import labelled_table, predictions_table
from smallbox.lake.schemas import labelled_schema, prediction_schema
from smallbox.ports import Between
from smallbox.registry.routing import Routing
from smallbox.release.arm_losses import arm_losses
from smallbox.release.shadow_rows import ShadowRows, started_in
from smallbox.table_columns import RANKED_COLUMNS
from smallbox.times import DAY, HOUR
from tests.fakes.lake import FakeLake
from tests.fakes.rankers import RANKED

NAME, OBJECTIVE = RANKED.name, RANKED.objective


def _lake() -> FakeLake:
    """Of each version one list of its own, and one interleaved list; they are in the log, and labelled."""
    rows = [
        {
            "id": f"{group}-{n}", "key": f"{group}-{n}", "time": HOUR, "event_time": HOUR, "served_at": HOUR,
            "settles_from": HOUR, "version": version, "arm": arm, "channel": "online", "status": "labelled",
            "group": group, "interleaving": name, "score": float(n), OBJECTIVE.label_column: float(n),
        }
        for group, version, arm, name in (
            ("own", 1, "champion", None), ("other", 2, "challenger", None), ("mixed", 1, "champion", "old"),
            ("mixed too", 2, "challenger", "old"),
        )
        for n in (0, 1)
    ]  # fmt: skip
    lake = FakeLake()
    lake.append(labelled_table(NAME), pa.Table.from_pylist(rows, schema=labelled_schema(OBJECTIVE)))
    lake.append(
        predictions_table(NAME),
        pa.Table.from_pylist(rows, schema=prediction_schema({**logged_types(RANKED), **RANKED_COLUMNS})),
    )
    return lake


def test_a_shadow_reads_lists_of_one_version() -> None:
    """Of the requests, and of the labelled predictions."""
    rows = ShadowRows(_lake(), 1_000)
    assert {*rows.asked(NAME, (1, 2), Between("time", 0, DAY))["group"].to_pylist()} == {"own", "other"}
    assert rows.labelled(NAME, RANKED.label, 1, started_in(0, DAY), 0)["group"].to_pylist() == ["own", "own"]


def test_a_canary_counts_the_losses_of_lists_of_one_version() -> None:
    """One list of each arm."""
    found = arm_losses(_lake(), RANKED, Routing(1, 2, 0.5), 9 * DAY)
    assert found is not None
    assert [len(arm.rows) for arm in found] == [1, 1]
