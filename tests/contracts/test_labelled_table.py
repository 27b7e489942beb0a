"""Proves that one table takes the labelled predictions of a model whose label changes its type, on every lake."""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pytest

from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.feedback.join import JoinTask
from smallbox.labels.table import scored_columns
from smallbox.lake.names import labelled_table, predictions_table, records_table
from smallbox.lake.schemas import prediction_schema, records_to_table
from smallbox.monitoring.accuracy import accuracy_checks, judged
from smallbox.ports import Lake
from smallbox.records import Record
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.release.judged_predictions import arms, traffic
from smallbox.times import DAY, HOUR, Micros, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.kinds import of_a_number, of_classes, of_quantiles, outcomes
from tests.fakes.small import deliveries, late_parcel
from tests.fakes.versions import add_version

NAME: Final = late_parcel.name
CHANGES: Final[Mapping[str, tuple[Model, Model]]] = {
    "a boolean to a number": (late_parcel, of_a_number),
    "a number to a boolean": (of_a_number, late_parcel),
    "a boolean to classes": (late_parcel, of_classes),
    "classes to quantiles": (of_classes, of_quantiles),
}
"""The definition that version 1 was trained with, and that of version 2, which is deployed."""


def _log(model: Model, version: int, asked: Micros, rows: int = 6) -> pa.Table:
    outputs = {name: 1 / len(model.objective.outputs) for name in model.objective.outputs}
    logged = [
        {
            "id": f"{version}-{n}", "key": f"p{n}", "time": asked, "event_time": asked, "version": version,
            "arm": "champion", "channel": "online", **outputs,
        }
        for n in range(rows)
    ]  # fmt: skip
    return pa.Table.from_pylist(logged, schema=prediction_schema(logged_types(model)))


def _known(lake: Lake, at: Micros) -> None:
    """Half of the parcels are late, by as many minutes as their number; each outcome says the same in words."""
    for source in (deliveries, outcomes):
        records = []
        for n in range(6):
            said: dict[str, Any] = {"parcel_id": f"p{n}", "delivered_at": at, "depot": "d", "delay": float(n)}
            said |= {"late": n >= 3, "outcome": "late" if n >= 3 else "on time", "grade": 1}
            values = {name: said[name] for name in source.fields}
            records.append(Record(source.name, f"p{n}", at, at, at, values))
        lake.append(records_table(source), records_to_table(source, records))


class _Story:
    """Version 1 answers on the first day, version 2 of the changed definition on the second."""

    def __init__(self, lake: Lake, old: Model, new: Model) -> None:
        self.lake, self.models, self.registry = lake, {1: old, 2: new}, Registry(FakeDocuments())
        for model in (old, new):
            add_version(self.registry, model)
        self.registry.route(NAME, Routing(2, previous=1))

    def join(self, deployed: Model, day: int) -> Any:
        task = JoinTask(project_of([deployed], [deliveries, outcomes]), self.lake, self.registry, FakeDocuments())
        return task.run({"model": NAME, "as_of": format_moment(day * DAY)}, day * DAY)["feedback"]

    def live(self) -> None:
        """Old predictions still wait for their labels when the definition changes; then come those of the new one."""
        old, new = self.models[1], self.models[2]
        self.lake.append(predictions_table(NAME), _log(old, 1, 20 * HOUR))
        assert self.join(old, 1)["pending"] == 6
        self.lake.append(predictions_table(NAME), _log(new, 2, 26 * HOUR))
        _known(self.lake, 40 * HOUR)
        assert self.join(new, 2)["labelled"] == 12
        assert self.join(new, 3) == self.join(new, 3), "joining again changes nothing"

    def rows(self) -> dict[int, list[dict[str, Any]]]:
        """The labelled rows of each version."""
        found = self.lake.read(labelled_table(NAME))
        assert found is not None
        assert found.num_rows == 12
        rows = found.sort_by("key").to_pylist()
        return {number: [row for row in rows if row["version"] == number] for number in self.models}


@pytest.mark.parametrize("change", CHANGES)
def test_each_prediction_has_the_label_of_its_version_in_the_column_of_its_type(lake: Lake, change: str) -> None:
    """Outputs and label of the version that answered; what only the other one has is null."""
    story = _Story(lake, *CHANGES[change])
    story.live()
    expected: dict[str, list[Any]] = {
        "label": [False] * 3 + [True] * 3,
        "label_number": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        "label_text": ["on time"] * 3 + ["late"] * 3,
    }
    typed = {one for model in story.models.values() for one in scored_columns(model.objective)}
    for number, rows in story.rows().items():
        objective = story.models[number].objective
        assert [row[objective.label_column] for row in rows] == expected[objective.label_column]
        for row in rows:
            assert typed <= row.keys()
            assert {row[name] for name in objective.outputs} == {1 / len(objective.outputs)}
            assert {row[name] for name in typed - {*scored_columns(objective)}} <= {None}


@pytest.mark.parametrize("change", CHANGES)
def test_each_version_is_judged_by_its_own_objective(lake: Lake, change: str) -> None:
    """In the daily check, in a canary between both, and in the estimate of one, without rows of the other label."""
    story = _Story(lake, *CHANGES[change])
    story.live()
    for number, model in story.models.items():
        found = judged(model, model.label, lake, (1, 2), 3 * DAY)["online"]
        assert found.as_json()["metrics"]["figures"].keys() == set(model.objective.figures)
        assert set(found.known["version"].to_pylist()) == {number}
        baseline = model.objective.baseline(found.scored.labels)
        checks = {c.name: c for c in accuracy_checks(model.monitor, model.label, baseline, found, 3 * DAY)}
        assert checks["loss"].rows == 6
        champion, challenger = arms(NAME, model.label, baseline, lake, Routing(1, 2, 0.5, since=0), 3 * DAY)
        assert [len(arm.losses) for arm in (champion, challenger)] == ([6, 0] if number == 1 else [0, 6])
        seen = traffic(NAME, model.label, baseline, lake, 3 * DAY)
        assert seen is not None
        assert len(seen.judged.losses) == 6
