"""The catalogue: every table of the lake with its columns, key, retention, personal columns and writers.

What has to know all tables asks here: the upkeep, the grants, the page ``docs/tables.md``, and the erasure of a key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from smallbox.define.log_columns import logged_names, logged_types
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.lake.names import (
    current_table,
    exposures_table,
    labelled_table,
    predictions_table,
    records_table,
    restated_table,
)
from smallbox.lake.schemas import (
    exposure_schema,
    labelled_schema,
    prediction_schema,
    record_schema,
    restated_schema,
)
from smallbox.table_columns import RANKED_COLUMNS
from smallbox.times import Micros

MAINTAINER: Final = "ingestion/upkeep"
"""The function that compacts and vacuums every table."""


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table of the lake.

    Attributes:
        name: its name; the folder is the part before the slash.
        schema: the columns that are written today; files from before a change of the definition may have others.
        key: the columns that identify a row. A table that is appended to may hold a row twice, and readers keep one.
        about: the sources whose records the rows are about, each with the field whose values stand in the column
            ``key``.
        personal: the columns with personal values.
        writers: the functions that write rows.
        retention: how long a row is kept, microseconds; ``None`` means for ever.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]
    about: Mapping[str, str]
    personal: frozenset[str]
    writers: tuple[str, ...]
    retention: Micros | None = None


def catalogue(project: Project) -> Mapping[str, LakeTable]:
    """Every table that a project fills, by name."""
    of_sources = [table for source in project.sources.values() for table in _of_source(source)]
    of_models = [table for model in project.models.values() for table in _of_model(model)]
    return {table.name: table for table in (*of_sources, *of_models)}


def _of_source(source: Source) -> Iterator[LakeTable]:
    schema = record_schema(source)
    yield LakeTable(
        records_table(source),
        schema,
        ("key", "known_at", "digest"),
        {source.name: source.key},
        source.personal,
        ("ingestion/append", "ingestion/load"),
    )
    yield LakeTable(current_table(source), schema, ("key",), {source.name: source.key}, source.personal, (MAINTAINER,))


def _of_model(model: Model) -> Iterator[LakeTable]:
    request = model.request
    sent = {column for name, column in logged_names(model).items() if name in request.personal}
    lists = RANKED_COLUMNS if model.objective.group else {}
    yield LakeTable(
        predictions_table(model.name),
        prediction_schema({**logged_types(model), **lists}),
        ("id",),
        {request.name: request.key},
        model.personal_columns | sent,
        ("serving/log", "serving/score"),
    )
    about = {model.label.source_name: model.label.on, request.name: request.key}
    schema = labelled_schema(model.objective)
    yield LakeTable(labelled_table(model.name), schema, ("id",), about, frozenset(), ("feedback/join",))
    restated = ("id", "restated_at")
    yield LakeTable(restated_table(model.name), restated_schema(), restated, about, frozenset(), ("feedback/join",))
    yield LakeTable(
        exposures_table(model.name),
        exposure_schema(),
        ("experiment", "unit"),
        {request.name: request.key},
        frozenset(),
        ("release/experiment",),
    )
