"""Views and sources as JSON: a version keeps those that it was trained with, and the features follow them.

A frozen source has only the fields that are read, with what gives their values a meaning: type, unit, and whether they
are personal. Its limits stay in the contract, so a wider range or a new field does not make another source of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from smallbox.define.aggregates import Aggregate, Operand
from smallbox.define.attributes import Attribute, Attributes, View
from smallbox.define.conditions import Condition
from smallbox.define.fields import Field
from smallbox.define.source import Source
from smallbox.define.view import FeatureView
from smallbox.times import duration, written

_Document = Mapping[str, Any]


def freeze_source(source: Source, read: Iterable[str]) -> dict[str, Any]:
    """A source with its key, its event time and the fields that are read."""
    names = dict.fromkeys((source.key, source.time, *read))
    fields = {name: _freeze_field(source.fields[name]) for name in sorted(names)}
    return {
        "name": source.name,
        "key": source.key,
        "time": source.time,
        "known_after": None if source.known_after_micros is None else written(source.known_after_micros),
        "fields": fields,
    }


def _freeze_field(field: Field) -> dict[str, Any]:
    return {"type": field.type, "unit": field.unit, "pii": field.pii}


def thaw_source(document: _Document, never_null: Sequence[str] = ()) -> Source:
    """The inverse of :func:`freeze_source`. Every field but the key, the event time and the named may be null."""
    needed = {document["key"], document["time"], *never_null}
    fields = {name: Field(**one, nullable=name not in needed) for name, one in document["fields"].items()}
    return Source(
        document["name"],
        key=document["key"],
        time=document["time"],
        fields=fields,
        known_after=document["known_after"],
    )


def fields_of(view: View) -> tuple[str, ...]:
    """The source's fields that a view reads, each once: its entity's, then its features'."""
    read = (name for feature in view.features.values() for name in feature.fields)
    return tuple(dict.fromkeys((*view.entity_fields, *read)))


def freeze_view(view: View) -> dict[str, Any]:
    """A view with its own frozen source."""
    kind = next(kind for kind, (type_, _) in _KINDS.items() if isinstance(view, type_))
    return {
        "kind": kind,
        "name": view.name,
        "entity": list(view.entity_fields),
        "source": freeze_source(view.source, fields_of(view)),
        **_FREEZE[kind](view),
    }


def thaw_view(document: _Document) -> View:
    """The inverse of :func:`freeze_view`."""
    _, thaw = _KINDS[document["kind"]]
    return thaw(document, thaw_source(document["source"]))


def _freeze_windows(view: FeatureView) -> dict[str, Any]:
    return {
        "tile": written(view.tile_micros),
        "features": {name: _freeze_aggregate(one) for name, one in view.features.items()},
    }


def _freeze_aggregate(one: Aggregate) -> dict[str, Any]:
    operand = one.operand
    return {
        "kind": one.kind,
        "field": operand.field,
        "holds": None if operand.holds is None else _freeze_condition(operand.holds),
        "where": [_freeze_condition(condition) for condition in operand.where],
        "window": written(duration(one.window)),
        "default": one.default,
    }


def _freeze_condition(condition: Condition) -> list[Any]:
    value = condition.value
    return [condition.field, condition.operator, list(value) if isinstance(value, tuple) else value]


def _freeze_attributes(view: Attributes) -> dict[str, Any]:
    return {"features": {name: {"field": one.field, "default": one.default} for name, one in view.features.items()}}


def _thaw_windows(document: _Document, source: Source) -> FeatureView:
    features = {name: _thaw_aggregate(one) for name, one in document["features"].items()}
    return FeatureView(document["name"], tuple(document["entity"]), source, features, tile=document["tile"])


def _thaw_aggregate(one: _Document) -> Aggregate:
    holds = None if one["holds"] is None else _thaw_condition(one["holds"])
    operand = Operand(one["field"], holds, tuple(_thaw_condition(condition) for condition in one["where"]))
    return Aggregate(one["kind"], operand, one["window"], one["default"])


def _thaw_condition(written: list[Any]) -> Condition:
    field, operator, value = written
    return Condition(field, operator, tuple(value) if isinstance(value, list) else value)


def _thaw_attributes(document: _Document, source: Source) -> Attributes:
    features = {name: Attribute(**one) for name, one in document["features"].items()}
    return Attributes(document["name"], tuple(document["entity"]), source, features)


_FREEZE: Final[Mapping[str, Callable[[Any], dict[str, Any]]]] = {
    "windows": _freeze_windows,
    "attributes": _freeze_attributes,
}
_KINDS: Final[Mapping[str, tuple[type, Callable[[_Document, Source], View]]]] = {
    "windows": (FeatureView, _thaw_windows),
    "attributes": (Attributes, _thaw_attributes),
}
