"""Proves the detector by seeded simulation: its budget of false alarms, what it finds, and what it only shows."""

import math
from dataclasses import replace

import numpy as np
import pytest

from smallbox.arrays import Floats
from smallbox.statistics.change_detector import DayVerdict, DetectorRule, detect
from smallbox.statistics.day_streams import DayStreams, DayValue, day_streams

NAMES = [f"s{at}" for at in range(20)]
WATCHED = 300


def _days(rng: np.random.Generator, days: int, kind: str = "normal") -> Floats:
    """Values with standard deviation 1 over time."""
    noise = rng.standard_normal((days, len(NAMES)))
    if kind == "heavy tails":
        return rng.standard_t(4, noise.shape) / math.sqrt(2)
    if kind == "weekday":
        return noise + 3 * rng.standard_normal((7, len(NAMES)))[np.arange(days) % 7]
    if kind == "shared":
        return 0.3 * noise + rng.standard_normal((days, 1))
    if kind == "yesterday":
        for day in range(1, days):
            noise[day] = 0.7 * noise[day - 1] + math.sqrt(0.51) * noise[day]
    return noise


def _streams(values: Floats) -> DayStreams:
    return DayStreams(range(len(values)), NAMES, values)


def _alarms(values: Floats, weights: Floats | None = None) -> list[DayVerdict]:
    return [one for one in detect(replace(_streams(values), weights=weights)) if one.is_alarm]


@pytest.mark.parametrize(
    ("kind", "heaviest"),
    [("normal", 1), ("yesterday", 1), ("weekday", 1), ("heavy tails", 1), ("shared", 1), ("yesterday", 19)],
)
def test_without_a_change_alarms_stay_within_the_budget(kind: str, heaviest: float) -> None:
    """Ten histories of 300 days, one false alarm in 90 days allowed: at most 33 alarms.

    Also when one of the 20 streams has half of the weight.
    """
    rng = np.random.default_rng(11)
    weights = np.array([heaviest, *[1.0] * 19])
    found = sum(len(_alarms(_days(rng, WATCHED, kind), weights)) for _ in range(10))
    assert found <= 10 * WATCHED / DetectorRule().days_per_false_alarm


def test_a_lasting_shift_rings_once_within_a_week_and_is_named() -> None:
    """Of 20 shifts by 3 deviations in one of 20 streams 16 at least ring in a week; 18 ring just once in 60 days."""
    rng = np.random.default_rng(12)
    in_time, once = 0, 0
    for _ in range(20):
        values = _days(rng, 150)
        values[90:, 7] += 3
        rung = [one for one in _alarms(values) if one.day >= 90]
        by_cause = [one for one in rung if any(moved.name == "s7" for moved in one.moved)]
        in_time += bool(by_cause) and by_cause[0].day < 97
        once += len(by_cause) == 1
    assert in_time >= 16
    assert once >= 18


def test_an_alarm_says_which_way_how_far_and_since_when() -> None:
    """A fall by 6 in a stream with deviation 1 since day 100."""
    values = _days(np.random.default_rng(13), 110)
    values[100:, 3] -= 6
    moved = next(one for one in detect(_streams(values)) if one.is_alarm and one.day >= 100).moved[0]
    assert (moved.name, moved.since) == ("s3", 100)
    assert moved.raw == pytest.approx(-6, abs=1.5)
    assert moved.daily == pytest.approx(-6, abs=2)


def test_one_unusual_day_is_shown_and_does_not_ring() -> None:
    """Also if all streams are far off on it."""
    values = _days(np.random.default_rng(14), 130)
    values[100] += 15
    verdicts = detect(_streams(values))
    assert not [one.day for one in verdicts[95:] if one.is_alarm]
    assert {one.name for one in verdicts[100].blips} == set(NAMES)
    assert len(verdicts[101].blips) == 0


def test_with_one_confirming_day_a_day_can_ring() -> None:
    """The rule decides; the same day then rings at once."""
    values = _days(np.random.default_rng(14), 101)
    values[100] += 15
    assert detect(_streams(values), DetectorRule(confirming_days=1))[100].is_alarm


def test_days_left_out_neither_ring_nor_teach() -> None:
    """Ten odd days that were declared leave the other verdicts as if they were missing."""
    values = _days(np.random.default_rng(15), 140)
    values[100:110] += 8
    declared = detect(DayStreams(range(140), NAMES, values, left_out=frozenset(range(100, 110))))
    kept = [day for day in range(140) if not 100 <= day < 110]
    missing = detect(DayStreams(kept, NAMES, values[kept]))
    assert all(one.is_left_out for one in declared[100:110])
    judged = [one for one in declared if not one.is_left_out]
    assert [(one.day, one.is_alarm) for one in judged] == [(one.day, one.is_alarm) for one in missing]
    np.testing.assert_allclose([one.evidence for one in judged], [one.evidence for one in missing])


def _two_years(rng: np.random.Generator, swing: float) -> Floats:
    """Streams that swing with the year by deviations of a day."""
    season = swing * np.sin(np.arange(730) / 365 * 2 * math.pi)
    return _days(rng, 730) + season[:, None]


def test_a_season_that_comes_again_rings_in_the_first_year_alone() -> None:
    """A swing of 4 deviations in all streams: five alarms or more in the first year, half as many in the second.

    What was there in the season before is named as seasonal.
    """
    verdicts = detect(_streams(_two_years(np.random.default_rng(20), 4.0)))
    first, second = (sum(one.is_alarm for one in verdicts[from_:][:330]) for from_ in (30, 400))
    assert first >= 5
    assert second <= first / 2
    assert any(one.seasonal for one in verdicts[400:])
    assert not any(one.seasonal for one in verdicts[:365])


@pytest.mark.parametrize("swing", [0.0, 4.0])
def test_a_change_that_is_not_of_the_season_rings_in_the_second_year_too(swing: float) -> None:
    """Of five shifts by 4 deviations, against the season where there is one, four at least ring within ten days."""
    rng, found = np.random.default_rng(22), 0
    for _ in range(5):
        values = _two_years(rng, swing)[:480]
        values[460:, 5] -= 4
        verdicts = detect(_streams(values))
        found += any(one.is_alarm and any(m.name == "s5" for m in one.moved) for one in verdicts[460:470])
    assert found >= 4


def test_a_verdict_depends_on_no_later_day() -> None:
    """Verdicts of the first 80 days are the same with 40 days more, whatever these are."""
    values = _days(np.random.default_rng(16), 120)
    values[80:] += 100
    assert detect(_streams(values))[:80] == detect(_streams(values[:80]))


def test_a_stream_learns_for_21_days_and_says_so() -> None:
    """A stream that begins late is learning while others are watched; before, nothing rings."""
    values = _days(np.random.default_rng(17), 60)
    values[:, 0] = np.where(np.arange(60) < 30, np.nan, values[:, 0])
    values[10:, 1] += 50
    verdicts = detect(_streams(values))
    assert verdicts[12].learning == {"s0": 0} | dict.fromkeys(NAMES[1:], 12)
    assert verdicts[42].learning == {"s0": 12}
    assert verdicts[55].learning == {}
    assert not any(one.is_alarm for one in verdicts[:21])


def test_variances_keep_days_with_few_rows_from_hiding_a_change() -> None:
    """Means of 2,000 rows, on every fifth day of 20; one moves by 3 of its usual deviations for two weeks.

    Of ten changes at least eight ring with the variances, fewer without; before the change at most three of ten.
    """
    rng = np.random.default_rng(18)
    rows = np.where(np.arange(134) % 5 == 4, 20.0, 2_000.0)[:, None]
    found, early = {True: 0, False: 0}, 0
    for _ in range(10):
        values = rng.standard_normal((134, len(NAMES))) / np.sqrt(rows)
        values[120:, 0] += 3 / math.sqrt(2_000)
        for is_given in (True, False):
            variances = np.broadcast_to(1 / rows, values.shape) if is_given else None
            verdicts = detect(DayStreams(range(134), NAMES, values, variances))
            found[is_given] += any(one.is_alarm for one in verdicts[120:])
            early += is_given and any(one.is_alarm for one in verdicts[:120])
    assert found[True] >= 8
    assert found[False] < found[True]
    assert early <= 3


def test_an_important_stream_is_found_sooner() -> None:
    """With half of the weight a shift of 1.5 deviations rings no later than among equals, and sooner on average."""
    rng = np.random.default_rng(19)
    waits: dict[bool, list[int]] = {True: [], False: []}
    weights = np.array([19.0, *[1.0] * 19])
    for _ in range(10):
        values = _days(rng, 140)
        values[90:, 0] += 1.5
        for is_weighted in (True, False):
            found = detect(DayStreams(range(140), NAMES, values, weights=weights if is_weighted else None))
            waits[is_weighted].append(next((one.day for one in found if one.is_alarm and one.day >= 90), 140))
    assert sum(waits[True]) < sum(waits[False])


def test_a_constant_stream_that_changes_rings_and_one_that_stays_does_not() -> None:
    """A share that was 0 on 60 days and is 5 % from then on; the others never change."""
    found = [{"a": DayValue(0.0, 0.0001), "b": DayValue(0.1 * (day >= 60), 0.0001)} for day in range(80)]
    verdicts = detect(day_streams(dict(enumerate(found))))
    assert [[moved.name for moved in one.moved] for one in verdicts if one.is_alarm] == [["b"]]


def test_no_days_and_no_streams_give_no_verdict_and_no_alarm() -> None:
    """The empty history, and days on which nothing was measured."""
    assert detect(DayStreams([], ["a"], np.empty((0, 1)))) == []
    nothing = detect(DayStreams([1, 2], ["a"], np.full((2, 1), np.nan)))
    assert [one.is_alarm for one in nothing] == [False, False]


@pytest.mark.parametrize(
    ("days", "values", "weights", "words"),
    [
        ([1, 1], np.zeros((2, 1)), None, "ascending"),
        ([1], np.zeros((2, 1)), None, "shape"),
        ([1], np.zeros((1, 1)), np.zeros(1), "weights"),
    ],
)
def test_streams_that_make_no_sense_are_refused(
    days: list[int], values: Floats, weights: Floats | None, words: str
) -> None:
    """Days twice, a wrong shape, no weight at all."""
    with pytest.raises(ValueError, match=words):
        DayStreams(days, ["a"], values, weights=weights)
