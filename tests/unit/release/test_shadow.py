"""Proves what a shadow stores of a day: the candidate's answers to the champion's requests, and both losses."""

from dataclasses import replace

import numpy as np
import pytest

from smallbox.labels.stored import LabelFigures
from smallbox.lake.predictions import PredictionLog
from smallbox.ports import Between
from smallbox.release.shadow import DAYS_AT_ONCE
from smallbox.release.shadow_days import merged_slices, paired_of
from smallbox.times import DAY
from tests.fakes.small import late_parcel
from tests.unit.release.shadowed import A_DAY, BAD, GOOD, PLAIN, Shadowed


def _losses(shadowed: Shadowed, slope: float, day: int) -> float:
    """The mean log loss of the logistic function on the rows of a day, computed from their weights and labels."""
    between = Between("time", day * DAY, (day + 1) * DAY)
    rows = PredictionLog(shadowed.serving.lake).read(PLAIN.name, between)
    labelled = shadowed.serving.lake.read(f"labelled/{PLAIN.name}", ["id", "label"], between)
    assert labelled is not None
    label = dict(zip(labelled["id"].to_pylist(), labelled["label"].to_pylist(), strict=True))
    chance = 1 / (1 + np.exp(-slope * rows["weight"].to_numpy()))
    truth = np.array([label[one] for one in rows["id"].to_pylist()], bool)
    return float(-np.log(np.where(truth, chance, 1 - chance)).mean())


def test_both_versions_are_judged_on_the_same_rows() -> None:
    """The stored losses are those of both models on every labelled row, and the candidate answered nobody."""
    shadowed = Shadowed(GOOD)
    shadowed.ask(0)
    shadowed.learn(0)
    assert shadowed.close(2 * DAY) == {"version": 2, "scored": 2, "settled": 1, "why": ""}
    (day,) = [one for one in paired_of(shadowed.days) if one.rows]
    assert (day.day, day.rows) == (0, A_DAY)
    assert day.champion / day.rows == pytest.approx(_losses(shadowed, 1.0, 0), rel=1e-5)
    assert day.candidate / day.rows == pytest.approx(_losses(shadowed, GOOD, 0), rel=1e-5)
    answered = PredictionLog(shadowed.serving.lake).read(PLAIN.name, Between("time", 0, DAY))
    assert set(answered["version"].to_pylist()) == {1}


def test_a_day_is_shown_before_its_labels_and_settled_when_its_windows_are_over() -> None:
    """The answers are compared once the day has ended; its losses only when every attribution window is over."""
    shadowed = Shadowed(BAD)
    shadowed.ask(0)
    assert shadowed.close(DAY)["scored"] == 1
    (day,) = shadowed.days
    assert (day["asked"]["rows"], day["settled"]) == (A_DAY, None)
    assert day["asked"]["outputs"]["score"]["correlation"] < -0.9, "the bad one turns the champion around"
    shadowed.learn(0)
    assert shadowed.close(2 * DAY - 1)["settled"] == 0
    assert shadowed.close(2 * DAY)["settled"] == 1
    assert shadowed.close(2 * DAY) == {"version": 2, "scored": 0, "settled": 0, "why": ""}, "and only once"


def test_it_begins_with_what_was_logged_since_the_training() -> None:
    """Rows that the candidate may have been trained on do not count; those since are scored in one run."""
    shadowed = Shadowed()
    version = shadowed.serving.registry.get(PLAIN.name, 2)
    assert version.as_of.startswith("1970-01-01")
    for day in range(3):
        shadowed.ask(day)
        shadowed.learn(day)
    late = replace(version, as_of="1970-01-02T00:00:00+00:00")
    shadowed.serving.registry._documents.put(f"model#{PLAIN.name}", "version#000002", late.as_json())
    shadowed.close(5 * DAY)
    assert [one.day for one in paired_of(shadowed.days) if one.rows] == [1, 2]


def test_a_long_pause_is_made_up_in_runs_of_bounded_size() -> None:
    """A candidate that waited for two months is not scored in one run that times out."""
    shadowed = Shadowed()
    assert shadowed.close(2 * DAYS_AT_ONCE * DAY)["scored"] == DAYS_AT_ONCE
    assert shadowed.close(2 * DAYS_AT_ONCE * DAY)["scored"] == DAYS_AT_ONCE
    assert shadowed.close(2 * DAYS_AT_ONCE * DAY)["scored"] == 0


def test_of_many_rows_a_sample_is_scored() -> None:
    """A share of the keys, the same ones in every run, and nothing else."""
    model = replace(PLAIN, release=replace(PLAIN.release, shadow=replace(PLAIN.release.shadow, max_rows=50)))  # type: ignore[type-var]
    counts = []
    for _ in range(2):
        shadowed = Shadowed(model=model)
        shadowed.ask(0)
        shadowed.close(DAY)
        counts.append(shadowed.days[0]["asked"]["rows"])
    assert counts[0] == counts[1]
    assert 25 < counts[0] < 80


def test_another_champion_is_another_question() -> None:
    """After a rollback the days are compared again, with the version that is champion now."""
    shadowed = Shadowed()
    shadowed.ask(0)
    shadowed.close(DAY)
    model = shadowed.model.name
    third = shadowed.serving.register(PLAIN)
    routing = shadowed.serving.registry.routing(model)
    assert routing is not None
    shadowed.serving.registry.route(model, replace(routing, champion=third))
    assert shadowed.close(DAY)["scored"] == 1
    assert [(day["champion"], day["asked"]["rows"]) for day in shadowed.days] == [(third, 0)]


def test_a_candidate_with_other_inputs_gets_them_as_of_each_request() -> None:
    """Its stored feature is computed from the lake; the fields that the log lacks come from the record of the key."""
    candidate = late_parcel
    shadowed = Shadowed(GOOD, model=replace(PLAIN, inputs=("weight",)), candidate=candidate)
    shadowed.ask(0)
    assert shadowed.close(DAY)["why"] == ""
    (day,) = shadowed.days
    assert day["asked"]["lost"] == A_DAY, "the depot is neither in the log nor in a record"


def test_a_candidate_that_cannot_be_loaded_is_told() -> None:
    """The reason is in the day's document, and the daily run goes on."""
    shadowed = Shadowed()
    shadowed.ask(0)
    version = shadowed.serving.registry.get(PLAIN.name, 2)
    shadowed.serving.blobs.put(version.onnx_key, b"damaged")
    assert "checksum" in shadowed.close(DAY)["why"]
    assert shadowed.days == []


def test_slices_add_up_over_days() -> None:
    """The frequent texts of an input, with the rows and the losses of all days; the worst for the candidate first."""
    shadowed = Shadowed(BAD)
    for day in range(2):
        shadowed.ask(day)
        shadowed.learn(day)
    shadowed.close(3 * DAY)
    slices = merged_slices(shadowed.days)
    assert {one["slice"] for one in slices} == {"depot=d0", "depot=d1", "depot=d2"}
    assert sum(one["rows"] for one in slices) == 2 * A_DAY
    worse = [one["candidate_loss"] - one["champion_loss"] for one in slices]
    assert worse == sorted(worse, reverse=True)


def test_no_day_is_settled_behind_an_open_breaker() -> None:
    """Labels that stalled or say something else are no evidence; the day is settled once they can be believed."""
    shadowed = Shadowed()
    shadowed.ask(0)
    shadowed.learn(0)
    figures = LabelFigures(shadowed.metrics, PLAIN.name)
    figures.set_breaker({"day": "1970-01-02", "open": True, "why": "labels stalled", "trips": []})
    assert shadowed.close(2 * DAY) == {"version": 2, "scored": 2, "settled": 0, "why": ""}
    figures.set_breaker({"day": "1970-01-03", "open": False, "why": "", "trips": []})
    assert shadowed.close(3 * DAY)["settled"] == 2
    assert sum(one.rows for one in paired_of(shadowed.days)) == A_DAY
