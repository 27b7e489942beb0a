"""Refuses an argument of the wrong kind by name, before it fails somewhere inside."""

from collections.abc import Mapping
from typing import Any

from smallbox.errors import DefinitionError


def check_kind(place: str, value: Any, kind: Any, write: str) -> None:
    """Refuse a value that is not of a kind.

    >>> check_kind("label: source", "outcomes", dict, "a Source, without quotes")
    Traceback (most recent call last):
    smallbox.errors.DefinitionError: label: source is 'outcomes' (str); write a Source, without quotes

    Raises:
        DefinitionError: naming the place, the value and what to write instead.
    """
    if not isinstance(value, kind):
        raise DefinitionError(f"{place} is {_shown(value)} ({type(value).__name__}); write {write}")


def check_several(place: str, values: Any, kind: Any, write: str) -> None:
    """Refuse what is not a list or tuple of a kind.

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
    """Refuse what is not a mapping of names to a kind.

    Raises:
        DefinitionError: naming the place, the first wrong value and what to write instead.
    """
    check_kind(place, values, Mapping, write)
    for name, value in values.items():
        check_kind(f"{place}: {name}", value, kind, write)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 40 else f"{text[:36]} ..."  # noqa: PLR2004 - a sentence stays one line
