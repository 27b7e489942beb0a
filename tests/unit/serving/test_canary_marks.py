"""Proves that each request in a canary is marked with how its arm did, and that the log's function counts the marks."""

from typing import Any

import pytest

from smallbox.errors import NotReady, Unavailable
from smallbox.messages.predictions import failed_request
from smallbox.release.canary_marks import CHALLENGER_TROUBLE, CanaryMark, cluster_of
from smallbox.release.minute_counts import arm_counts
from smallbox.serving.log import LogTask
from smallbox.times import MINUTE, Moment
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.edges import FakeMeter
from tests.fakes.serving import Serving
from tests.unit.serving.two_definitions import ARMS, INSTANCES, KEYS, NEW, NOW, canary_of_both


@pytest.fixture
def canary() -> Serving:
    """A canary of both definitions."""
    return canary_of_both()


def _marks(serving: Serving) -> list[dict[str, Any]]:
    return [message["canary"] for message in serving.log.messages if "canary" in message]


def test_each_arm_of_a_request_has_one_mark(canary: Serving) -> None:
    """With the challenger's version, its arm, the cluster of its first key, and the moment."""
    canary.predict(INSTANCES, Moment(NOW))
    found = {mark["arm"]: mark for mark in _marks(canary)}
    assert len(_marks(canary)) == 2
    for arm, mark in found.items():
        first = KEYS[ARMS.index(arm)]
        assert mark["challenger"] == 2
        assert mark["cluster"] == cluster_of(first)
        assert not {"failed", "fallback"} & mark.keys()


def test_a_request_without_a_canary_has_no_mark() -> None:
    """Nothing more is sent when no canary runs."""
    serving = Serving(NEW)
    serving.route(serving.register(NEW))
    serving.predict(INSTANCES[:1], Moment(NOW))
    assert serving.log.messages
    assert _marks(serving) == []


def test_a_request_that_the_challenger_fails_is_counted_and_rings(canary: Serving) -> None:
    """It ends in its error as before; its mark alone is sent, counted as failed, and published for the alarm."""
    canary.blobs.delete(canary.registry.get(NEW.name, 2).onnx_key)
    sent = INSTANCES[ARMS.index("challenger")]
    with pytest.raises(NotReady):
        canary.predict([sent], Moment(NOW))
    (message,) = canary.log.messages
    assert message.keys() == {"model", "canary"}
    counters, meter = FakeCanaryCounters(), FakeMeter()
    LogTask(canary.project, canary.lake, counters, meter).append([message])
    counts = arm_counts(counters.read(NEW.name, 2, NOW // MINUTE * MINUTE - MINUTE))
    assert counts.minutes.sum(axis=0).tolist() == [[0, 0, 0, 0, 0], [1, 1, 0, 0, 0]]
    assert meter.published == [({CHALLENGER_TROUBLE: 1}, {})]
    assert canary.lake.read(f"predictions/{NEW.name}") is None


def test_answers_of_both_arms_are_counted(canary: Serving) -> None:
    """What was answered as usual is asked, and nothing rings."""
    canary.predict(INSTANCES, Moment(NOW))
    counters, meter = FakeCanaryCounters(), FakeMeter()
    LogTask(canary.project, canary.lake, counters, meter).append(canary.log.messages)
    (minute,) = counters.read(NEW.name, 2, 0)
    assert sum(count for name, count in minute.items() if ".asked." in name) == 2
    assert meter.published == []


def test_a_figure_that_is_not_accepted_does_not_count_marks_twice(canary: Serving) -> None:
    """When CloudWatch takes no figure the messages are done all the same: a retry would count them again."""

    class NoMeter(FakeMeter):
        def publish(self, figures: Any, dimensions: Any) -> None:
            raise Unavailable(f"{figures} of {dimensions} were not accepted")

    mark = CanaryMark(2, "challenger", 0, NOW, 0.0, failed=True)
    counters = FakeCanaryCounters()
    LogTask(canary.project, canary.lake, counters, NoMeter()).append([failed_request(NEW.name, mark.as_json())])
    assert counters.read(NEW.name, 2, 0) == [{"challenger.asked.0": 1, "challenger.failed.0": 1}]
