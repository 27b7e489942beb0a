"""A champion that answers requests, a candidate beside it and the labels that come, for the tests of the shadow.

The weight of a parcel decides: it is late with the chance of twice its weight, on the logistic scale.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from smallbox.define.model import Model
from smallbox.documents.daily_run import DayDocument
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import labelled_schema
from smallbox.ports import Between
from smallbox.registry.routing import Routing, start_shadow
from smallbox.release.shadow import ShadowTask
from smallbox.release.shadow_days import ShadowDays
from smallbox.serving.log import LogTask
from smallbox.times import DAY, Micros, Moment, format_moment
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeMeter
from tests.fakes.serving import Serving, chance_of_numbers
from tests.fakes.small import deliveries, late_parcel

PLAIN: Final = replace(late_parcel, views=())
"""The small model without stored features."""

A_DAY: Final = 200
CHAMPION, GOOD, BAD = 1.0, 2.0, -0.5
"""The slopes of versions; the good one is the truth."""


class Shadowed:
    """A model whose version 1 is champion, and version 2 in a shadow since day 0."""

    def __init__(self, slope: float = GOOD, model: Model = PLAIN, candidate: Model | None = None) -> None:
        self.serving = Serving(model, deliveries)
        own = candidate or model
        self.serving.register(model, chance_of_numbers(model.columns, CHAMPION))
        self.serving.register(own, chance_of_numbers(own.columns, slope))
        self.routing = start_shadow(Routing(1), 2, now=0)
        self.serving.registry.route(model.name, self.routing)
        self.metrics, self.random = FakeDocuments(), np.random.default_rng(7)
        self.model = model
        project, lake = self.serving.project, self.serving.lake
        self.log = LogTask(project, lake, FakeCanaryCounters(), FakeMeter())
        self.task = ShadowTask(project, lake, self.serving.registry, self.serving.loader, self.metrics, lambda: 0)

    def ask(self, day: int, rows: int = A_DAY, **more: Any) -> None:
        """Requests of a day, answered and logged."""
        at = day * DAY + DAY // 2
        weights = self.random.normal(size=rows)
        instances = [
            {"parcel_id": f"p{day}-{n}", "sent_at": format_moment(at), "depot": f"d{n % 3}", "weight": float(w), **more}
            for n, w in enumerate(weights)
        ]
        batch = f"day{day}"
        document = {"instances": instances}
        self.serving.predictor.predict(self.model.name, document, Moment(at), at, batch)
        self.log.append(self.serving.log.messages)
        self.serving.log.messages.clear()

    def learn(self, day: int) -> None:
        """The labels of all requests of a day."""
        between = Between("time", day * DAY, (day + 1) * DAY)
        rows = PredictionLog(self.serving.lake).read(self.model.name, between)
        chance = 1 / (1 + np.exp(-2 * rows["weight"].to_numpy()))
        schema = labelled_schema(self.model.objective)
        known: dict[str, Any] = {
            "settles_from": rows["time"],
            "label": self.random.random(rows.num_rows) < chance,
            "status": ["labelled"] * rows.num_rows,
        }
        arrays = {
            name: rows[name] if name in rows.column_names else known.get(name, pa.nulls(rows.num_rows, kind))
            for name, kind in zip(schema.names, schema.types, strict=True)
        }
        self.serving.lake.append(labelled_table(self.model.name), pa.table(arrays, schema=schema))

    def close(self, now: Micros) -> Any:
        """Run the shadow at a midnight; what it says."""
        document: DayDocument = {"model": self.model.name, "as_of": format_moment(now)}
        return self.task.run(document)["shadow"]

    @property
    def days(self) -> Any:
        """The stored days of the candidate."""
        return ShadowDays(self.metrics, self.model.name, 2).all()
