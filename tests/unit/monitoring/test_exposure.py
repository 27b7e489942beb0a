"""Proves the figures of exposure: the share of exploration and its loss, and the accuracy of head and tail."""

import json
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest

from smallbox.arrays import Ints
from smallbox.define import Exploration, Loop, Monitor, boolean
from smallbox.define.log_columns import logged_types
from smallbox.define.project import project_of
from smallbox.lake.names import labelled_table, predictions_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import labelled_schema, prediction_schema
from smallbox.monitoring.check import CheckTask
from smallbox.monitoring.exposure_check import CheckedExposure, ExposureCheck
from smallbox.monitoring.exposure_figures import OFF, exposure_figures
from smallbox.monitoring.served_predictions import profile_of
from smallbox.ports import Between
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, day_of, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeMeter, FakeNotices
from tests.fakes.lake import FakeLake
from tests.fakes.online import AppliedRecords
from tests.fakes.rankers import two_rankers
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel, parcels
from tests.fakes.versions import add_version
from tests.flow.test_interleaving import CLICKED, _search

ITEMS, DAYS, ROWS = 20, 21, 800
LOOP: Final = Loop("depot", "is_random")
SHOP: Final = replace(
    late_parcel,
    request=replace(parcels, fields={**parcels.fields, "is_random": boolean()}),
    inputs=("weight", "depot", "is_random"),
    monitor=Monitor(loop=LOOP),
)


def _rows(shares: Any, explored: float = 0.2, days: int = DAYS, labelled: float = 1.0) -> dict[str, Any]:
    """Exposures of items by the day's shares; people want the last items, and the score knows only the first half."""
    random = np.random.default_rng(3)
    size = days * ROWS
    day: Ints = np.repeat(np.arange(days), ROWS)
    is_random = random.random(size) < explored
    chosen = np.concatenate([random.choice(ITEMS, ROWS, p=shares(one)) for one in range(days)])
    item = np.where(is_random, random.integers(0, ITEMS, size), chosen)
    chance = np.where(item < ITEMS // 2, 0.1, 0.4)
    times = day * DAY + np.tile(np.arange(ROWS), days) * (DAY // ROWS)
    known, happened = random.random(size) < labelled, random.random(size) < chance
    late = [bool(one) if is_known else None for one, is_known in zip(happened, known, strict=True)]
    return {"day": day, "time": times, "item": item, "is_random": is_random, "label": late}


def _shares(strength: float) -> Any:
    weights = np.exp(-strength * np.arange(ITEMS))
    return weights / weights.sum()


def _by_day(rows: dict[str, Any]) -> dict[str, pa.Table]:
    table = pa.table(
        {
            "time": rows["time"],
            "depot": [f"d{one}" for one in rows["item"]],
            "is_random": rows["is_random"].astype(float),
            "score": np.full(len(rows["item"]), 0.1),
            "label": pa.array(rows["label"], pa.bool_()),
        }
    )
    return {day_of(int(one) * DAY): table.filter(pa.array(rows["day"] == one)) for one in np.unique(rows["day"])}


def _figures(**made: Any) -> dict[str, Any]:
    return exposure_figures(SHOP, SHOP.objective, _by_day(_rows(lambda _: _shares(0.2), **made)))


def test_the_tail_is_judged_apart_from_the_head() -> None:
    """The score is right for what is shown most and not for the rest: the bounds of the losses lie apart."""
    found = _figures()["popularity"]
    assert found["head"]["items"] < found["tail"]["items"]
    head, tail = (found[name]["metrics"]["loss"] for name in ("head", "tail"))
    assert head["high"] < tail["low"]
    assert set(found["head"]["metrics"]["figures"]) >= {"auc"}


def test_exploration_is_a_share_of_the_days_rows_with_its_bounds() -> None:
    """One row in five is exploration, of the newest day alone."""
    found = _figures()["exploration"]
    assert found["answers"] == ROWS
    assert found["share"]["low"] < 0.2 < found["share"]["high"]


def test_exploration_shows_a_loss_that_the_models_own_choices_hide() -> None:
    """The model shows what it knows: its own loss is lower than that of exploration, surely."""
    found = _figures()["gap"]
    assert found["gap"]["high"] < 0
    assert found["effective"] <= found["explored_losses"]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({"explored": 0.004}, "What exploration costs in log loss cannot be told: "),
        ({"labelled": 0.002}, "The head (4 items"),
    ],
)
def test_few_rows_are_refused_in_words(made: dict[str, float], says: str) -> None:
    """Of few losses of exploration, or few labels, there is a sentence with what is needed and no figure."""
    found = _figures(**made)
    (sentence,) = [one for one in found["sentences"] if one.startswith(says)]
    assert "needed" in sentence
    assert "gap" not in found["gap"]


def test_a_day_without_exploration_says_so_once() -> None:
    """Rows shown at random are declared and none came: one sentence, and none of its cost."""
    said = _figures(explored=0.0)["sentences"]
    assert [one for one in said if "xploration" in one] == [f"No row of {ROWS} was exploration on {day_of(20 * DAY)}."]


def _checked(shares: Any) -> CheckedExposure:
    """What the check says of a log and its labels."""
    rows, lake, registry = _rows(shares), FakeLake(), Registry(FakeDocuments())
    size, model = len(rows["item"]), SHOP
    columns = {
        "id": [f"p{n}" for n in range(size)],
        "key": [f"p{n}" for n in range(size)],
        "time": rows["time"],
        "event_time": rows["time"],
        "version": np.ones(size, np.int64),
        "arm": ["champion"] * size,
        "channel": ["online"] * size,
        "depot": [f"d{one}" for one in rows["item"]],
        "is_random": rows["is_random"].astype(float),
        "score": np.full(size, 0.1),
        "degraded": [[]] * size,
        "status": ["labelled"] * size,
        "label": rows["label"],
        "settles_from": rows["time"],
    }
    logged = prediction_schema(logged_types(model))
    for name, schema in ((predictions_table, logged), (labelled_table, labelled_schema(model.objective))):
        arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(size, f.type) for f in schema]
        lake.append(name(model.name), pa.table(arrays, schema=schema))
    champion = add_version(registry, model)
    check = ExposureCheck(lake, Signatures(project_of([model]), registry, FakeBlobs()))
    return check.of(model, champion, model.label, DAYS * DAY)


def test_a_loop_is_found_from_the_log_and_its_labels() -> None:
    """Exposure that narrows on what people do not want is an incident, and the same day's figures are beside it."""
    found = _checked(lambda day: _shares(0.02 * day))
    assert [(one.kind, one.severity) for one in found.findings] == [("feedback_loop", "incident")]
    assert found.figures["loop"]["verdict"] == "loop"
    assert found.figures["exploration"]["answers"] == ROWS
    assert json.loads(json.dumps(found.figures)) == found.figures


def test_steady_exposure_is_no_finding() -> None:
    """The same items shown as often every day are told as figures alone."""
    found = _checked(lambda _: _shares(0.2))
    assert found.findings == []
    assert found.figures["loop"]["verdict"] == "none"


def _log(serving: Serving) -> pa.Table:
    return PredictionLog(serving.lake).read(serving.model.name, Between("time", 0, 9 * DAY))


def _report(serving: Serving, searches: int) -> Any:
    """The report that the daily check stores, of the day of the searches."""
    _search(serving, range(searches))
    serving.blobs.put("profile", json.dumps(profile_of(serving.model, _log(serving))).encode())
    metrics, signatures = FakeDocuments(), Signatures(serving.project, serving.registry, serving.blobs)
    stores = (serving.project, serving.lake, serving.blobs, serving.registry, signatures, metrics)
    task = CheckTask(*stores, FakeMeter(), FakeNotices(), online=AppliedRecords())
    task.run({"model": serving.model.name, "as_of": format_moment(2 * DAY)})
    return metrics.get(f"model#{serving.model.name}", "latest")


def test_shuffled_lists_are_counted_in_the_stored_report() -> None:
    """Half of the lists are shuffled; what they cost is told in lists with a loss, or refused."""
    found = _report(two_rankers(replace(CLICKED, exploration=Exploration(share=0.5, within=2))), 450)["exposure"]
    assert (found["exploration"]["of"], found["exploration"]["answers"]) == ("lists", 450)
    assert found["exploration"]["share"]["low"] < 0.5 < found["exploration"]["share"]["high"]
    assert found["gap"]["gap"]["low"] < found["gap"]["gap"]["high"]


def test_a_ranking_without_exploration_says_so_once() -> None:
    """It is off by default, and the report has this one sentence."""
    assert _report(two_rankers(CLICKED), 20)["exposure"] == {"sentences": [OFF]}
