"""Proves what a process remembers between requests, for how long, and that nobody who objects gets it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define import Serve
from smallbox.define.model import Model
from smallbox.registry.routing import Routing
from smallbox.times import HOUR, SECOND, Micros, Moment
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel

NOW: Final[Micros] = 100 * HOUR
INSTANCE: Final = {"parcel_id": "p", "depot": "north", "weight": 2.5}
MINUTELY: Final = replace(late_parcel, serve=Serve(answers_for="60s"))


def _serving(model: Model) -> Serving:
    serving = Serving(model)
    serving.route(serving.register(model))
    return serving


def _ask(
    serving: Serving, at: Micros, *instances: Any, is_replayed: bool = False, fresh: bool = False
) -> Sequence[Any]:
    document, moment = {"instances": list(instances) or [INSTANCE]}, Moment(at, is_replayed)
    answers: Sequence[Any] = serving.predictor.predict(serving.model.name, document, moment, at, f"r{at}", fresh=fresh)[
        "predictions"
    ]
    return answers


def _promote(serving: Serving) -> None:
    number = serving.register(serving.model)
    serving.registry.route(serving.model.name, Routing(number, revision=1))


@pytest.mark.parametrize(("age", "version"), [(SECOND - 1, 1), (SECOND, 2)])
def test_a_promotion_reaches_a_process_within_a_second(age: Micros, version: int) -> None:
    """The routing that was read is used until it is a second old, the default, and no longer."""
    serving = _serving(late_parcel)
    _ask(serving, NOW)
    _promote(serving)
    assert _ask(serving, NOW + age)[0]["version"] == version


@pytest.mark.parametrize("how", ["is_replayed", "fresh"])
def test_who_asks_for_the_present_gets_it(how: str) -> None:
    """Neither a replay nor a request with ``no-cache`` gets a remembered routing or answer."""
    serving = _serving(MINUTELY)
    _ask(serving, NOW)
    _promote(serving)
    (answer,) = _ask(serving, NOW + 1, **{how: True})
    assert (answer["version"], "remembered" in answer) == (2, False)


def test_an_equal_request_gets_the_remembered_answer() -> None:
    """With its mark and an id of its own in the log, where its inputs keep the moment that they are of."""
    serving = _serving(MINUTELY)
    _ask(serving, NOW)
    (answer,) = _ask(serving, NOW + 30 * SECOND)
    assert (answer["score"], answer["remembered"]) == (2.5, True)
    first, second = (message["columns"] for message in serving.log.messages)
    assert (first["id"], second["id"]) != (second["id"], first["id"])
    assert (second["time"], second["served_at"]) == ([NOW], [NOW + 30 * SECOND])
    assert second["score"] == first["score"]
    found = serving.predictor.answering.answers
    assert (found.asked, found.remembered) == (2, 1)


@pytest.mark.parametrize(
    ("model", "later", "instances"),
    [
        (MINUTELY, 60 * SECOND, [INSTANCE]),
        (MINUTELY, SECOND, [{**INSTANCE, "weight": 3.0}]),
        (MINUTELY, SECOND, [INSTANCE, INSTANCE]),
        (late_parcel, SECOND, [INSTANCE]),
        (replace(MINUTELY, fallback=0.5), SECOND, [{**INSTANCE, "parcel_id": "q"}]),
    ],
    ids=["too old", "other values", "two instances", "not declared", "another key"],
)
def test_another_request_is_computed(model: Model, later: Micros, instances: list[Any]) -> None:
    """What is too old, differs, has several instances, or belongs to a model that declares nothing."""
    serving = _serving(model)
    _ask(serving, NOW)
    assert not any("remembered" in answer for answer in _ask(serving, NOW + later, *instances))


def test_another_version_does_not_give_the_answer_of_the_first() -> None:
    """A promotion reaches remembered answers as soon as it reaches the routing."""
    serving = _serving(MINUTELY)
    _ask(serving, NOW)
    _promote(serving)
    (answer,) = _ask(serving, NOW + 2 * SECOND)
    assert (answer["version"], "remembered" in answer) == (2, False)


def test_an_answer_that_was_degraded_is_not_remembered() -> None:
    """Else a short fault would last as long as the memory."""
    serving = _serving(replace(MINUTELY, serve=Serve(answers_for="60s", limits={"score": (None, 1.0)})))
    assert _ask(serving, NOW)[0]["degraded"] == ["limits"]
    assert "remembered" not in _ask(serving, NOW + SECOND)[0]
