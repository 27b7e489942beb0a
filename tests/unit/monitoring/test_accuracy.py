"""Proves what accuracy is judged on: the serving versions' own labels, of as many days as it takes, beyond chance."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from smallbox.define import ceiling, floor
from smallbox.define.rules import Monitor
from smallbox.labels.table import settled_days
from smallbox.lake.names import labelled_table
from smallbox.monitoring.accuracy import Judged, accuracy_checks, judged
from smallbox.monitoring.report import Check, report_of
from smallbox.ports import Between
from smallbox.times import DAY
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel

RULE = Monitor(guardrails=(floor("auc", 0.6), ceiling("calibration_error", 0.1)), min_coverage=0.5)
BASELINE = (0.5,)
"""The constant outputs that the champion was compared with."""
NOW = 100 * DAY
LAST = settled_days(late_parcel.label, NOW).start


class ReadingLake(FakeLake):
    """Remembers how many days of the labelled table were read."""

    def __init__(self) -> None:
        super().__init__()
        self.days: list[int] = []

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        between: Between | None = None,
        keys: pa.ChunkedArray | None = None,
        *,
        key: str = "key",
        schema: pa.Schema | None = None,
    ) -> pa.Table | None:
        assert between is not None
        self.days.append((between.end - between.start) // DAY)
        return super().read(table, columns, between, keys, key=key, schema=schema)


def labelled(
    size: int,
    status: str = "labelled",
    *,
    day: int = LAST,
    good: bool = True,
    arm: str = "champion",
    version: int = 1,
    channel: str = "online",
    seed: int = 0,
) -> pa.Table:
    """Predictions of a day, with labels drawn at the chance that they state, or at another row's."""
    random = np.random.default_rng(seed)
    score = random.random(size)
    label = random.random(size) < (score if good else random.permutation(score))
    said = {"status": status, "arm": arm, "channel": channel}
    texts = {name: pa.array([text] * size, pa.string()) for name, text in said.items()}
    times = {name: np.full(size, day, np.int64) for name in ("event_time", "settles_from")}
    if arm == "fallback":
        score = np.full(size, 0.5)
    return pa.table({"score": score, "label": label, "version": np.full(size, version), **texts, **times})


def lake_of(*tables: pa.Table) -> ReadingLake:
    """A lake with a labelled table of these rows."""
    lake = ReadingLake()
    for rows in tables:
        lake.append(labelled_table(late_parcel.name), rows)
    return lake


def found(lake: FakeLake, serving: tuple[int, ...] = (1,)) -> Judged:
    """What is judged of online predictions."""
    return judged(late_parcel, late_parcel.label, lake, serving, NOW)["online"]


def checks_of(rows: Judged, rule: Monitor = RULE) -> dict[str, Check]:
    """The checks by name."""
    return {check.name: check for check in accuracy_checks(rule, late_parcel.label, BASELINE, rows, NOW)}


def breached(rows: Judged) -> list[str]:
    """The names of the checks that breached."""
    return [check.name for check in checks_of(rows).values() if check.breached]


def test_accuracy_breaches_for_what_went_wrong() -> None:
    """Good scores are silent; worthless ones fail in loss, rank and calibration, missing labels in coverage."""
    good, bad, without = labelled(1000), labelled(1000, good=False), labelled(1500, "unlabelled")
    assert breached(found(lake_of(good))) == []
    assert breached(found(lake_of(bad))) == ["loss", "auc", "calibration_error"]
    assert breached(found(lake_of(good, without))) == ["coverage"]
    assert breached(found(lake_of(bad.slice(0, 100)))) == []


def test_the_fallback_is_left_out_of_quality_and_counted() -> None:
    """With six of ten answers a constant, the AUC is that of the model's own; the report counts the others."""
    alone = checks_of(found(lake_of(labelled(400))))["auc"]
    rows = found(lake_of(labelled(400), labelled(600, arm="fallback", version=0, seed=1)))
    mixed = checks_of(rows)["auc"]
    assert alone.value is not None
    assert (mixed.value, mixed.rows) == (alone.value, 400)
    assert alone.value > 0.8
    assert (rows.as_json()["fallback"], rows.as_json()["judged"], rows.as_json()["labelled"]) == (600, 400, 1000)


def test_a_version_that_no_longer_serves_is_not_judged() -> None:
    """The champion's and the challenger's predictions count, those of versions before them do not."""
    rows = found(lake_of(labelled(300, version=2), labelled(300, version=3), labelled(900, version=1)), (2, 3))
    assert checks_of(rows)["auc"].rows == 600


def test_questions_asked_late_are_shown_and_not_judged() -> None:
    """They are in no figure, and the coverage says how many there are."""
    rows = found(lake_of(labelled(300), labelled(250, "asked_late")))
    checks = checks_of(rows)
    assert (checks["auc"].rows, checks["coverage"].value, checks["coverage"].rows) == (300, 1.0, 300)
    assert "250 asked late are left out" in checks["coverage"].sentence
    assert rows.as_json()["asked_late"] == 250


def test_a_day_with_traffic_is_read_alone() -> None:
    """What it costs does not grow with the days before it."""
    lake = lake_of(*(labelled(500, day=LAST - n * DAY) for n in range(30)))
    rows = found(lake)
    assert (lake.days, rows.rows.num_rows, rows.first) == ([1], 500, rows.last)


def test_days_add_up_until_there_are_rows_enough() -> None:
    """48 predictions a day: eight days are gathered, each read once, and the report names them; bad ones breach."""
    days = range(60)
    lake = lake_of(*(labelled(48, day=LAST - n * DAY, good=False, seed=n) for n in days))
    rows = found(lake)
    assert lake.days == [1, 1, 2, 4]
    assert (rows.first, rows.last) == ("1970-04-02", "1970-04-09")
    checks = checks_of(rows)
    assert checks["auc"].rows == 8 * 48
    assert checks["auc"].breached
    assert "of 1970-04-02 to 1970-04-09" in checks["auc"].sentence


def test_a_day_without_labels_does_not_hide_among_the_days_before_it() -> None:
    """A new version gathers days for its AUC; coverage stays that of the newest day with rows enough."""
    silent = labelled(250, "unlabelled", version=2)
    rows = found(lake_of(silent, *(labelled(250, day=LAST - n * DAY) for n in range(1, 28))), serving=(2,))
    checks = checks_of(rows)
    assert rows.days == 28
    assert (checks["coverage"].value, checks["coverage"].rows, checks["coverage"].breached) == (0.0, 250, True)
    assert "of 1970-04-09;" in checks["coverage"].sentence


def test_a_day_without_predictions_does_not_end_the_search() -> None:
    """After a quiet day the days before it are judged."""
    assert found(lake_of(labelled(300, day=LAST - 2 * DAY))).known.num_rows == 300


def test_no_more_than_four_weeks_are_gathered() -> None:
    """Where even those are too few, the figure is stored, says so, and breaches nothing."""
    rows = found(lake_of(*(labelled(3, day=LAST - n * DAY, good=False, seed=n) for n in range(60))))
    assert rows.rows.num_rows == 28 * 3
    assert breached(rows) == []
    assert "too few to judge" in checks_of(rows)["auc"].sentence


def test_the_rarer_outcome_counts_too() -> None:
    """A thousand labels with three positives say nothing of ranks; more days are gathered for them."""
    day = labelled(1000, good=False)
    rare = day.set_column(day.column_names.index("label"), "label", pa.array([True] * 3 + [False] * 997))
    assert breached(found(lake_of(rare))) == []
    assert found(lake_of(rare)).first < found(lake_of(rare)).last


@pytest.mark.parametrize(("rows", "rate"), [(200, 0.2), (1000, 0.03)])
def test_an_auc_at_its_limit_breaches_as_seldom_as_stated(rows: int, rate: float) -> None:
    """Of 1,000 days whose true AUC is ``min_auc``, at most about one in twenty breaches."""
    random = np.random.default_rng(0)
    shift = 0.3583  # sqrt(2) times the normal quantile of 0.6
    day, breaches = labelled(rows), 0
    for _ in range(1000):
        label = np.zeros(rows, bool)
        label[: int(rows * rate)] = True
        score = 1 / (1 + np.exp(-random.normal(label * shift)))
        drawn = day.set_column(day.column_names.index("label"), "label", pa.array(label))
        drawn = drawn.set_column(day.column_names.index("score"), "score", pa.array(score))
        breaches += checks_of(Judged(DAY, 1, drawn, (1,), late_parcel.objective))["auc"].breached
    assert breaches / 1000 < 0.08


def test_a_channel_is_judged_by_itself() -> None:
    """Batch predictions are not among the online ones, nor the other way round."""
    lake = lake_of(labelled(300), labelled(500, channel="batch", good=False))
    by_channel = judged(late_parcel, late_parcel.label, lake, (1,), NOW)
    assert {channel: rows.rows.num_rows for channel, rows in by_channel.items()} == {"online": 300, "batch": 500}
    assert judged(late_parcel, late_parcel.label, FakeLake(), (1,), NOW) == {}


def test_a_channel_with_few_rows_does_not_enlarge_the_other() -> None:
    """Online has enough on its newest day; batch is gathered from older days too, of which online takes none."""
    online = [labelled(500, day=LAST - n * DAY) for n in range(30)]
    batch = [labelled(60, day=LAST - n * DAY, channel="batch") for n in range(30)]
    by_channel = judged(late_parcel, late_parcel.label, lake_of(*online, *batch), (1,), NOW)
    assert {channel: rows.rows.num_rows for channel, rows in by_channel.items()} == {"online": 500, "batch": 4 * 60}


def test_a_day_without_predictions_has_a_report() -> None:
    """Nothing to see is ``None`` in the report, which is JSON and breaches nothing."""
    checks = list(checks_of(Judged(DAY, 1, labelled(0), (), late_parcel.objective)).values())
    report = report_of("m", "2026-01-01", "2026-01-02T00:00:00Z", checks)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report["breaches"].values()) == {0}
