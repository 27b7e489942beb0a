"""Proves that a lasting change of what is served rings once; quiet days, a blip and a repeated check do not."""

from dataclasses import replace

import numpy as np
import pytest

from smallbox.monitoring.change_findings import CHANGE, change_findings
from smallbox.monitoring.change_watch import ChangeWatch
from smallbox.profiles.building import by_period, layout_of_values
from smallbox.profiles.day_numbers import day_numbers
from smallbox.profiles.profile import Profile
from smallbox.profiles.stored import ReferenceDays
from smallbox.records import Channel
from smallbox.statistics.change_detector import DayVerdict
from smallbox.statistics.change_evidence import MovedStream
from smallbox.statistics.day_streams import DayValue, day_streams
from smallbox.statistics.stored_streams import DAYS_KEPT, streams_from_bytes, streams_to_bytes, with_day
from smallbox.times import DAY, day_of
from tests.fakes.edges import FakeBlobs
from tests.fakes.small import late_parcel
from tests.fakes.versions import VERSION

CHAMPION = replace(VERSION, number=1)
ROWS = 500


def _numbers(seed: int, day: int, shift: float = 0.0) -> dict[str, DayValue]:
    """Three streams of a day, each with a day effect as large as its sampling noise; one of them shifted."""
    random = np.random.default_rng([seed, day])
    values = 0.5 + np.array([shift, 0, 0]) + random.normal(0, 0.013, 3) + random.normal(0, 0.013, 3)
    names = ("weight:location", "depot_delay_3h:location", "score:location")
    return {name: DayValue(float(v), 1 / 12 / ROWS) for name, v in zip(names, values, strict=True)}


def _verdicts(watch: ChangeWatch, shifts: dict[int, float], days: int = 60, seed: int = 0) -> list[DayVerdict]:
    return [
        watch.judge(late_parcel, CHAMPION, "online", day, _numbers(seed, day, shifts.get(day, 0.0)))
        for day in range(days)
    ]


def test_a_lasting_change_rings_once_and_names_its_stream() -> None:
    """From day 40 on a stream lies four usual days higher: one alarm within a week, for that stream alone."""
    verdicts = _verdicts(ChangeWatch(FakeBlobs()), dict.fromkeys(range(40, 60), 0.07))
    (rung,) = [verdict for verdict in verdicts if verdict.is_alarm]
    assert 40 <= rung.day < 47
    assert [one.name for one in rung.moved] == ["weight:location"]
    assert rung.moved[0].raw == pytest.approx(0.07, abs=0.03)


def _wait(importance: float, seed: int) -> int:
    """Days until a change of the weight rings, by two usual days after 30, for a model with twenty more inputs."""
    blobs = FakeBlobs()
    learnt = day_streams({day: _numbers(seed, day) for day in range(30)})
    blobs.put(f"references/{CHAMPION.model}/{CHAMPION.number}/days-online.npz", streams_to_bytes(learnt))
    relied = {"weight": importance, **{f"x{n}": 0.01 for n in range(20)}}
    watch, reference = ChangeWatch(blobs), ReferenceDays(layout_of_values({}), {}, relied)
    for day in range(30, 45):
        numbers = _numbers(seed, day, 0.037)
        if watch.judge(late_parcel, CHAMPION, "online", day, numbers, reference).is_alarm:
            return day - 30
    return 15


def test_a_change_of_an_important_input_is_found_sooner() -> None:
    """Over 8 histories the alarm comes sooner if the model relies on the column than if it does not."""
    unused, relied = (sum(_wait(importance, seed) for seed in range(8)) for importance in (0.0, 0.5))
    assert relied < unused


def test_a_day_that_differs_does_not_ring() -> None:
    """One day ten usual days away is shown as a blip on that day, and rings nothing."""
    verdicts = _verdicts(ChangeWatch(FakeBlobs()), {40: 0.2})
    assert [verdict.day for verdict in verdicts if verdict.is_alarm] == []
    assert "weight:location" in {one.name for one in verdicts[40].blips}


def test_checking_a_day_again_gives_the_same_verdict() -> None:
    """The history keeps one row for a day, and a day that is checked again is judged without later days."""
    blobs = FakeBlobs()
    shifts = dict.fromkeys(range(40, 60), 0.07)
    first = _verdicts(ChangeWatch(blobs), shifts)
    assert _verdicts(ChangeWatch(blobs), shifts) == first


def _trained() -> tuple[ReferenceDays, dict[int, Profile]]:
    """Weights around 2.0 of 60 days, each with a day effect, and the reference of the 40 days before day 80."""
    random = np.random.default_rng(0)
    weights = random.normal(np.repeat(random.normal(2.0, 0.05, 60), ROWS))
    values, times = {"weight": weights}, np.repeat(np.arange(40, 100) * DAY, ROWS)
    layout = layout_of_values(values)
    days = by_period(layout, values, times, None, DAY)
    return ReferenceDays(layout, {begin: day for begin, day in days.items() if begin < 80 * DAY}), days


def test_a_new_champion_has_the_history_of_its_own_training() -> None:
    """The change rang for the old one; the new one was trained on the days after it, and does not ring for it."""
    trained, days = _trained()
    newer, watch = replace(CHAMPION, number=2), ChangeWatch(FakeBlobs())
    verdicts = [
        watch.judge(late_parcel, newer, "online", day, day_numbers(days[day * DAY], trained.whole()), trained)
        for day in range(80, 100)
    ]
    assert not any(verdict.is_alarm for verdict in verdicts)
    assert not verdicts[0].learning, "its training days are known"


def test_what_moved_stays_far_from_the_training_and_says_how_far() -> None:
    """A location four usual days higher for a week: its distance has bounds above 0; what did not move is near 0."""
    trained, _ = _trained()
    watch, whole = ChangeWatch(FakeBlobs()), day_numbers(trained.whole(), trained.whole())
    higher = {"weight:location": DayValue(0.5 + 4 * 0.02, 1 / 12 / ROWS)}
    for day in range(80, 88):
        watch.judge(late_parcel, CHAMPION, "online", day, whole | higher, trained)
    found = {one.name: one.daily for one in watch.distances(late_parcel, CHAMPION, "online", 87, trained)}
    assert next(iter(found)) == "weight:location"
    assert 1 < found["weight:location"].low < found["weight:location"].value < 6
    assert found["weight:spread"].low < 0 < found["weight:spread"].high
    assert watch.distances(late_parcel, CHAMPION, "online", 87, None) == []


def test_channels_have_histories_of_their_own() -> None:
    """What was served by file teaches nothing about what is served online."""
    watch, channels = ChangeWatch(FakeBlobs()), list[Channel](["online", "batch"])
    online, batch = ([watch.judge(late_parcel, CHAMPION, c, d, _numbers(0, d)) for d in range(3)] for c in channels)
    assert online[-1].learning == batch[-1].learning
    assert set(batch[-1].learning.values()) == {2}


def test_a_column_that_may_move_is_not_watched() -> None:
    """``expected_drift`` takes a column's streams out; the others are watched as before."""
    model = replace(late_parcel, monitor=replace(late_parcel.monitor, expected_drift=("weight",)))
    watch = ChangeWatch(FakeBlobs())
    verdicts = [
        watch.judge(model, CHAMPION, "online", day, _numbers(0, day, 0.07 if day >= 40 else 0.0)) for day in range(60)
    ]
    assert not any(verdict.is_alarm for verdict in verdicts)


def test_a_day_that_is_left_out_does_not_ring() -> None:
    """Three holidays far away ring when they are not declared; declared, they and the days after them are quiet."""
    days = (35, 36, 37)
    declared = replace(late_parcel.monitor, left_out=tuple(day_of(day * DAY) for day in days))
    model = replace(late_parcel, monitor=declared)
    judged, rung = (
        [watch.judge(one, CHAMPION, "online", day, _numbers(0, day, 0.3 * (day in days))) for day in range(41)]
        for one, watch in ((model, ChangeWatch(FakeBlobs())), (late_parcel, ChangeWatch(FakeBlobs())))
    )
    assert [one.day for one in judged if one.is_left_out] == list(days)
    assert not any(one.is_alarm or one.blips for one in judged)
    assert any(one.is_alarm for one in rung)


def test_the_history_is_bounded_and_survives_storage() -> None:
    """Of more days the newest are kept, bit for bit, with gaps where a day lacks a stream."""
    grown = day_streams({})
    for day in range(DAYS_KEPT + 5):
        grown = with_day(grown, day, _numbers(1, day) if day % 2 else {"score:location": DayValue(0.5, 0.1)})
    assert (grown.days[0], len(grown.days)) == (5, DAYS_KEPT)
    found = streams_from_bytes(streams_to_bytes(grown))
    assert list(found.names) == list(grown.names)
    assert np.array_equal(found.values, grown.values, equal_nan=True)


def _moved(name: str, daily: float = 3.0) -> MovedStream:
    return MovedStream(name, 0.1, daily, 40, 500.0)


@pytest.mark.parametrize(
    ("stream", "is_diagnosed", "found"),
    [
        ("weight:location", False, ("covariate_shift", "notice")),
        ("weight:missing", False, ("missing_values", "incident")),
        ("weight:missing", True, ("missing_values", "notice")),
        ("score:location", False, ("prediction_shift", "incident")),
        ("score:location", True, ("prediction_shift", "notice")),
        ("loss:mean", True, ("loss", "incident")),
        ("label:mean", True, ("label_shift", "notice")),
        ("bias:mean", True, ("concept_shift", "notice")),
    ],
)
def test_what_rings_is_what_can_hurt(stream: str, is_diagnosed: bool, found: tuple[str, str]) -> None:  # noqa: FBT001
    """A diagnosed change is a notice, since its causes ring; a rise of the realised loss rings by its size."""
    verdict = DayVerdict(42, True, 100.0, moved=(_moved(stream),))
    (finding,) = change_findings(late_parcel.monitor, verdict, ("score",), 0.5, is_diagnosed=is_diagnosed)
    assert (finding.kind, finding.severity) == found
    assert (finding.subject, finding.cause) == (stream.partition(":")[0], CHANGE)
    assert "since 1970-02-10" in finding.sentence


def test_a_small_rise_of_the_loss_is_a_notice() -> None:
    """0.1 is 2 % of a loss of 5, which is what hurts; of a loss of 10 it is less."""
    verdict = DayVerdict(42, True, 100.0, moved=(_moved("loss:mean"),))
    severities = [
        change_findings(late_parcel.monitor, verdict, ("score",), loss, is_diagnosed=True)[0].severity
        for loss in (5.0, 10.0)
    ]
    assert severities == ["incident", "notice"]


def test_a_column_is_named_once() -> None:
    """Two streams of one column are one finding, and a verdict without alarm is none."""
    moved = (_moved("weight:location"), _moved("score:location"), _moved("weight:spread", -2.0))
    verdict = DayVerdict(42, True, 100.0, moved=moved)
    findings = change_findings(late_parcel.monitor, verdict, ("score",), None, is_diagnosed=False)
    assert [finding.subject for finding in findings] == ["weight", "score"]
    assert findings[0].sentence.startswith("weight has changed: location 3.0 usual days up")
    quiet = DayVerdict(42, False, 1.0)
    assert change_findings(late_parcel.monitor, quiet, ("score",), None, is_diagnosed=False) == []
