"""A shop that makes offers: customers visit, a model answers, and customers order more the higher the answer."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from smallbox.define import Columns, Model, Source, label, number, prepare, text, timestamp
from smallbox.define.bundle import bundle_of
from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.project import project_of
from smallbox.documents.daily_run import ExperimentStep
from smallbox.ports import Lake
from smallbox.registry.routing import first_champion
from smallbox.registry.signatures import bundle_key
from smallbox.times import DAY, HOUR, Micros, format_moment, to_datetime
from tests.fakes.serving import sum_of_numbers
from tests.fakes.versions import version_for
from tests.fakes.world import PRESENT, World

BEGIN: Micros = 15_000 * DAY
A_DAY = 200

visits = Source(
    "visits",
    key="visit_id",
    time="visited_at",
    fields={"visit_id": text(), "visited_at": timestamp(), "customer": text(), "spent_before": number()},
    known_after="0s",
)
orders = Source(
    "orders",
    key="order_id",
    time="ordered_at",
    fields={"order_id": text(), "ordered_at": timestamp(), "customer": text(), "amount": number(), "returns": number()},
    known_after="1h",
)
ratings = Source(
    "ratings",
    key="visit_id",
    time="rated_at",
    fields={"visit_id": text(), "rated_at": timestamp(), "stars": number()},
    known_after="0s",
)


def linear(columns: Columns) -> Any:
    """An estimator that is never fitted here."""
    from sklearn.linear_model import LinearRegression  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    return Pipeline([("prepare", prepare(columns)), ("linear", LinearRegression())])


offer = Model(
    "offer",
    request=visits,
    inputs=("spent_before", "customer"),
    label=label(ratings, on="visit_id", value="stars", within="1d"),
    estimator=linear,
)


@dataclass
class Shop:
    """The shop day by day.

    Attributes:
        generous: how much more the answers of version 2 are.
        forgets: the share of the customers whose orders are lost when version 2 answered.
        model: the definition.
        lake: the real lake; by default a fake.
        now: where time stands.
    """

    generous: float = 0.0
    forgets: float = 0.0
    model: Model = offer
    lake: Lake | None = None
    now: Micros = BEGIN
    world: World = field(init=False)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    people: int = 0

    def __post_init__(self) -> None:
        self.world = World(project_of([self.model], [visits, orders, ratings]), self.lake)
        for plus in (0.0, self.generous):
            self._register(sum_of_numbers(offer.columns, plus=plus))
        self.world.registry.route(offer.name, first_champion(1, BEGIN))

    def _register(self, content: bytes) -> None:
        bundle, digest = bundle_of(offer.on_demand), hashlib.sha256(content).hexdigest()
        version = version_for(offer, onnx_key=f"models/{digest}.onnx", onnx_sha256=digest)
        version = replace(version, bundle_key=bundle_key(bundle), bundle_sha256=bundle.digest)
        self.world.registry.freeze(offer.name, signature_digest(offer), freeze(offer))
        self.world.blobs.put(version.onnx_key, content)
        self.world.blobs.put(version.bundle_key, bundle.content)
        self.world.registry.add(version)

    def day(self) -> ExperimentStep:
        """A day: new customers visit up to three times, order what the answers are worth, and the day is closed."""
        names = [f"c{n}" for n in range(self.people, self.people + A_DAY)]
        self.people += A_DAY
        spent = self.random.gamma(2.0, 2.0, A_DAY)
        often = self.random.integers(1, 4, A_DAY)
        rows = [
            {"visit_id": f"{name}-{n}", "customer": name, "spent_before": float(worth), "visited_at": self._at(n)}
            for name, worth, times in zip(names, spent, often, strict=True)
            for n in range(times)
        ]
        answers = self.world.predict(offer.name, rows, self.now + HOUR, f"day-{self.now}")
        told = {str(row["customer"]): answer for row, answer in zip(rows, answers, strict=True)}
        self._order(names, told)
        self._rate([row["visit_id"] for row in rows])
        self.now += DAY
        return self.close()

    def close(self) -> ExperimentStep:
        """The look of the day that ends now."""
        document = {"model": offer.name, "as_of": format_moment(self.now)}
        return self.world.experiments.run(document, PRESENT)["experiment"]  # type: ignore[arg-type]

    def _rate(self, visited: list[Any]) -> None:
        moments = [to_datetime(self.now + 2 * HOUR) for _ in visited]
        stars = self.random.integers(1, 6, len(visited)) * 1.0
        rows = pd.DataFrame({"visit_id": visited, "rated_at": moments, "stars": stars})
        assert self.world.drop("ratings", rows, self.now + DAY).rejected == 0

    def _order(self, names: list[str], told: dict[str, Any]) -> None:
        lost = self.random.random(A_DAY) < self.forgets
        kept = [n for n, name in enumerate(names) if not (told[name]["version"] == 2 and lost[n])]
        worth = np.array([told[name]["score"] for name in names]) + self.random.normal(5, 1, A_DAY)
        rows = pd.DataFrame(
            {
                "order_id": [f"o-{names[n]}" for n in kept],
                "ordered_at": [to_datetime(self.now + 3 * HOUR) for _ in kept],
                "customer": [names[n] for n in kept],
                "amount": worth[kept],
                "returns": (worth + self.random.normal(0, 1, A_DAY))[kept] / 10,
            }
        )
        assert self.world.drop("orders", rows, self.now + DAY).rejected == 0

    def _at(self, hour: int) -> str:
        return format_moment(self.now + hour * HOUR)

    def ask(self, action: str, **asked: Any) -> dict[str, Any]:
        """What ``smallbox experiment`` sends, as of now."""
        document = {"model": offer.name, "action": action, "as_of": format_moment(self.now), "who": "ada", **asked}
        return self.world.experiments.by_hand(document, PRESENT)
