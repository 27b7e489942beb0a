"""Handles records that an older contract accepted, and that today's contract may have no column for."""

from collections.abc import Sequence

from smallbox.define.fields import Field
from smallbox.define.source import Source
from smallbox.ingestion.contract import contract_of
from smallbox.ingestion.field_checks import MISSING, Broken
from smallbox.lake.schemas import PYTHON_TYPES, fits_columns
from smallbox.records import Record, Rejection, Value
from smallbox.times import format_moment


def split_outdated(source: Source, records: Sequence[Record]) -> tuple[list[Record], list[Rejection]]:
    """Split into records that fit today's columns, and rejections for the others.

    A deployment can change the contract while a record waits in the queue. So type and nullability are checked again. A
    narrower range or a new pattern applies only to records sent after the deployment. A field that the contract no
    longer has is left out of the lake, and is not a reason to reject.

    Args:
        source: the source with today's contract.
        records: the records of one message.
    """
    if fits_columns(source, records):
        return list(records), []
    kept: list[Record] = []
    rejections: list[Rejection] = []
    for index, record in enumerate(records):
        broken = _broken(source, record)
        if broken is None:
            kept.append(record)
        else:
            rejections.append(contract_of(source).rejection(_as_sent(source, record), index, broken))
    return kept, rejections


def _broken(source: Source, record: Record) -> Broken | None:
    for name, field in source.fields.items():
        value = record.values.get(name)
        if value is None and not field.nullable:
            demand = "today's contract requires a value; an older contract accepted the record"
            return Broken("required", demand, None if name in record.values else MISSING, name)
        if value is not None and not _fits(field, value):
            demand = f"today's contract requires the type {field.type}; an older contract accepted the record"
            return Broken("type", demand, value, name)
    return None


def _fits(field: Field, value: Value) -> bool:
    return type(value) in PYTHON_TYPES[field.type] or (field.type == "number" and type(value) is int)


def _as_sent(source: Source, record: Record) -> dict[str, Value]:
    """The values in a form that can be sent again: timestamps as texts."""
    moments = {name for name, field in source.fields.items() if field.type == "timestamp"}
    return {
        name: format_moment(value) if name in moments and type(value) is int else value
        for name, value in record.values.items()
    }
