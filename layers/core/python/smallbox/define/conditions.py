"""Conditions on a record: what an aggregate counts, or which records it filters."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from smallbox.define.fields import Field
from smallbox.errors import DefinitionError

Operator = Literal["==", "!=", ">", ">=", "<", "<=", "in"]


def _is_in(value: Any, choices: Any) -> bool:
    return value in choices


OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "in": _is_in,
}
"""The function of each operator: field value, then compared value. All but ``in`` also work on arrays of numbers."""

_ORDERING: Final = {">", ">=", "<", "<="}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one field. As in SQL, it is neither true nor false when the field is null.

    Written with :func:`equal`, :func:`above` and the others.

    Attributes:
        field: the field.
        operator: how the field's value is compared with ``value``.
        value: a number (true and false are 1 and 0), a text, or several texts for ``in``.
    """

    field: str
    operator: Operator
    value: float | str | tuple[str, ...]

    def check(self, place: str, fields: Mapping[str, Field]) -> None:
        """Raise unless the field exists and its type supports the comparison.

        Raises:
            DefinitionError: naming the place, the field and what to write instead.
        """
        found = fields.get(self.field)
        if found is None:
            raise DefinitionError(f"{place}: {self.field!r} is not a field of the source; it has {', '.join(fields)}")
        is_text = not isinstance(self.value, float)
        if is_text != (found.type == "text") or not (found.type == "text" or found.is_numeric):
            raise DefinitionError(
                f"{place}: {self.field!r} is a {found.type} field; it cannot be {self.operator} {self.value!r}"
            )
        if is_text and self.operator in _ORDERING:
            raise DefinitionError(f"{place}: {self.field!r} is a text; write equal, unequal or one_of")


def _number_or_text(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(value)


def equal(field: str, value: float | str) -> Condition:
    """The field has this value."""
    return Condition(field, "==", _number_or_text(value))


def unequal(field: str, value: float | str) -> Condition:
    """The field has a value, but not this one."""
    return Condition(field, "!=", _number_or_text(value))


def above(field: str, value: float) -> Condition:
    """The field is greater than this."""
    return Condition(field, ">", float(value))


def at_least(field: str, value: float) -> Condition:
    """The field is this or greater."""
    return Condition(field, ">=", float(value))


def below(field: str, value: float) -> Condition:
    """The field is less than this."""
    return Condition(field, "<", float(value))


def at_most(field: str, value: float) -> Condition:
    """The field is this or less."""
    return Condition(field, "<=", float(value))


def one_of(field: str, values: Sequence[str]) -> Condition:
    """The text field has one of these values.

    Raises:
        DefinitionError: when ``values`` is a single text.
    """
    if isinstance(values, str):
        raise DefinitionError(f"one_of({field!r}, {values!r}): give several texts, like [{values!r}], or write equal")
    return Condition(field, "in", tuple(values))
