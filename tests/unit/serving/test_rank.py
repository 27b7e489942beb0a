"""Proves what an ordered list answers, what it logs, and what becomes of it during an interleaving."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.console.openapi import openapi
from smallbox.define import Exploration, Serve
from smallbox.define.project import project_of
from smallbox.errors import InvalidInput, MalformedBody
from smallbox.registry.assignment import arm_of
from smallbox.registry.routing import Routing, start_experiment
from smallbox.table_columns import RANKED_COLUMNS
from smallbox.times import HOUR, Moment
from tests.fakes.described import closed, faults
from tests.fakes.kinds import outcomes
from tests.fakes.rankers import RANKED, TRIAL, candidates, rank, two_rankers
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel


def _logged(serving: Serving) -> list[dict[str, Any]]:
    rows = []
    for message in serving.log.take():
        names = message["columns"]
        rows += [dict(zip(names, values, strict=True)) for values in zip(*names.values(), strict=True)]
    return rows


def test_the_best_candidate_stands_first_and_only_shown_rows_are_logged() -> None:
    """The second page has the next positions, with the same ids as in the whole list; the log has no other row."""
    serving = two_rankers()
    answer = rank(serving, {"instances": candidates("s"), "offset": 2, "limit": 3})
    assert answer["candidates"] == 6
    assert [(one["position"], one["id"], one["score"]) for one in answer["ranking"]] == [
        (3, "s-3", 3.0), (4, "s-2", 2.0), (5, "s-1", 1.0),
    ]  # fmt: skip
    rows = _logged(serving)
    assert {row["id"]: row["list_position"] for row in rows} == {"r-3": 3, "r-2": 4, "r-1": 5}
    assert [one["prediction_id"] for one in answer["ranking"]] == ["r-3", "r-2", "r-1"]
    assert {(row["propensity"], row["randomised"], row["interleaving"], row["other_rank"]) for row in rows} == {
        (1.0, False, None, None)
    }


def test_both_versions_of_an_interleaving_put_rows_into_one_list() -> None:
    """Each row names the version that put it there, its rank by either, and the score of its own version."""
    serving = two_rankers(experiment=TRIAL)
    answer = rank(serving, {"instances": candidates("s"), "limit": 4})
    versions = [one["version"] for one in answer["ranking"]]
    assert sorted(versions[:2]) == sorted(versions[2:]) == [1, 2]
    assert all(one["arm"] == "experiment" for one in answer["ranking"])
    assert all((one["score"] >= 0) == (one["version"] == 1) for one in answer["ranking"] if one["score"])
    rows = sorted(_logged(serving), key=lambda row: row["list_position"])
    assert [row["version"] for row in rows] == versions
    assert {(row["interleaving"], row["assigned_unit"], row["propensity"]) for row in rows} == {("trial", "s", 0.5)}
    assert all(row["own_rank"] + row["other_rank"] == 7 for row in rows), "the rankings are opposite"


def test_a_balanced_experiment_walks_both_rankings_in_step() -> None:
    """Best and worst of the opposite rankings alternate; one coin decides who leads the whole list."""
    serving = two_rankers(experiment=replace(TRIAL, merge="balanced"))
    begins = set()
    for n in range(9):
        ids = [one["id"].rpartition("-")[2] for one in rank(serving, {"instances": candidates(f"s{n}")})["ranking"]]
        assert ids in (["5", "0", "4", "1", "3", "2"], ["0", "5", "1", "4", "2", "3"])
        begins.add(ids[0])
    assert begins == {"5", "0"}


def test_a_list_is_the_same_when_it_is_asked_for_again() -> None:
    """The whole list begins with its first page; another search has other coins."""
    serving = two_rankers(experiment=TRIAL)
    whole = rank(serving, {"instances": candidates("s")})["ranking"]
    pages = [
        rank(serving, {"instances": candidates("s"), "offset": at, "limit": 2})["ranking"] for at in range(0, 6, 2)
    ]
    assert [one for page in pages for one in page] == whole
    begins = {rank(serving, {"instances": candidates(f"s{n}"), "limit": 1})["ranking"][0]["version"] for n in range(9)}
    assert begins == {1, 2}


def test_during_an_interleaving_the_champion_answers_what_is_not_ranked() -> None:
    """A plain prediction has no list to take part in; units beyond the weights see the champion's list."""
    small = replace(TRIAL, weights=((1, 0.0), (2, 0.0)))
    for experiment in (TRIAL, small):
        assert arm_of(start_experiment(Routing(1), experiment, 0), "s") == ("champion", 1)
    serving = two_rankers(experiment=small)
    assert {one["arm"] for one in rank(serving, {"instances": candidates("s")})["ranking"]} == {"champion"}


def test_where_one_version_cannot_answer_the_other_ranks_alone() -> None:
    """The list then counts for no experiment."""
    model = replace(RANKED, serve=Serve(last_good=True))
    serving = two_rankers(model, replace(TRIAL, weights=((1, 0.5), (3, 0.5))))
    answer = rank(serving, {"instances": candidates("s")})
    assert [one["version"] for one in answer["ranking"]] == [1] * 6
    assert {row["interleaving"] for row in _logged(serving)} == {None}


def test_an_explored_list_is_logged_with_its_chances() -> None:
    """All groups are shuffled here, in blocks of two: each place has either row with one half."""
    serving = two_rankers(replace(RANKED, exploration=Exploration(share=1.0, within=2)))
    answer = rank(serving, {"instances": candidates("s")})
    assert [{one["id"] for one in answer["ranking"][at : at + 2]} for at in (0, 2, 4)] == [
        {"s-5", "s-4"}, {"s-3", "s-2"}, {"s-1", "s-0"},
    ]  # fmt: skip
    assert {(row["propensity"], row["randomised"]) for row in _logged(serving)} == {(0.5, True)}


@pytest.mark.parametrize(
    ("document", "error", "match"),
    [
        ({"instances": [*candidates("a"), *candidates("b")]}, InvalidInput, "one group"),
        ({"instances": [{"parcel_id": "p", "weight": 1.0}]}, InvalidInput, "one group"),
        ({"instances": candidates("a"), "limit": 0}, MalformedBody, "limit is 0"),
        ({"instances": candidates("a"), "offset": True}, MalformedBody, "offset is True"),
        ({"instances": []}, MalformedBody, "instances"),
    ],
)
def test_what_is_no_question_for_a_list_is_refused(document: Any, error: type[InvalidInput], match: str) -> None:
    """Candidates of two groups, of none, and pages that are none."""
    with pytest.raises(error, match=match):
        rank(two_rankers(), document)


def test_a_model_that_ranks_nothing_says_so() -> None:
    """The error names the route that answers instead."""
    serving = Serving(late_parcel)
    with pytest.raises(InvalidInput, match=r"does not rank.*/models/late_parcel/predict"):
        rank(serving, {"instances": [{"parcel_id": "p"}]})


def test_a_list_is_as_described() -> None:
    """Request and answer of the route fit the description of the API, which only rankings have."""
    document = closed(openapi(project_of([RANKED], [outcomes])))
    operation = document["paths"]["/models/late_parcel/rank"]["post"]
    asked = {"instances": candidates("s"), "offset": 0, "limit": 2}
    answered = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert faults(document, operation["requestBody"]["content"]["application/json"]["schema"], asked) == []
    for experiment in (None, TRIAL):
        assert faults(document, answered, rank(two_rankers(experiment=experiment), asked)) == []
    assert "/models/late_parcel/rank" not in openapi(project_of([late_parcel]))["paths"]


def test_a_prediction_logs_no_list() -> None:
    """A plain prediction of a ranking has no columns of a list, which are null then."""
    serving = two_rankers()
    serving.predict(candidates("s"), Moment(HOUR))
    assert not {*RANKED_COLUMNS} & {*serving.log.messages[0]["columns"]}
