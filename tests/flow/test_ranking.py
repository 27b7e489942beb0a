"""Proves that a ranking goes round the loop: the products of a search, in the order in which they are clicked."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from smallbox.define import (
    Canary,
    FeatureView,
    Gate,
    Model,
    Monitor,
    Ranking,
    Release,
    Retrain,
    Shadow,
    Source,
    count,
    floor,
    integer,
    label,
    number,
    text,
    timestamp,
    total,
)
from smallbox.documents.daily_run import DayDocument, ReviewStep
from smallbox.times import DAY, HOUR, format_moment
from tests.flow.rounds import BEGIN, HISTORY_DAYS, START, Round, moments, regressor

DAYS, SEARCHES, SHOWN, PRODUCTS = HISTORY_DAYS + 11, 60, 5, 40

shown = Source(
    "shown",
    key="shown_id",
    time="shown_at",
    fields={
        "shown_id": text(),
        "shown_at": timestamp(),
        "search_id": text(),
        "product": text(),
        "price": number(minimum=0),
        "position": integer(minimum=1),
    },
    known_after="0s",
)
clicks = Source(
    "clicks",
    key="shown_id",
    time="clicked_at",
    fields={"shown_id": text(), "clicked_at": timestamp(), "product": text(), "grade": integer(minimum=0, maximum=2)},
    known_after="0s",
)
product = FeatureView(
    "product",
    entity="product",
    source=clicks,
    features={"product_clicks_7d": count("7d"), "product_grades_7d": total("grade", "7d", default=0.0)},
)
search_rank = Model(
    "search_rank",
    request=shown,
    inputs=("price", "position"),
    views=(product,),
    label=label(clicks, on="shown_id", value="grade", within="6h", otherwise=0, objective=Ranking("search_id", at=3)),
    estimator=regressor,
    gate=Gate(guardrails=(floor("ndcg", 0.6), floor("pairs_in_order", 0.6)), max_loss_increase=0.1),
    release=Release(shadow=Shadow(max_loss_increase=0.5, max_days=6), canary=Canary(steps=("50% for 1d",))),
    monitor=Monitor(min_rows=50, max_lead="6h"),
    retrain=Retrain(window="18d", validation="5d"),
    fallback=0.0,
)


def searches() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Products shown for searches, and the clicks: 1 for a click, 2 for a sale. Cheap, good and early ones get them."""
    random = np.random.default_rng(3)
    groups = DAYS * SEARCHES
    rows = groups * SHOWN
    quality, at = random.normal(size=PRODUCTS), BEGIN + np.arange(groups) * DAY // SEARCHES
    chosen = np.concatenate([random.choice(PRODUCTS, SHOWN, replace=False) for _ in range(groups)])
    price, position = random.uniform(1, 9, rows).round(2), np.tile(np.arange(SHOWN) + 1, groups)
    liked = 2 * quality[chosen] - 0.4 * price - 0.3 * position + 2.5 * random.normal(size=rows) + 1
    grade = np.where(liked > 2, 2, np.where(liked > 0, 1, 0))
    ids, names, times = [f"s{n}" for n in range(rows)], [f"p{n}" for n in chosen], np.repeat(at, SHOWN)
    asked = {"shown_id": ids, "shown_at": moments(times), "search_id": [f"q{n // SHOWN}" for n in range(rows)]}
    sent = pd.DataFrame({**asked, "product": names, "price": price, "position": position, "at": times})
    later = times + HOUR
    happened = {"shown_id": ids, "clicked_at": moments(later), "product": names, "grade": grade, "at": later}
    return sent, pd.DataFrame(happened)[grade > 0]


@pytest.fixture(scope="module")
def ranked() -> Round:
    """History, and nothing trained yet."""
    return Round(search_rank, clicks, *searches())


@pytest.fixture(scope="module")
def first(ranked: Round) -> Any:
    """The first training run."""
    return ranked.train()


@pytest.fixture(scope="module")
def days(ranked: Round, first: Any) -> list[DayDocument]:
    """Two live days under the first version."""
    return [ranked.day() for _ in range(2)]


@pytest.fixture(scope="module")
def reviews(ranked: Round, days: list[DayDocument]) -> list[ReviewStep]:
    """A second version, and what the review says of it each day until its release ends."""
    second = ranked.train()
    assert second["accepted"], second["verdict"]["why"]
    found = [ranked.world.close_day("search_rank", ranked.now)["release"]]
    while found[-1]["action"] in {"start", "step", "wait"}:
        found.append(ranked.day()["release"])
    return found


def test_the_gate_compares_the_pairwise_loss_with_that_of_no_order(first: Any) -> None:
    """Equal scores cost log 2 in every group; the candidate is significantly below, on groups, and serves."""
    assert first["accepted"], first["verdict"]["why"]
    assert first["baseline"]["loss"] == pytest.approx(math.log(2))
    assert first["baseline"]["difference"]["high"] < -0.2
    assert set(first["metrics"]["figures"]) == {"ndcg", "pairs_in_order"}
    rows, groups = first["metrics"]["rows"], first["metrics"]["rarer_rows"]
    assert rows == 5 * SEARCHES * SHOWN
    assert rows / SHOWN * 0.7 < groups <= rows / SHOWN, "what is judged are groups whose grades differ"
    assert first["routing"]["champion"] == 1


def test_history_by_product_is_read(ranked: Round, first: Any) -> None:
    """A product with past clicks is ranked before one without, at the same price and place."""
    counts = ranked.outcomes["product"][ranked.outcomes["at"] < START].value_counts()
    asked = [
        {
            "shown_id": name,
            "shown_at": format_moment(START),
            "search_id": "q",
            "product": name,
            "price": 5.0,
            "position": 2,
        }
        for name in (counts.index[0], "never clicked")
    ]
    best, unknown = ranked.ask(asked)
    assert best["score"] > unknown["score"]


def test_a_search_is_ranked_alike_by_every_way_of_asking(ranked: Round, days: list[DayDocument]) -> None:
    """HTTP, the inference protocol and a scored file give one score for each row; the file names the search too."""
    asked = ranked.instances(ranked.now, ranked.now + HOUR // 3)
    ours = [one["score"] for one in ranked.ask(asked)]
    assert len(set(ours)) == len(asked) == SHOWN
    assert ranked.infer(asked) == {"score": ours}
    file = ranked.file(ranked.now, ranked.now + HOUR // 3)
    assert file.column_names == ["key", "time", "score", "group", "version", "arm"]
    assert file["group"].to_pylist() == [one["search_id"] for one in asked]
    assert file["score"].to_pylist() == ours
    json.dumps(ours, allow_nan=False)


def test_labels_meet_their_rows(ranked: Round, days: list[DayDocument]) -> None:
    """A click counts with its grade, and a row without one as 0 once the window is over."""
    rows = ranked.labelled().to_pylist()
    clicked = dict(zip(ranked.outcomes["shown_id"], ranked.outcomes["grade"], strict=True))
    known = [row for row in rows if row["status"] == "labelled"]
    assert len(known) > SEARCHES * SHOWN
    assert {row["label_number"] for row in known} == {0.0, 1.0, 2.0}
    assert all(row["label_number"] == clicked.get(row["key"], 0) for row in known)
    assert days[-1]["feedback"]["coverage"] == 1


def test_a_day_is_judged_by_group(ranked: Round, days: list[DayDocument]) -> None:
    """The daily check compares the mean loss of the day's groups with the baseline's, and nothing is skewed."""
    report = ranked.report(days[-1])
    checks = {check["name"]: check for check in report["checks"]}
    loss = checks["loss"]
    assert loss["rows"] == SEARCHES * SHOWN
    assert loss["value"] < loss["limit"] == pytest.approx(math.log(2))
    assert not loss["breached"]
    assert {check["value"] for name, check in checks.items() if name.startswith(("skew:", "sent:"))} == {0}
    assert days[-1]["breaches"] == {"data": 0, "features": 0, "predictions": 0, "accuracy": 0}


def test_a_release_is_judged_by_group(ranked: Round, reviews: list[ReviewStep]) -> None:
    """Both versions rank the same searches in the shadow; a search is one unit, there and between the arms."""
    actions = [one["action"] for one in reviews]
    assert [one for one in actions if one != "wait"] == ["start", "promote"], reviews[-1]["why"]
    shadow = reviews[actions.index("start")]["evidence"]
    assert 0 < shadow["rows"] <= len(ranked.labelled()) / SHOWN
    assert 0 < shadow["candidate_loss"] < math.log(2)
    loss = next(one for one in reviews[-1]["evidence"]["limits"] if one["figure"] == "loss")
    assert 0 < sum(loss["requests"]) < len(ranked.labelled()) / SHOWN


def test_one_version_ranks_a_whole_search(ranked: Round, reviews: list[ReviewStep]) -> None:
    """During the canary both versions answer, and no search has rows of both."""
    rows = ranked.labelled().to_pandas()
    canary = rows[(rows["time"] >= START + 2 * DAY) & (rows["channel"] == "online")]
    assert set(canary["version"]) == {1, 2}
    assert canary.groupby("group")["version"].nunique().max() == 1
