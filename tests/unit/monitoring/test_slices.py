"""Proves accuracy by slice: what is read, what is told, which slice an alarm names, and when it is an incident."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from smallbox.define.log_columns import logged_types
from smallbox.define.rules import Monitor
from smallbox.errors import DefinitionError
from smallbox.labels.table import settled_days
from smallbox.lake.names import labelled_table, predictions_table
from smallbox.lake.schemas import labelled_schema, prediction_schema
from smallbox.lake.slices import slice_masks
from smallbox.monitoring import sliced_accuracy
from smallbox.monitoring.accuracy import judged
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.monitoring.slice_figures import LEAST_SLICED, SlicedRows
from smallbox.monitoring.slice_findings import SliceEffects, slice_findings, without_slices
from smallbox.monitoring.sliced_accuracy import SlicedAccuracy
from smallbox.objectives.binary import Binary
from smallbox.objectives.objective import Scored
from smallbox.statistics.change_detector import DayVerdict, detect
from smallbox.statistics.change_evidence import MovedStream
from smallbox.statistics.day_streams import day_streams
from smallbox.statistics.intervals import clustered_gap
from smallbox.times import DAY
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel

NOW = 100 * DAY
END = settled_days(late_parcel.label, NOW).end // DAY
EACH = 600


def scored_day(random: np.random.Generator, turned: float = 0.0, rows: int = EACH) -> tuple[Scored, np.ndarray]:
    """Rows with calibrated scores and one of three depots; labels of ``d0`` turn towards the other class."""
    odds, depots = random.normal(0, 1, rows), random.integers(0, 3, rows)
    true = np.where(depots == 0, odds * (1 - turned), odds)
    labels = (random.random(rows) < 1 / (1 + np.exp(-true))).astype(float)
    return Scored((1 / (1 + np.exp(-odds)))[:, None], labels, np.zeros(rows, np.int64)), depots


def sliced(day: int, turned: float = 0.0) -> SlicedRows:
    """One day of rows by depot, drawn with the day as the seed."""
    scored, depots = scored_day(np.random.default_rng(day), turned)
    masks = {f"depot=d{n}": depots == n for n in range(3)}
    return SlicedRows(Binary(), scored, np.full(len(scored), day), masks)


def lake_of(days: int) -> FakeLake:
    """Requests of the newest settled days with a depot in the log alone, and their labels."""
    lake, random = FakeLake(), np.random.default_rng(0)
    for day in range(END - days, END):
        scored, depots = scored_day(random)
        columns = {
            "id": [f"{day}-{n}" for n in range(EACH)],
            "key": [f"{day}-{n}" for n in range(EACH)],
            "time": np.full(EACH, day * DAY),
            "event_time": np.full(EACH, day * DAY),
            "settles_from": np.full(EACH, day * DAY),
            "version": 1 + np.arange(EACH) % 2,
            "arm": ["champion", "challenger"] * (EACH // 2),
            "channel": ["online"] * EACH,
            "score": scored.outputs[:, 0],
            "label": scored.labels == 1,
            "status": ["labelled"] * EACH,
            "depot": [f"d{n}" for n in depots],
            "degraded": [[]] * EACH,
        }
        lake.append(labelled_table("late_parcel"), _table(labelled_schema(late_parcel.objective), columns))
        order = random.permutation(EACH)
        log = _table(prediction_schema(logged_types(late_parcel)), columns)
        lake.append(predictions_table("late_parcel"), log.take(pa.array(order)))
    return lake


def _table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(EACH, f.type) for f in schema]
    return pa.table(arrays, schema=schema)


def read(lake: FakeLake) -> SlicedRows:
    """What is read of the online channel, with both versions serving."""
    settled = judged(late_parcel, late_parcel.label, lake, (1, 2), NOW)
    return SlicedAccuracy(lake).of(late_parcel, late_parcel, late_parcel.label, settled, NOW)["online"]


def test_labels_meet_the_texts_that_were_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has the depot and the labels have the outcome: rows meet by id, days are added until they are enough."""
    monkeypatch.setattr(sliced_accuracy, "SLICED_ROWS", 2 * EACH + 1)
    found = read(lake_of(6))
    assert len(found.scored) == 4 * EACH
    assert set(found.masks) == {
        *("version=1", "version=2", "arm=champion", "arm=challenger"),
        *("depot=d0", "depot=d1", "depot=d2"),
    }
    assert sum(found.masks[f"depot=d{n}"].sum() for n in range(3)) == len(found.scored)
    alone = read(lake_of(1))
    expected = np.concatenate([scored_day(np.random.default_rng(0))[1]])
    assert (alone.masks["depot=d1"] == (expected == 1)).all()


def test_only_declared_texts_make_slices() -> None:
    """Of a model without its depot declared there is none; a declaration that names no text is refused."""
    with pytest.raises(DefinitionError, match="slices: 'weight' must be a text"):
        replace(late_parcel, monitor=Monitor(slices=("weight",)))
    rows = pa.table({"depot": ["a"] * 40, "other": ["b"] * 40})
    assert set(slice_masks(late_parcel, rows, ("depot",))) == set(slice_masks(late_parcel, rows)) == {"depot=a"}
    assert slice_masks(late_parcel, rows, ("other",)) == {}


def test_the_worst_slice_comes_first_with_its_bias() -> None:
    """The labels of one depot turned: it is told first, surely worse than the others; few rows have no figures."""
    found = sliced(1, turned=1.5)
    few = np.arange(EACH) < LEAST_SLICED - 1
    told = replace(found, masks={**found.masks, "depot=few": few}).slices()
    assert told[0]["slice"] == "depot=d0"
    assert told[0]["worse"]["low"] > 0
    assert {"loss", "bias", "figures", "rows"} < told[0].keys()
    assert "depot=few" not in {one["slice"] for one in told}


def test_a_bad_day_is_bad_for_all_slices() -> None:
    """Days that differ by far more than slices hide a slice's mean, and not its difference from the others."""
    random, days = np.random.default_rng(3), np.repeat(np.arange(20), 100)
    mask = np.arange(len(days)) % 2 == 0
    values = random.normal(0, 3, 20)[days] + random.normal(0.2 * mask, 0.5)
    found = clustered_gap(values, mask, days)
    assert 0 < found.low < 0.2 < found.high < 0.3


def test_the_bounds_of_a_bias_leave_out_an_overstated_slice_alone() -> None:
    """Scores of one slice lie .1 too high."""
    found = sliced(5)
    outputs = np.clip(found.scored.outputs + 0.1 * found.masks["depot=d2"][:, None], 0, 1)
    bias = {one["slice"]: one["bias"] for one in replace(found, scored=found.scored.beside(outputs)).slices()}
    assert bias["depot=d2"]["low"] > 0
    assert bias["depot=d1"]["low"] < 0 < bias["depot=d1"]["high"]


def rung(turned: float, days: int = 75, begins: int = 45) -> list[DayVerdict]:
    """The verdicts on days of which the last are turned in one depot."""
    found = {day: sliced(day, turned if day >= begins else 0.0).numbers(day) for day in range(days)}
    return [one for one in detect(day_streams(found)) if one.is_alarm]


def test_evidence_adds_up_over_days_until_the_failing_slice_is_named() -> None:
    """Without a failure nothing rings in 75 days; with one the alarm names that slice as worse, and only it."""
    assert rung(0.0) == []
    first = rung(0.6)[0]
    assert 45 < first.day < 65
    worse = [one.name for one in first.moved if one.raw > 0]
    assert worse == ["loss:depot=d0"]
    assert without_slices(first).moved == ()


def effects(rise: float, rest: float = 0.0) -> SliceEffects:
    """Thirty days before and ten since; a third of the rows lie in ``d0``, whose outputs get worse."""
    rows = []
    for first, days, loss in ((0, 30, (0.0, 0.0)), (30, 10, (rise, rest))):
        parts = [scored_day(np.random.default_rng(first + day), 0.0) for day in range(days)]
        depots = np.concatenate([one for _, one in parts])
        outputs, labels = (np.concatenate([getattr(s, part) for s, _ in parts]) for part in ("outputs", "labels"))
        away = np.where(depots == 0, loss[0], loss[1])[:, None] * np.where(labels == 1, -1, 1)[:, None]
        texts = np.array([f"d{n}" for n in depots], object)
        day = np.repeat(np.arange(first, first + days), EACH)
        rows.append(ObservedRows(day, {"depot": texts}, np.clip(outputs + away, 0.02, 0.98), labels))
    return SliceEffects(Binary(), *rows)


@pytest.mark.parametrize(
    ("found", "severity"),
    [
        (effects(0.1), "incident"),
        (effects(0.0), "notice"),
        (effects(0.0, rest=-0.1), "notice"),
        (None, "notice"),
    ],
    ids=["its own loss rose", "nothing rose", "only the others improved", "no rows tell"],
)
def test_a_slice_is_an_incident_where_it_surely_costs(found: SliceEffects | None, severity: str) -> None:
    """It stands out against the rest in all cases; what rings is a rise of its own loss that adds to the mean."""
    moved = (MovedStream("loss:depot=d0", 0.2, 3.0, 30, 99.0), MovedStream("loss:depot=d1", -0.1, -2.0, 30, 9.0))
    (one,) = slice_findings(Monitor(), DayVerdict(40, True, 99.0, moved), found)
    assert (one.kind, one.subject, one.severity, one.remedy) == ("slice_loss", "depot=d0", severity, "retrain")
    assert one.layer == "accuracy"
    assert "since 1970-01-31" in one.sentence
