"""JSON Schema of the API's documents: of types, of a source's fields, and of what a model takes."""

import dataclasses
import re
import typing
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Final

from smallbox.define.fields import Field
from smallbox.define.model import Model
from smallbox.define.patterns import TEXT_LIMIT
from smallbox.define.source import Source

Schema = dict[str, Any]

_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
    NoneType: {"type": "null"}, Any: {},
}  # fmt: skip
_FIELDS: Final[Mapping[str, Schema]] = {
    "text": {"type": "string", "maxLength": TEXT_LIMIT},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_POSSESSIVE: Final = re.compile(r"[*+?}]\+")
"""A repeat of Python's that the regular expressions of JSON Schema do not have."""


def schema_of(hint: Any) -> Schema:
    """The schema of a type: plain types, lists, mappings of texts, unions, literals, typed dictionaries, dataclasses.

    >>> schema_of(dict[str, float | None])
    {'type': 'object', 'additionalProperties': {'anyOf': [{'type': 'number'}, {'type': 'null'}]}}

    Raises:
        TypeError: for any other type.
    """
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if typing.is_typeddict(hint):
        return _object(hint, hint.__required_keys__)
    if dataclasses.is_dataclass(hint):
        return _object(hint, [one.name for one in dataclasses.fields(hint)])
    return _of_parts(hint, typing.get_origin(hint), typing.get_args(hint))


def _of_parts(hint: Any, origin: Any, parts: tuple[Any, ...]) -> Schema:
    if origin is typing.Literal:
        return {"enum": list(parts)}
    if origin in (typing.Union, UnionType):
        return {"anyOf": [schema_of(one) for one in parts]}
    if origin in (list, Sequence):
        return {"type": "array", "items": schema_of(parts[0])}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": schema_of(parts[1])}
    raise TypeError(f"{hint} has no schema")


def _object(hint: Any, required: typing.Iterable[str]) -> Schema:
    return object_of({name: schema_of(one) for name, one in typing.get_type_hints(hint).items()}, required)


def object_of(properties: Mapping[str, Schema], required: typing.Iterable[str] | None = None) -> Schema:
    """An object with these properties, all of them required unless it is said which are."""
    names = properties if required is None else required
    return {"type": "object", "required": sorted(names), "properties": dict(properties)}


def json_schema_of_field(field: Field, *, nullable: bool | None = None) -> Schema:
    """What values a field takes.

    >>> from smallbox.define import number
    >>> json_schema_of_field(number(minimum=0, unit="mile", nullable=True))
    {'type': ['number', 'null'], 'minimum': 0, 'description': 'mile'}

    Args:
        field: the field.
        nullable: whether null is taken; by default what the field says.
    """
    found = dict(_FIELDS[field.type])
    said = [field.unit, "personal" * field.pii]
    if field.minimum is not None:
        found["minimum"] = field.minimum
    if field.maximum is not None:
        found["maximum"] = field.maximum
    if field.pattern and _POSSESSIVE.search(field.pattern):
        said.append(f"the whole text must match the Python pattern {field.pattern}")
    elif field.pattern:
        found["pattern"] = f"^(?:{field.pattern})$"
    is_nullable = field.nullable if nullable is None else nullable
    if is_nullable:
        found["type"] = [found["type"], "null"]
    if field.choices:
        found["enum"] = [*field.choices, *[None] * is_nullable]
    if any(said):
        found["description"] = "; ".join(filter(None, said))
    return found


def json_schema_of_record(source: Source) -> Schema:
    """A record of a source; its key may not be empty."""
    properties = {name: json_schema_of_field(field) for name, field in source.fields.items()}
    properties[source.key]["minLength"] = 1
    required = [name for name, field in source.fields.items() if not field.nullable]
    return {**object_of(properties, required), "additionalProperties": False}


def json_schema_of_instance(model: Model) -> Schema:
    """An instance for a version of the deployed definition; fields that it does not need may be left out."""
    fields, key = model.request.fields, model.request.key
    required = [n for n in dict.fromkeys([key, *model.request_fields]) if not fields[n].nullable]
    properties = {name: json_schema_of_field(field, nullable=name not in required) for name, field in fields.items()}
    return {**object_of(properties, required), "additionalProperties": False}
