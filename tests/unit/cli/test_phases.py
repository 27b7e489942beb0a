"""Proves in which order a replay uses the system's doors, and what it says when no version serves."""

from typing import Any, cast

import pytest

from smallbox.cli.replay.phases import ReplayPhases, ReplayResults
from smallbox.cli.replay.progress import Progress
from smallbox.cli.replay.recording import lay_out
from smallbox.cli.replay.span import Span
from smallbox.cli.system import System
from smallbox.cli.wait import wait
from smallbox.errors import NotReady, Unavailable
from smallbox.times import DAY, HOUR, format_moment, parse_day
from tests.fakes.running import RecordingSystem
from tests.fakes.small import deliveries, late_parcel, parcels

START = parse_day("2024-05-02")
SIX_HOURS = 6 * HOUR


def _parcel(at: int) -> dict[str, Any]:
    return {"parcel_id": str(at), "sent_at": format_moment(START + at), "depot": "north", "weight": 1.0}


def _delivery(at: int) -> dict[str, Any]:
    moment = format_moment(START + at)
    return {"parcel_id": str(at), "delivered_at": moment, "depot": "north", "delay": 1.0, "late": False}


def _tell(system: RecordingSystem, days: int = 1) -> ReplayResults:
    """Requests at the start and the middle of the first day and on the second; deliveries before and on the first."""
    span = Span(START, START + days * DAY, SIX_HOURS)
    recordings = {
        "parcels": lay_out(parcels, [_parcel(at * HOUR) for at in (-1, 0, 13, 25)], span, late_parcel.request_fields),
        "deliveries": lay_out(deliveries, [_delivery(at * HOUR) for at in (-2, 7)], span),
    }
    return ReplayPhases(cast("System", system), late_parcel, recordings, span, Progress()).run()


def test_the_doors_are_used_in_the_order_of_time() -> None:
    """History, a training, then steps: requests as of the beginning, records as of the end, and the day at midnight.

    The queues are drained before a prediction when something was sent since, and before a day is closed.
    """
    system = RecordingSystem()
    results = _tell(system)
    quarter = [format_moment(START + n * SIX_HOURS) for n in range(5)]
    assert system.calls == [
        ("upload", ("drop", 2)),
        ("drain", 4),
        ("upload", ("drop", 1)),
        ("drain", 4),
        ("drain", 1),
        ("TrainingMachine", quarter[0]),
        ("predict", (quarter[0], 1)),
        ("send", ("deliveries", quarter[2], 1)),
        ("drain", 4),
        ("predict", (quarter[2], 1)),
        ("send", ("parcels", quarter[3], 1)),
        ("drain", 1),
        ("upkeep", (quarter[4], True)),
        ("DailyMachine", quarter[4]),
        ("upload", ("score", 2)),
    ]
    assert (results.counts.sent, results.counts.predictions) == (2, 2)


def test_the_queues_are_drained_after_a_day_is_closed() -> None:
    """The upkeep of a day may ask for a rebuild, which the predictions of the next day wait for."""
    system = RecordingSystem()
    _tell(system, days=2)
    at = system.calls.index(("DailyMachine", "2024-05-03T00:00:00Z"))
    assert system.calls[at + 1 : at + 3] == [("drain", 4), ("predict", ("2024-05-03T00:00:00Z", 1))]


def test_without_a_champion_the_gates_reason_is_said() -> None:
    """Nothing would answer: the replay ends, with the reason and what to do about it."""
    system = RecordingSystem(verdict={"accepted": False, "why": "AUC is 0.51, at least 0.60 is asked for"})
    with pytest.raises(NotReady, match=r"no version of late_parcel serves.*AUC is 0\.51.*start later"):
        _tell(system)
    assert "predict" not in [name for name, _ in system.calls]


def test_a_training_that_fails_later_is_kept_with_its_reason() -> None:
    """The champion goes on serving, so the replay does too; the reason is in the verdict on training."""
    results = _tell(RecordingSystem(retrain=True, failing="training failed: too few rows"), days=2)
    assert results.counts.failures == ["training failed: too few rows"] * 2
    assert results.counts.trainings == []


def test_waiting_says_how_long_it_took_or_what_is_stuck() -> None:
    """``smallbox wait`` answers when every queue is empty, and fails with the queue's name when the time is over."""
    system = RecordingSystem()
    assert wait(cast("System", system), 5)["dead_letters"] == 0
    assert system.calls == [("drain", 1)]
    with pytest.raises(Unavailable, match="EventsQueue did not drain within 5 s"):
        wait(cast("System", RecordingSystem(is_stuck=True)), 5)
