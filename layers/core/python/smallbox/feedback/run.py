"""What the feedback's function does: joins what became known to the predictions that still wait for it."""

from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc

from smallbox.define.project import Project
from smallbox.feedback.join import LABELLED, PENDING, UNLABELLED, coverage, join_labels
from smallbox.ingestion.table import history, name_of, schema
from smallbox.ports import Between, Lake
from smallbox.serving.log import PredictionLog
from smallbox.times import DAY, Micros, format_moment, parse_moment

COLUMNS = ("id", "key", "time", "version", "arm", "channel", "score")


def labelled_table(model: str) -> str:
    """The name of the lake table that holds a model's predictions with their labels."""
    return f"labelled/{model}"


class JoinTask:
    """A task of the day: rewrites the labelled predictions of every day whose windows may still be open."""

    def __init__(self, project: Project, lake: Lake) -> None:
        self._project = project
        self._lake = lake
        self._log = PredictionLog(project, lake)

    def run(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Pass the day's document on with ``as_of`` and ``feedback``: counts by status, and the coverage."""
        model = self._project.model(document["model"])
        as_of = parse_moment(document["as_of"]) if "as_of" in document else now // DAY * DAY
        open_since = (as_of - model.label.within_micros) // DAY * DAY - DAY
        between = Between("time", open_since, as_of)
        predictions = self._log.read(model.name, between).select(COLUMNS)
        source = self._project.source(model.label.source_name)
        rows = self._lake.read(name_of(source), None, Between("known_at", open_since, as_of + 1))
        outcomes = history(schema(source).empty_table() if rows is None else rows)
        labelled = join_labels(model.label, predictions, outcomes, as_of)
        self._lake.replace(labelled_table(model.name), labelled, between)
        statuses = {s: pc.sum(pc.equal(labelled["status"], s)).as_py() or 0 for s in (LABELLED, PENDING, UNLABELLED)}
        return {**document, "as_of": format_moment(as_of), "feedback": {**statuses, "coverage": coverage(labelled)}}
