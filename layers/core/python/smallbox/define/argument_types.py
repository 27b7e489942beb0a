"""Type checks for arguments of definitions: they name the wrong argument before it fails deep inside."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, get_args

from smallbox.errors import DefinitionError

_PLAIN: Final = {
    float: "a number, without quotes",
    int: "a whole number, without quotes",
    bool: "True or False",
    str: "a text, in quotes",
}
"""What to write for an argument of each plain type; used in error messages."""


def check_kind(place: str, value: Any, kind: Any, write: str) -> None:
    """Raise unless the value has the type ``kind``.

    >>> check_kind("label: source", "outcomes", dict, "a Source, without quotes")
    Traceback (most recent call last):
    smallbox.errors.DefinitionError: label: source is 'outcomes' (str); write a Source, without quotes

    Raises:
        DefinitionError: naming the place, the value and what to write instead.
    """
    if not isinstance(value, kind):
        raise DefinitionError(f"{place} is {_shown(value)} ({type(value).__name__}); write {write}")


def check_several(place: str, values: Any, kind: Any, write: str) -> None:
    """Raise unless ``values`` is a list or tuple of the type ``kind``.

    >>> check_several("model m: inputs", "amount", str, "field names, like ('amount',)")
    Traceback (most recent call last):
    smallbox.errors.DefinitionError: model m: inputs is 'amount' (str); write field names, like ('amount',)

    Raises:
        DefinitionError: naming the place, the first wrong value and what to write instead.
    """
    check_kind(place, values, (list, tuple), write)
    for value in values:
        check_kind(f"{place}: one", value, kind, write)


def check_by_name(place: str, values: Any, kind: Any, write: str) -> None:
    """Raise unless ``values`` is a mapping of names to the type ``kind``.

    Raises:
        DefinitionError: naming the place, the first wrong value and what to write instead.
    """
    check_kind(place, values, Mapping, write)
    for name, value in values.items():
        check_kind(f"{place}: {name}", value, kind, write)


def check_declared(place: str, rule: Any) -> None:
    """Raise unless the attributes of a dataclass have their declared types; only plain types are checked.

    >>> from smallbox.define.rules import Gate
    >>> Gate(min_skill="0.6")
    Traceback (most recent call last):
    smallbox.errors.DefinitionError: Gate: min_skill is '0.6' (str); write a number, without quotes

    Raises:
        DefinitionError: naming the place, the first wrong value and what to write instead.
    """
    for field in fields(rule):
        declared = [kind for kind in (get_args(field.type) or (field.type,)) if kind is not type(None)]
        if not field.init or len(declared) != 1 or declared[0] not in _PLAIN:
            continue
        value, write = getattr(rule, field.name), _PLAIN[declared[0]]
        if value is None and len(get_args(field.type)) > 1:
            continue
        if isinstance(value, bool) and declared[0] is not bool:
            raise DefinitionError(f"{place}: {field.name} is {value}; write {write}")
        check_kind(f"{place}: {field.name}", value, (int, float) if declared[0] is float else declared[0], write)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 40 else f"{text[:36]} ..."  # noqa: PLR2004 - a sentence stays one line


def check_share(place: str, name: str, value: float) -> None:
    """Raise unless the value lies between 0 and 1.

    Raises:
        DefinitionError: naming the place, the argument and the value.
    """
    if not 0 <= value <= 1:
        raise DefinitionError(f"{place}: {name}={value} must lie between 0 and 1")
