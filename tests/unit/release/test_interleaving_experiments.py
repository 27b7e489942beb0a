"""Proves that an interleaving is started, looked at and stopped like any experiment, and that it ends on a verdict."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Interleaving, Ranking
from smallbox.errors import Conflict, DefinitionError, InvalidInput, NotFound, Unavailable
from smallbox.registry.routing import RunningExperiment
from smallbox.registry.store import Registry
from smallbox.release.interleaving_look import shown_in
from smallbox.times import DAY
from tests.fakes.rankers import RANKED, two_rankers
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel
from tests.unit.release.interleavings import ASKED, NAME, also, ask, looked, show_lists, started


def _running(serving: Serving) -> RunningExperiment | None:
    routing = serving.registry.routing(NAME)
    assert routing is not None
    return routing.experiment


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"versions": [1]}, "at least two versions"),
        ({"versions": [1, 2, 3]}, "exactly two versions, not 3"),
        ({"outcome": "outcomes.grade"}, "an interleaving has no outcome"),
        ({"guardrails": ["outcomes.grade"], "within": "1d"}, "has no within, guardrails"),
        ({"unit": "nobody"}, "'nobody' is no field of the request"),
        ({"unit": "weight"}, "must be a text or a whole number that is not personal"),
        ({"merge": "shuffled"}, "merge='shuffled' must be one of team_draft, balanced"),
        ({"merge": "balanced", "pairs": "competitive"}, "a balanced list has no rounds"),
        ({"kind": "bandit"}, "--kind bandit is none of ab, interleaving"),
        ({"kind": "ab", "merge": "balanced"}, "--merge is of an interleaving"),
        ({"kind": "ab", "pairs": "competitive"}, "--pairs is of an interleaving"),
        ({"min_days": 9, "max_days": 8}, "min_days=9 must be at least 1, and at most max_days=8"),
        ({"confidence": 0.4}, "confidence=0.4 must lie between 0.5 and 1"),
        ({"why": " "}, "say who changes the experiment and why"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(asked: dict[str, Any], why: str) -> None:
    """And nothing is written: no routing, no record, no history."""
    serving = two_rankers()
    with pytest.raises((InvalidInput, DefinitionError), match=why):
        ask(serving, "start", **{**ASKED, "why": "newer", **asked})
    assert (_running(serving), serving.registry.experiments(NAME), serving.registry.history(NAME)) == (None, [], [])


def test_only_a_ranking_can_be_interleaved() -> None:
    """The reason names the other kind of experiment; a plan is refused as well, of a ranking too."""
    scores = Serving(late_parcel)
    scores.route(scores.register(late_parcel))
    for action in ("start", "plan"):
        with pytest.raises(InvalidInput, match=r"does not rank: its label has no Ranking objective.*--kind ab"):
            ask(scores, action, **{**ASKED, "why": "newer"})
    with pytest.raises(InvalidInput, match="an interleaving has no plan"):
        ask(two_rankers(), "plan", **ASKED)


def test_versions_that_cannot_make_one_list_are_refused() -> None:
    """One that is not there, and one of another label: a click is not the same credit for both."""
    serving = two_rankers()
    with pytest.raises(NotFound):
        ask(serving, "start", **{**ASKED, "versions": [1, 9], "why": "newer"})
    other = also(serving, replace(RANKED, label=replace(RANKED.label, objective=Ranking("search", at=3))))
    with pytest.raises(InvalidInput, match="versions 1 and 3 do not both rank by the label"):
        ask(serving, "start", **{**ASKED, "versions": [1, other], "why": "newer"})


def test_a_start_is_kept_and_told() -> None:
    """Routing, record and history say the same; a second experiment waits for the end of this one."""
    serving = started(merge="balanced", weights=[0.2, 0.2])
    running = RunningExperiment("trial", "interleaving", ((1, 0.2), (2, 0.2)), "depot", DAY, "balanced")
    assert _running(serving) == running
    shown = ask(serving, "show", 2 * DAY)
    assert (shown["kind"], shown["merge"], shown["who"], shown["why"]) == ("interleaving", "balanced", "ada", "newer")
    assert shown["rules"] == asdict(Interleaving(unit="depot", merge="balanced"))
    (told,) = serving.registry.history(NAME)
    assert (told["event"], told["experiment"], told["kind"]) == ("experiment_started", "trial", "interleaving")
    with pytest.raises(Conflict, match="the experiment trial runs; stop it before other starts"):
        ask(serving, "start", **{**ASKED, "name": "other", "why": "newer"})


@pytest.mark.parametrize(("second", "first", "verdict", "says"), [(55, 5, "better", "2 is"), (5, 55, "worse", "1 is")])
def test_a_verdict_stops_it_after_the_shortest_duration(second: int, first: int, verdict: str, says: str) -> None:
    """Not before, however clear it is; each look is kept with its sequence; the winner is not promoted."""
    serving = started(min_days=3)
    show_lists(serving, 1, second, first)
    steps = [looked(serving, day) for day in (2, 3, 4, 5)]
    assert [step["verdict"] for step in steps] == ["wait", "wait", verdict, "none"]
    assert f"version {says} preferred to version" in steps[2]["why"]
    shown = ask(serving, "show", 5 * DAY)
    assert (shown["state"], shown["stopped"]["who"]) == ("stopped", "smallbox")
    assert [day["preference"]["units"] for day in shown["days"]] == [60, 60, 60]
    assert shown["result"]["prefer"] == {"1": first, "2": second}
    routing = serving.registry.routing(NAME)
    assert routing is not None
    assert (routing.experiment, routing.champion) == (None, 1)
    assert [one["event"] for one in serving.registry.history(NAME)] == ["experiment_started", "experiment_stopped"]


def test_without_a_verdict_it_stops_at_max_days_and_says_what_it_would_have_taken() -> None:
    """It cannot tell, which is an answer: with the units, and the days at this traffic."""
    serving = started(min_days=1, max_days=3)
    show_lists(serving, 1, 22, 18)
    steps = [looked(serving, day) for day in (2, 3, 4)]
    assert [(step["verdict"], step["stopped"]) for step in steps] == [
        ("wait", False), ("wait", False), ("cannot_tell", True),
    ]  # fmt: skip
    assert "22 of 40 units (depot) with a preference prefer version 2" in steps[-1]["why"]
    assert "+0.100 found takes" in steps[-1]["why"]
    assert "there are 40" in steps[-1]["why"]
    assert ask(serving, "show", 5 * DAY)["stopped"]["why"].startswith("it has run for max_days=3: cannot tell")


def test_who_stops_it_early_is_told_that_it_cannot_tell() -> None:
    """Even without any label; its name is then used up, and a second stop has nothing to stop."""
    serving = started()
    stopped = ask(serving, "stop", 2 * DAY, why="no traffic")
    assert (stopped["state"], stopped["result"]["verdict"]) == ("stopped", "cannot_tell")
    assert "0 units (depot) with labels say nothing" in stopped["result"]["sentence"]
    with pytest.raises(Conflict, match="was stopped already"):
        ask(serving, "stop", 2 * DAY, why="again")
    with pytest.raises(Conflict, match="give this one another --name"):
        ask(serving, "start", 2 * DAY, **ASKED, why="again")


def test_only_settled_lists_of_this_experiment_since_its_start_count() -> None:
    """Not those of a name that was used before it, those that are pending, or those of another experiment."""
    serving = started(min_days=1)
    show_lists(serving, 0, 40, 0)
    show_lists(serving, 1, 40, 0, status="pending")
    show_lists(serving, 2, 40, 0, name="another")
    assert looked(serving, 4)["verdict"] == "wait"
    show_lists(serving, 3, 40, 0)
    assert looked(serving, 4)["verdict"] == "better"
    assert ask(serving, "show", 4 * DAY)["days"][-1]["preference"]["units"] == 40


@pytest.mark.parametrize("by_hand", [True, False])
def test_rows_that_no_look_can_hold_do_not_hinder_the_stop(monkeypatch: pytest.MonkeyPatch, *, by_hand: bool) -> None:
    """The day goes on with the reason; a person stops it, or max_days does, with the last result."""
    monkeypatch.setattr(shown_in, "__defaults__", (99,))
    serving = started(min_days=1, max_days=7)
    show_lists(serving, 1, 20, 20)
    assert looked(serving, 2)["verdict"] == "wait"
    show_lists(serving, 2, 20, 20)
    step = looked(serving, 3)
    assert step["verdict"] == "cannot_tell"
    assert ("more than 99 shown rows" in step["why"], step["stopped"]) == (True, False)
    if by_hand:
        ask(serving, "stop", 3 * DAY, why="too many")
    else:
        assert looked(serving, 8)["stopped"]
    stopped = ask(serving, "show", 9 * DAY)
    assert (stopped["state"], stopped["result"]["preference"]["units"]) == ("stopped", 40)
    assert _running(serving) is None


def test_real_tables_give_the_same(tmp_path: Path) -> None:
    """A look over a Delta table on disk says what one over a table in memory says."""
    in_memory, on_disk = started(min_days=2), started(min_days=2)
    on_disk.lake = DeltaLake(str(tmp_path), options={})  # type: ignore[assignment]
    for serving in (in_memory, on_disk):
        assert looked(serving, 2)["verdict"] == "wait", "there is no table yet"
        for day in (1, 2):
            show_lists(serving, day, 30, 3)
    assert looked(in_memory, 3) == looked(on_disk, 3)
    assert ask(on_disk, "show", 3 * DAY)["days"] == ask(in_memory, "show", 3 * DAY)["days"]
    assert ask(on_disk, "show", 3 * DAY)["result"]["verdict"] == "better"


@pytest.mark.parametrize("write", ["route", "keep_experiment"])
def test_a_crash_within_a_start_is_repaired_by_starting_again(monkeypatch: pytest.MonkeyPatch, write: str) -> None:
    """The same start ends whole: one experiment, told once."""
    serving = two_rankers()
    with monkeypatch.context() as patch:
        patch.setattr(Registry, write, _crash)
        with pytest.raises(Unavailable):
            ask(serving, "start", **ASKED, why="newer")
    ask(serving, "start", **ASKED, why="newer")
    assert _running(serving) is not None
    assert [one["event"] for one in serving.registry.history(NAME)] == ["experiment_started"]


def test_a_crash_within_a_day_that_stops_it_is_repaired_by_the_same_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The routing is changed, and the record still says that it runs; the day that is run again ends the record."""
    serving = started(min_days=1)
    show_lists(serving, 1, 55, 5)
    keep, written = Registry.keep_experiment, []

    def second_fails(registry: Registry, *said: Any) -> None:
        written.append(said)
        _crash() if len(written) == 2 else keep(registry, *said)

    monkeypatch.setattr(Registry, "keep_experiment", second_fails)
    with pytest.raises(Unavailable):
        looked(serving, 3)
    assert _running(serving) is None
    assert serving.registry.experiments(NAME)[0]["state"] == "running"
    again = looked(serving, 3)
    assert (again["verdict"], again["stopped"]) == ("better", True)
    assert serving.registry.experiments(NAME)[0]["state"] == "stopped"
    assert [one["event"] for one in serving.registry.history(NAME)] == ["experiment_started", "experiment_stopped"]
    assert looked(serving, 4)["verdict"] == "none"


def _crash(*_: Any) -> None:
    raise Unavailable("the table did not answer")
