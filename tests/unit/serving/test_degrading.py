"""Proves that each declared way of degrading answers, says why, and counts; undeclared, the request is an error."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define import Columns, Serve
from smallbox.define.model import Model
from smallbox.errors import Unavailable
from smallbox.lake.predictions import logged_table, without_cause
from smallbox.ports import StateKey, StoredState
from smallbox.records import Channel
from smallbox.registry.routing import Routing
from smallbox.serving.inference import InferenceProtocol, ProtocolRequest
from smallbox.serving.log_sender import PAUSE, LogSender
from smallbox.serving.predict import PredictTask
from smallbox.times import HOUR, MILLISECOND, SECOND, Micros, Moment
from tests.fakes.edges import FakeFailureLog, FakeQueue
from tests.fakes.online import FakeOnlineStore
from tests.fakes.serving import Serving, sum_of_numbers
from tests.fakes.small import depot, late_parcel

NOW: Final[Micros] = 100 * HOUR
INSTANCE: Final = {"parcel_id": "p", "depot": "north", "weight": 2.5}
VIEWED: Final = replace(late_parcel, views=(depot,))
ONLINE: Final[Channel] = "online"


class _Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Micros:
        return self.now


class _SlowStore(FakeOnlineStore):
    """A store that takes as long as it is told; past its time it is unavailable."""

    def __init__(self, clock: _Clock, takes: Micros) -> None:
        super().__init__()
        self.clock, self.takes = clock, takes
        self.within: list[Micros | None] = []

    def read(self, keys: Sequence[StateKey], within: Micros | None = None) -> Mapping[StateKey, StoredState]:
        self.within.append(within)
        self.clock.now += self.takes if within is None else min(self.takes, within)
        if within is not None and self.takes > within:
            raise Unavailable("the online store did not answer within the time budget")
        return super().read(keys)


class _Queue(FakeQueue):
    """A queue that takes nothing while it is down."""

    is_down = False
    attempts = 0

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        self.attempts += 1
        if self.is_down:
            raise Unavailable("the queue did not accept the message")
        super().send(messages, delay, within)


def _served(model: Model, *, takes: Micros = 0) -> tuple[Serving, PredictTask, _Queue, _SlowStore]:
    serving, clock, queue = Serving(model), _Clock(), _Queue()
    serving.route(serving.register(model))
    store = _SlowStore(clock, takes)
    args = serving.project, store, serving.live, serving.loader, queue, serving.fallbacks
    return serving, PredictTask(*args, clock), queue, store


def _ask(task: PredictTask, model: Model, **changes: Any) -> Any:
    document = {"instances": [{**INSTANCE, **changes}]}
    return task.predict(model.name, document, Moment(NOW), NOW, "r")


def test_states_that_come_too_late_count_as_missing() -> None:
    """The version answers with its defaults, marked, logged and counted; the budget bounds the wait."""
    model = replace(VIEWED, serve=Serve(budget="200ms", without_states="defaults"))
    serving, task, queue, store = _served(model, takes=SECOND)
    (answer,) = _ask(task, model)["predictions"]
    assert (answer["arm"], answer["version"], answer["degraded"]) == ("champion", 1, ["states"])
    assert set(answer["missing"]) == set(depot.features)
    assert store.within == [200 * MILLISECOND]
    assert serving.fallbacks.causes == [(model.name, "states", 1)]
    (message,) = queue.messages
    assert message["columns"]["degraded"] == [["states"]]


def test_states_that_come_in_time_are_used() -> None:
    """A budget alone changes nothing, and an answer as usual has no mark."""
    model = replace(VIEWED, serve=Serve(budget="200ms", without_states="defaults"))
    serving, task, _, _ = _served(model, takes=100 * MILLISECOND)
    (answer,) = _ask(task, model)["predictions"]
    assert "degraded" not in answer
    assert serving.fallbacks.causes == []


def test_undeclared_a_store_that_is_late_is_an_error_or_the_prior() -> None:
    """Without ``without_states`` the version does not guess: the fallback answers where there is one."""
    model = replace(VIEWED, serve=Serve(budget="200ms"))
    _, task, _, _ = _served(model, takes=SECOND)
    with pytest.raises(Unavailable):
        _ask(task, model)
    model = replace(model, fallback=0.25)
    serving, task, _, _ = _served(model, takes=SECOND)
    (answer,) = _ask(task, model)["predictions"]
    assert (answer["score"], answer["arm"], answer["degraded"]) == (0.25, "fallback", ["prior"])
    assert serving.fallbacks.causes == [(model.name, "prior", 1)]


def test_the_version_before_answers_for_one_that_cannot_be_loaded() -> None:
    """A damaged champion is answered for by the previous one, a damaged challenger by the champion."""
    model = replace(late_parcel, serve=Serve(last_good=True), fallback=0.25)
    serving = Serving(model)
    good, broken = serving.register(model), serving.register(model, b"no model at all")
    serving.route(good)
    serving.registry.route(model.name, Routing(broken, previous=good, revision=1))
    (answer,) = serving.predict([INSTANCE], Moment(NOW))
    assert (answer["version"], answer["arm"], answer["degraded"]) == (good, "fallback", ["version"])
    serving.registry.route(model.name, Routing(good, challenger=broken, share=1.0, revision=2))
    (answer,) = serving.predict([INSTANCE], Moment(NOW + HOUR))
    assert (answer["version"], answer["arm"], answer["degraded"]) == (good, "fallback", ["version"])
    assert {cause for _, cause, _ in serving.fallbacks.causes} == {"version"}


def test_the_version_before_answers_for_one_that_fails_to_run() -> None:
    """A model that loads and then breaks on its inputs, as one that expects other columns does."""
    model = replace(late_parcel, serve=Serve(last_good=True))
    serving = Serving(model)
    good = serving.register(model)
    broken = serving.register(model, sum_of_numbers(Columns(("one", "two", "three", "four", "five"), ())))
    serving.route(good)
    serving.registry.route(model.name, Routing(broken, previous=good, revision=1))
    (answer,) = serving.predict([INSTANCE], Moment(NOW))
    assert (answer["version"], answer["degraded"]) == (good, ["version"])


def test_tensors_say_what_was_not_as_usual() -> None:
    """A client of the inference protocol reads causes and a lost log row among the parameters of the answer."""
    model = replace(late_parcel, serve=Serve(unlogged=True, limits={"score": (None, 2.0)}))
    serving, task, queue, _ = _served(model)
    queue.is_down = True
    protocol = InferenceProtocol(serving.project, serving.loader, task)
    data = {"parcel_id": ["a", "b"], "depot": ["north"] * 2, "weight": [1.0, 9.0]}
    kinds = {"parcel_id": "BYTES", "depot": "BYTES", "weight": "FP64"}
    tensors = [{"name": n, "shape": [2], "datatype": kinds[n], "data": values} for n, values in data.items()]
    asked = ProtocolRequest({"model": model.name}, json.dumps({"inputs": tensors}).encode(), now=NOW, batch="r")
    answer = protocol.infer(asked).document
    assert answer["parameters"] == {"degraded": ",limits", "logged": False}
    queue.is_down = False
    later = replace(asked, now=NOW + 2 * PAUSE, body=json.dumps({"inputs": tensors}).replace("9.0", "1.5").encode())
    assert "parameters" not in protocol.infer(later).document


def test_without_last_good_the_prior_answers_for_a_damaged_version() -> None:
    """Nothing answers that the definition does not name."""
    model = replace(late_parcel, fallback=0.25)
    serving = Serving(model)
    serving.register(model)
    serving.route(serving.register(model, b"no model at all"))
    (answer,) = serving.predict([INSTANCE], Moment(NOW))
    assert (answer["version"], answer["degraded"]) == (0, ["prior"])


def test_a_routing_that_cannot_be_read_is_the_one_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """However old: marked, and only where it is declared."""

    def fail(model: str, within: Micros | None = None) -> Any:
        raise Unavailable("DynamoDB did not answer")

    for last_good in (True, False):
        model = replace(late_parcel, serve=Serve(last_good=last_good))
        serving, task, _, _ = _served(model)
        _ask(task, model)
        monkeypatch.setattr(serving.registry, "routing", fail)
        document = {"instances": [INSTANCE]}
        later = NOW + HOUR
        if last_good:
            (answer,) = task.predict(model.name, document, Moment(later), later, "r")["predictions"]
            assert (answer["arm"], answer["degraded"]) == ("champion", ["routing"])
        else:
            with pytest.raises(Unavailable):
                task.predict(model.name, document, Moment(later), later, "r")


def test_rows_of_the_log_are_kept_and_sent_later() -> None:
    """While the queue is down the answer says so; the rows arrive with a later request, each once."""
    model = replace(late_parcel, serve=Serve(unlogged=True))
    _, task, queue, _ = _served(model)
    queue.is_down = True
    assert _ask(task, model, parcel_id="a")["logged"] is False
    assert queue.messages == []
    queue.is_down = False
    later = NOW + 2 * PAUSE
    answer = task.predict(model.name, {"instances": [{**INSTANCE, "parcel_id": "b"}]}, Moment(later), later, "s")
    assert "logged" not in answer
    assert [message["columns"]["key"] for message in queue.messages] == [["b"], ["a"]]


def test_a_queue_that_has_just_failed_is_not_waited_for_again() -> None:
    """For a second: a thousand requests must not each wait for a queue that is down."""
    model = replace(late_parcel, serve=Serve(unlogged=True))
    _, task, queue, _ = _served(model)
    queue.is_down = True
    for _ in range(5):
        assert _ask(task, model)["logged"] is False
    assert queue.attempts == 1


def test_undeclared_an_answer_that_cannot_be_logged_is_an_error() -> None:
    """An answer that nobody can account for is not given."""
    _, task, queue, _ = _served(late_parcel)
    queue.is_down = True
    with pytest.raises(Unavailable):
        _ask(task, late_parcel)


def test_what_is_given_up_is_counted() -> None:
    """Memory is bounded: the rows that were kept first are given up first, and told."""
    model, failures, queue = replace(late_parcel, serve=Serve(unlogged=True)), FakeFailureLog(), _Queue()
    serving = Serving(model)
    serving.route(serving.register(model))
    serving.predict([INSTANCE], Moment(NOW))
    queue.is_down = True
    sender = LogSender(queue, failures, most=1_500)
    task = PredictTask(serving.project, serving.online, serving.live, serving.loader, queue, failures, lambda: NOW)
    task.log = sender
    for _ in range(6):
        _ask(task, model)
    assert failures.lost_rows
    assert {rows for _, rows in failures.lost_rows} == {1}
    assert sender._bytes <= 1_500


def test_an_output_beyond_the_limits_is_set_to_the_limit() -> None:
    """The row that was beyond is marked, logged as it was answered, and counted; the others are as they were."""
    model = replace(late_parcel, serve=Serve(limits={"score": (None, 2.0)}))
    serving, task, queue, _ = _served(model)
    instances = [{**INSTANCE, "parcel_id": name, "weight": weight} for name, weight in (("a", 1.0), ("b", 9.0))]
    first, second = task.predict(model.name, {"instances": instances}, Moment(NOW), NOW, "r")["predictions"]
    assert (first["score"], "degraded" in first) == (1.0, False)
    assert (second["score"], second["degraded"]) == (2.0, ["limits"])
    (message,) = queue.messages
    assert (message["columns"]["score"], message["columns"]["degraded"]) == ([1.0, 2.0], [[], ["limits"]])
    assert serving.fallbacks.causes == [(model.name, "limits", 1)]


def test_rows_without_states_can_be_left_out_of_the_log() -> None:
    """The audit must not take them for skew; rows that were degraded otherwise stay."""
    causes: list[list[str] | None] = [["states"], [], ["limits"], ["limits", "states"], None]
    rows = logged_table({}, {"id": list("abcde"), "degraded": causes})
    assert without_cause(rows, "states")["id"].to_pylist() == ["b", "c", "e"]
    assert without_cause(rows.slice(0, 0), "states").num_rows == 0
