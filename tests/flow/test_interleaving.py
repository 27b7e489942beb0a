"""Proves that people's clicks on ordered lists decide between two versions: interleaved, and judged off-policy."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest

from smallbox.define import Exploration
from smallbox.feedback.join import JoinTask
from smallbox.labels.explored import ListEvidence, judge_off_policy
from smallbox.labels.interleaved import credited_rows, interleaved_columns, judge_interleaving
from smallbox.lake.names import labelled_table, records_table
from smallbox.lake.schemas import labelled_schema, records_to_table
from smallbox.monitoring.accuracy import judged
from smallbox.ports import Between
from smallbox.records import Record
from smallbox.release.experiment import ExperimentTask
from smallbox.serving.log import LogTask
from smallbox.table_columns import SETTLES_FROM
from smallbox.times import DAY, HOUR, MINUTE, format_moment
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeMeter
from tests.fakes.kinds import outcomes
from tests.fakes.rankers import RANKED, TRIAL, candidates, rank, two_rankers
from tests.fakes.serving import Serving

SEARCHES, USERS, SHOWN = 600, 150, 4
OBJECTIVE: Final = RANKED.objective
CLICKED: Final = replace(RANKED, label=replace(RANKED.label, otherwise=0))
STARTED: Final = {"action": "start", "kind": "interleaving", "versions": [1, 2], "unit": "depot", "min_days": 1}
BY_USER: Final = replace(TRIAL, unit="depot")


def _search(serving: Serving, searches: range = range(SEARCHES), day: int = 1, joined: int = 4) -> None:
    """Users search; they click on heavy parcels, and less the lower these stand; on a later day labels are joined."""
    random = np.random.default_rng([5, day])
    clicks = []
    for search in searches:
        at = day * DAY + search % SEARCHES * MINUTE
        asked = {"instances": candidates(f"s{search}", depot=f"user {search % USERS}"), "limit": SHOWN}
        shown = rank(serving, asked, at, f"b{search}")["ranking"]
        chances = {one["id"]: 0.2 * int(one["id"].rpartition("-")[2]) / one["position"] for one in shown}
        clicked = [key for key, chance in chances.items() if random.random() < chance]
        clicks += [_click(key, at + HOUR) for key in clicked]
    LogTask(serving.project, serving.lake, FakeCanaryCounters(), FakeMeter()).append(serving.log.take())
    serving.lake.append(records_table(outcomes), records_to_table(outcomes, clicks))
    JoinTask(serving.project, serving.lake, serving.registry, FakeDocuments()).run(
        {"model": serving.model.name, "as_of": format_moment(joined * DAY)}, joined * DAY
    )


def _click(key: str, at: int) -> Record:
    said: dict[str, Any] = {"parcel_id": key, "delivered_at": at, "depot": "d", "delay": 0.0, "late": None, "grade": 1}
    values = {name: said.get(name) for name in outcomes.fields}
    return Record(outcomes.name, key, at, at, at, values)


def _labelled(serving: Serving) -> pa.Table:
    columns = [SETTLES_FROM, *interleaved_columns(OBJECTIVE)]
    between = Between(SETTLES_FROM, 0, 9 * DAY)
    rows = serving.lake.read(
        labelled_table(serving.model.name), columns, between, schema=labelled_schema(serving.model.objective)
    )
    assert rows is not None
    return rows


@pytest.mark.parametrize("pairs", ["all", "competitive"])
def test_the_interleaving_prefers_the_good_ranker(pairs: Any) -> None:
    """Version 1 ranks heavy parcels first, which people click; version 2 ranks them last."""
    serving = two_rankers(CLICKED, BY_USER)
    _search(serving)
    rows = credited_rows(OBJECTIVE, _labelled(serving), "trial", (1, 2))
    assert len(rows) == SEARCHES * SHOWN
    found = judge_interleaving(OBJECTIVE, _labelled(serving), "trial", (1, 2), pairs)
    assert found.sequence.units == USERS, "the unit is the user, not the search"
    assert found.verdict == "worse", found.sentence("version 1", "version 2")
    swapped = judge_interleaving(OBJECTIVE, _labelled(serving), "trial", (2, 1), pairs)
    assert swapped.verdict == "better"
    assert len(credited_rows(OBJECTIVE, _labelled(serving), "another", (1, 2))) == 0


def test_an_interleaving_runs_from_the_start_by_hand_to_the_verdict_that_stops_it() -> None:
    """The better ranker is preferred once the labels of the first days are known; then the champion answers alone."""
    serving, steps = two_rankers(CLICKED), []
    experiments = ExperimentTask(serving.project, serving.lake, serving.registry, serving.live)
    asked: dict[str, Any] = {"model": serving.model.name, "who": "ada", "why": "a new ranker", "as_of": _at(1)}
    experiments.by_hand({**asked, **STARTED}, 9 * DAY)
    for day in (1, 2, 3):
        _search(serving, range(200 * day, 200 * day + 200), day, joined=day + 1)
        told: Any = {"model": serving.model.name, "as_of": _at(day + 1)}
        steps.append(experiments.run(told, 9 * DAY)["experiment"])
    assert [(step["verdict"], step.get("stopped")) for step in steps] == [
        ("wait", False), ("worse", True), ("none", None),
    ]  # fmt: skip
    assert "version 1 is preferred to version 2" in steps[1]["why"]
    assert "units (depot) with a preference" in steps[1]["why"]
    shown = experiments.by_hand({**asked, "action": "show", "as_of": _at(4)}, 9 * DAY)
    assert (shown["state"], [day["verdict"] for day in shown["days"]]) == ("stopped", ["wait", "worse"])
    left = {one["arm"] for one in rank(serving, {"instances": candidates("last")}, 4 * DAY, "last")["ranking"]}
    assert left == {"champion"}


def _at(day: int) -> str:
    return format_moment(day * DAY)


def test_an_interleaved_group_counts_for_no_figure_of_a_version() -> None:
    """It has rows of two versions, in the order of neither; lists of one version count."""
    for serving, rows in ((two_rankers(CLICKED, BY_USER), 0), (two_rankers(CLICKED), SEARCHES * SHOWN)):
        _search(serving)
        settled = judged(serving.model, serving.model.label, serving.lake, (1, 2), 4 * DAY)
        assert len(settled["online"].scored) == rows


def _explored(share: float) -> tuple[Serving, pa.Table]:
    serving = two_rankers(replace(CLICKED, exploration=Exploration(share=share, within=2)))
    _search(serving)
    return serving, _labelled(serving)


def _of(rows: pa.Table, sign: float) -> ListEvidence:
    """What the lists say of a version that orders by the weight, or by its opposite."""
    scores = sign * rows["score"].to_numpy().astype(float)
    return judge_off_policy(OBJECTIVE, rows, scores, within=2)


def test_shuffled_lists_judge_a_version_that_answered_nobody() -> None:
    """The opposite order within each pair of places earns less; the same order gains exactly nothing."""
    _, rows = _explored(0.5)
    opposite, same = _of(rows, -1.0), _of(rows, 1.0)
    assert opposite.lists == SEARCHES
    assert opposite.incomplete == 0
    assert opposite.judged.refused == ()
    assert opposite.judged.gains["dr"].gain.value < 0
    assert same.judged.gains["dr"].gain.value == 0


def test_little_exploration_refuses_to_judge() -> None:
    """One list in five hundred is shuffled: a handful of lists would decide alone."""
    _, rows = _explored(0.002)
    refused = _of(rows, -1.0).judged
    assert refused.gains == {}
    assert "needed" in refused.sentence("the opposite", "version 1")


def test_a_list_that_is_pending_or_shown_in_part_is_left_out() -> None:
    """A block of which a row is missing is counted; a list with an open attribution window says nothing yet."""
    _, rows = _explored(0.5)
    first = [key == "s0-5" for key in rows["key"].to_pylist()]
    part = rows.filter(pa.array([not one for one in first]))
    assert _of(part, 1.0).incomplete == 1
    status = pa.array(["pending" if one else "labelled" for one in first])
    waiting = rows.set_column(rows.column_names.index("status"), "status", status)
    assert _of(waiting, 1.0).lists == SEARCHES - 1
