"""Conditions on a record: what an aggregate counts, or which records it looks at."""

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
"""What each operator does with a value and what it is held against; all but ``in`` take arrays of numbers too."""

_ORDERING: Final = {">", ">=", "<", "<="}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one field. Of a record where that field is null it neither holds nor fails.

    Written with :func:`equal`, :func:`above` and the others.

    Attributes:
        field: the field it reads.
        operator: how the field's value is held against ``value``.
        value: a number (true and false are 1 and 0), a text, or for ``in`` some texts.
    """

    field: str
    operator: Operator
    value: float | str | tuple[str, ...]

    def check(self, place: str, fields: Mapping[str, Field]) -> None:
        """Refuse a condition that the fields cannot answer.

        Raises:
            DefinitionError: naming the place, the field and what to write instead.
        """
        found = fields.get(self.field)
        if found is None:
            raise DefinitionError(f"{place}: {self.field!r} is no field of the source; it has {', '.join(fields)}")
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
    """The field has a value, and another than this."""
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
        DefinitionError: when it is given one text instead of several.
    """
    if isinstance(values, str):
        raise DefinitionError(f"one_of({field!r}, {values!r}): give several texts, like [{values!r}], or write equal")
    return Condition(field, "in", tuple(values))
