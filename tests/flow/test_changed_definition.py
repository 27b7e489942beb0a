"""Proves that a definition is changed while its model serves: each answer is exactly its own version's, at any time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from smallbox.define.model import Model
from smallbox.define.project import Project, project_of
from smallbox.features.inputs.recomputed import recomputed_inputs
from smallbox.lake.predictions import of_signature
from smallbox.ports import Between
from smallbox.registry.routing import Routing
from smallbox.release.by_hand import ByHandTask
from smallbox.times import DAY, HOUR, Micros, format_moment, to_datetime
from tests.fakes.user_package import UserPackage
from tests.fakes.world import PRESENT, World

MODEL: Final = "late_parcel"
DAYS, A_DAY = 30, 96
START: Micros = 15_000 * DAY
LIVE: Micros = START + 25 * DAY
"""From here on records are sent, and predictions asked for."""

DEFINITION = """
from smallbox.define import (
    Canary, Columns, FeatureView, Gate, Model, Release, Retrain, Source, boolean, count, label, mean, number, prepare,
    std, text, timestamp,
)

SCALE = 1.0

parcels = Source(
    "parcels", key="parcel_id", time="sent_at", known_after="0s",
    fields={"parcel_id": text(), "sent_at": timestamp(), "depot": text(), "weight": number(nullable=True)},
)
deliveries = Source(
    "deliveries", key="parcel_id", time="delivered_at", known_after="0s",
    fields={
        "parcel_id": text(), "delivered_at": timestamp(), "depot": text(), "delay": number(), "late": boolean(),
    },
)
depot = FeatureView(
    "depot", entity="depot", source=deliveries,
    features={
        "depot_delay_3h": mean("delay", "3h"),
        "depot_deliveries": count("1h"),
        "depot_spread": std("delay", "1d"),
    },
)

def load(weight, depot_delay_3h):
    return weight * SCALE + depot_delay_3h

def trees(columns: Columns):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    classifier = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", classifier)])

late_parcel = Model(
    "late_parcel", request=parcels, inputs=("weight", "depot"), views=(depot,), on_demand=(load,),
    label=label(deliveries, on="parcel_id", value="late", within="12h"), estimator=trees,
    gate=Gate(max_loss_increase=0.1), release=Release(shadow=None, canary=Canary(steps=("50% for 1d",))),
    retrain=Retrain(window="20d", validation="5d"),
)
"""

EDITS: Mapping[str, str] = {
    'count("1h"),': 'count("30d"),\n        "depot_delay_1d": mean("delay", "1d"),',
    '        "depot_spread": std("delay", "1d"),\n': "",
    "SCALE = 1.0": "SCALE = 0.5",
}
"""A window under the same name, a feature more, a feature less, and a constant that an on-demand function uses."""


def _defined(package: UserPackage, source: str) -> Model:
    """The model of a file, imported anew, as after a deployment."""
    package.write({"definition": source})
    model: Any = package.function("definition", MODEL)
    assert isinstance(model, Model)
    return model


def _edited() -> str:
    source = DEFINITION
    for before, after in EDITS.items():
        assert source.count(before) == 1, before
        source = source.replace(before, after)
    return source


def _frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parcels every quarter of an hour, late when heavy or when their depot has been; delivered an hour later."""
    random, rows = np.random.default_rng(5), DAYS * A_DAY
    sent_at = START + np.arange(rows) * (DAY // A_DAY)
    weight, depots = random.normal(size=rows), random.integers(0, 3, rows)
    slow = np.sin((sent_at - START) / (5 * HOUR) + depots * 2)
    late = random.random(rows) < 1 / (1 + np.exp(-(2 * weight + 3 * slow)))
    ids, names = [f"p{n}" for n in range(rows)], [f"d{n}" for n in depots]
    moments = [to_datetime(int(at)) for at in sent_at]
    sent = pd.DataFrame({"parcel_id": ids, "sent_at": moments, "depot": names, "weight": weight})
    arrived = [at + pd.Timedelta(hours=1) for at in moments]
    done = {"parcel_id": ids, "delivered_at": arrived, "depot": names, "delay": slow, "late": late}
    return sent, pd.DataFrame(done)


class Shop:
    """A world whose definition is changed while time goes on."""

    def __init__(self, package: UserPackage) -> None:
        self._package = package
        self.models = {1: _defined(package, DEFINITION)}
        self.sent, self.done = _frames()
        self.world = World(self._project(1))
        self.now = LIVE
        for name, frame, time in (("parcels", self.sent, "sent_at"), ("deliveries", self.done, "delivered_at")):
            self.world.drop(name, frame[frame[time] <= to_datetime(LIVE)], LIVE)
        self.runs = {1: self.world.train(MODEL, LIVE)}

    def _project(self, number: int) -> Project:
        model = self.models[number]
        return project_of([model], [view.source for view in model.views])

    def deploy(self) -> None:
        """The changed definition, in the place of the other one, and its backfill."""
        self.models[2] = _defined(self._package, _edited())
        self.world.deploy(self._project(2), self.now)

    def train(self) -> None:
        """A training run of what is deployed."""
        self.runs[2] = self.world.train(MODEL, self.now)

    def go_on(self, hours: int) -> None:
        """Send what becomes known in the next hours."""
        until = self.now + hours * HOUR
        for name, frame, time in (("parcels", self.sent, "sent_at"), ("deliveries", self.done, "delivered_at")):
            rows = frame[(frame[time] > to_datetime(self.now)) & (frame[time] <= to_datetime(until))]
            records = rows.assign(**{time: rows[time].dt.strftime("%Y-%m-%dT%H:%M:%SZ")}).to_dict("records")
            self.world.send(name, json.dumps(records), until, f"{name}-{until}")
        self.now = until

    def ask(self, what: str) -> Sequence[Mapping[str, Any]]:
        """Ask about the parcels of the next six hours, now."""
        moments = self.sent["sent_at"]
        rows = self.sent[(moments >= to_datetime(self.now)) & (moments < to_datetime(self.now + 6 * HOUR))]
        asked = rows.assign(sent_at=rows["sent_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_dict("records")
        instances: Any = asked
        return self.world.predict(MODEL, instances, self.now, what)

    def by_hand(self, action: str, version: int | None = None) -> Routing:
        """What a person does with ``smallbox release``."""
        task = ByHandTask(self.world.project, self.world.registry, self.world.live)
        document = {"model": MODEL, "action": action, "version": version, "who": "ada", "why": "a test"}
        task.run({**document, "as_of": format_moment(self.now)}, PRESENT)
        routing = self.world.registry.routing(MODEL)
        assert routing is not None
        return routing

    def inexact(self) -> dict[int, tuple[int, int]]:
        """By version the number of its logged answers, and of those that are not computed anew to the last bit.

        Computed by the definitions that were written, not by what the registry has of them.
        """
        log = self.world.log.read(MODEL, Between("time", LIVE, PRESENT))
        found = {}
        for number, model in self.models.items():
            rows = of_signature(log.filter(np.asarray(log["version"]) == number), model)
            if not rows.num_rows:
                continue
            inputs = recomputed_inputs(model, self.world.lake, rows)
            scores = self.world.loader.version(MODEL, number).scorer.score(inputs.numeric, inputs.categorical)
            served = np.column_stack([rows[name].to_numpy() for name in model.columns.numeric])
            same = (served == inputs.numeric) | (np.isnan(served) & np.isnan(inputs.numeric))
            wrong = ~(same.all(axis=1) & (rows["score"].to_numpy() == scores[:, 0]))
            found[number] = (rows.num_rows, int(wrong.sum()))
        return found

    def skew(self) -> dict[str, tuple[float, int]]:
        """Close the day: by feature the share that the audit found different, and of how many."""
        closed = self.world.close_day(MODEL, self.now)
        report = self.world.metrics.get(f"model#{MODEL}", f"day#{closed['day']}")
        assert report is not None
        checks = {check["name"]: check for check in report["checks"]}
        return {
            name.removeprefix("skew:"): (check["value"], check["rows"])
            for name, check in checks.items()
            if name.startswith("skew:")
        }


def _scores(answers: Sequence[Mapping[str, Any]], version: int) -> dict[str, float]:
    return {answer["id"]: answer["score"] for answer in answers if answer["version"] == version}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A champion that has been trained on 25 days."""
    with threadpool_limits(1):
        yield Shop(UserPackage(tmp_path, monkeypatch))


OLD_FEATURES = {"depot_delay_3h", "depot_deliveries", "depot_spread", "load"}
NEW_FEATURES = {"depot_delay_3h", "depot_deliveries", "depot_delay_1d", "load"}


def test_a_definition_changes_while_its_model_serves(shop: Shop) -> None:
    """Deployed, trained, compared, in a canary, promoted, rolled back: no answer is any other than its version's."""
    assert shop.runs[1]["accepted"], shop.runs[1]["verdict"]["why"]
    _deploy(shop)
    _train(shop)
    _release(shop)
    _roll_back(shop)
    shop.go_on(18)
    answered = shop.inexact()
    assert sum(rows for rows, _ in answered.values()) == 8 * 24
    assert [wrong for _, wrong in answered.values()] == [0, 0]
    skew = shop.skew()
    assert set(skew) == OLD_FEATURES | NEW_FEATURES
    assert {value for value, _ in skew.values()} == {0}
    assert skew["depot_deliveries"][1] == skew["depot_spread"][1] + skew["depot_delay_1d"][1] == 5 * 24


def _deploy(shop: Shop) -> None:
    """The champion goes on answering with its own columns, and the audit finds no difference."""
    before = _scores(shop.ask("before"), 1)
    assert len(before) == 24
    shop.deploy()
    assert _scores(shop.ask("after"), 1) == before, "the deployment changed no answer"
    shop.go_on(12)
    assert len(_scores(shop.ask("later"), 1)) == 24
    shop.go_on(12)
    assert shop.inexact() == {1: (72, 0)}
    assert shop.skew() == dict.fromkeys(OLD_FEATURES, (0, 72))


def _train(shop: Shop) -> None:
    """The new version is compared with the champion, and waits."""
    shop.train()
    run = shop.runs[2]
    assert run["accepted"], run["verdict"]["why"]
    assert run["champion"]["version"] == 1
    assert "champion" in [check["name"] for check in run["verdict"]["checks"]], "both were compared"
    assert (run["release"]["action"], run["routing"]["champion"]) == ("wait", 1)
    assert len(_scores(shop.ask("trained"), 1)) == 24


def _release(shop: Shop) -> None:
    """A person starts its canary and promotes it."""
    assert shop.by_hand("start", 2).versions == (1, 2)
    arms = shop.ask("canary")
    assert _scores(arms, 1)
    assert _scores(arms, 2)
    assert shop.by_hand("promote", 2).versions == (2,)
    promoted = _scores(shop.ask("promoted"), 2)
    assert len(promoted) == 24
    assert _scores(arms, 2).items() <= promoted.items()
    shop.go_on(6)
    assert len(_scores(shop.ask("on its own"), 2)) == 24


def _roll_back(shop: Shop) -> None:
    """One write of the routing brings the old version back; its states have been kept up to date."""
    before, commits = shop.world.registry.routing(MODEL), shop.world.online.commits
    assert before is not None
    routing = shop.by_hand("roll-back")
    assert (routing.versions, routing.revision) == ((1,), before.revision + 1)
    assert shop.world.online.commits == commits, "no state was computed for it"
    assert len(_scores(shop.ask("rolled back"), 1)) == 24


def test_the_definitions_compute_other_values(shop: Shop) -> None:
    """The story can fail: under the names that both have, the other definition has other values in nearly every row."""
    shop.ask("before")
    shop.deploy()
    rows = of_signature(shop.world.log.read(MODEL, Between("time", LIVE, PRESENT)), shop.models[1])
    inputs = {number: recomputed_inputs(model, shop.world.lake, rows) for number, model in shop.models.items()}
    for name in ("depot_deliveries", "load"):
        ours, theirs = (inputs[n].numeric[:, shop.models[n].columns.numeric.index(name)] for n in (1, 2))
        assert (ours != theirs).mean() > 0.9
