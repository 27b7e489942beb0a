"""The columns of every table of the lake."""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from smallbox.define.fields import Field, FieldType
from smallbox.define.source import RESERVED, Source
from smallbox.lake.digests import digests
from smallbox.objectives.objective import Objective
from smallbox.records import Record
from smallbox.table_columns import (
    GROUP,
    JOIN_COLUMNS,
    JOINED_AS_OF,
    LABEL_COLUMNS,
    LOG_COLUMNS,
    RANKED_COLUMNS,
    SETTLES_FROM,
    ColumnType,
)

ARROW_TYPES: Final[Mapping[ColumnType, pa.DataType]] = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.int64(),
    "texts": pa.list_(pa.string()),
}

PYTHON_TYPES: Final[Mapping[FieldType, frozenset[type]]] = {
    "text": frozenset({str}),
    "number": frozenset({float}),
    "integer": frozenset({int}),
    "boolean": frozenset({bool}),
    "timestamp": frozenset({int}),
}
"""The Python type of a record's value, by the type of its field."""


def record_schema(source: Source) -> pa.Schema:
    """The columns of a source's log: key, event time, ``known_at``, ``received_at``, content hash, and the fields.

    ``time``, ``known_at``, ``received_at`` and timestamps are microseconds since 1970 in UTC.
    """
    reserved = [("key", pa.string()), ("time", pa.int64()), ("known_at", pa.int64())]
    reserved += [("received_at", pa.int64()), ("digest", pa.string())]
    return pa.schema(reserved + [(name, ARROW_TYPES[field.type]) for name, field in source.fields.items()])


def records_to_table(source: Source, records: Sequence[Record]) -> pa.Table:
    """The records as rows, in their order."""
    fields = {name: [record.values.get(name) for record in records] for name in source.fields}
    reserved = {name: [getattr(record, name) for record in records] for name in RESERVED if name != "digest"}
    columns = {name: pa.array(values, ARROW_TYPES[source.fields[name].type]) for name, values in fields.items()}
    is_plain = fits_columns(source, records)
    digest = digests(source.name, columns) if is_plain else [record.digest for record in records]
    return pa.table({**reserved, "digest": digest, **columns}, schema=record_schema(source))


def fits_columns(source: Source, records: Sequence[Record]) -> bool:
    """Whether the columns hold everything that the records hold.

    Records that an older contract accepted may have other fields or types.
    """
    names = source.fields.keys()
    alike = all(record.values.keys() == names and record.source == source.name for record in records)
    return alike and all(_types(name, records) <= _types_of(field) for name, field in source.fields.items())


def _types(name: str, records: Sequence[Record]) -> set[type]:
    return {type(record.values[name]) for record in records}


def _types_of(field: Field) -> frozenset[type]:
    return PYTHON_TYPES[field.type] | {type(None)} if field.nullable else PYTHON_TYPES[field.type]


LABELLED_COLUMNS: Final = ("id", "key", "time", "event_time", "version", "arm", "channel")
"""What the labelled predictions keep of every log; the outputs are kept too, and of a ranking its groups and lists."""

RESTATED_COLUMNS: Final[Mapping[str, ColumnType]] = {
    **{name: LOG_COLUMNS[name] for name in ("id", "key", "time", "event_time", "version")},
    "restated_at": "timestamp",
    **{name: LABEL_COLUMNS[name] for name in ("label", "label_text", "label_number", JOINED_AS_OF)},
}
"""The columns of restatements: the prediction, when its outcome became known, and the label in the column of its type;
all null where the outcome was retracted."""


EXPOSURE_COLUMNS: Final[Mapping[str, ColumnType]] = {
    "experiment": "text",
    "unit": "text",
    "key": "text",
    "time": "timestamp",
    "version": "integer",
    "answered": "boolean",
    "covariate": "number",
}
"""The columns of exposures: the experiment, the unit, key and moment of its first request in it, the version that it is
assigned to, whether that version answered this request, and the covariate at it."""


def prediction_schema(types: Mapping[str, FieldType]) -> pa.Schema:
    """The columns of a prediction log: those of every log, then those of a signature. Null means missing.

    Args:
        types: as :func:`smallbox.define.log_columns.logged_types` gives them.
    """
    return pa.schema([(name, ARROW_TYPES[type_]) for name, type_ in (*LOG_COLUMNS.items(), *types.items())])


def labelled_schema(objective: Objective) -> pa.Schema:
    """The columns of labelled predictions of one objective: who answered, the outputs, and what the label join adds."""
    types = {name: LOG_COLUMNS[name] for name in LABELLED_COLUMNS}
    types |= {GROUP: "text", **RANKED_COLUMNS} if objective.group else {}
    types |= dict.fromkeys(objective.outputs, "number")
    types |= {name: LABEL_COLUMNS[name] for name in (SETTLES_FROM, objective.label_column, *JOIN_COLUMNS)}
    return pa.schema([(name, ARROW_TYPES[type_]) for name, type_ in types.items()])


def restated_schema() -> pa.Schema:
    """The columns of restatements; those of the labels that have another type are null."""
    return pa.schema([(name, ARROW_TYPES[type_]) for name, type_ in RESTATED_COLUMNS.items()])


def exposure_schema() -> pa.Schema:
    """The columns of exposures."""
    return pa.schema([(name, ARROW_TYPES[type_]) for name, type_ in EXPOSURE_COLUMNS.items()])
