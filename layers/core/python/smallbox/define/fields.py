"""The schema of a source: types of fields, and constraints on their values."""

from dataclasses import dataclass
from typing import Literal

from smallbox.define.argument_types import check_declared
from smallbox.define.patterns import check_pattern
from smallbox.errors import DefinitionError

FieldType = Literal["text", "number", "integer", "boolean", "timestamp"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a source's contract. Written with :func:`text`, :func:`number` and the others.

    Attributes:
        type: the type of a value.
        nullable: whether the value may be null or left out.
        minimum: the smallest number allowed, inclusive.
        maximum: the greatest number allowed, inclusive.
        choices: the only texts allowed; empty means any.
        pattern: a regular expression that the whole text must match; empty means any.
        unit: the unit of a number, as documentation.
        pii: whether the value is personal data. Personal values are shown only in quarantine, where the record can be
            corrected. Keys, entities and labels cannot be personal, nor can a text that is a model input or that an
            on-demand feature reads.

    Raises:
        DefinitionError: when minimum is above maximum, or the pattern is invalid or may be slow; see :mod:`.patterns`.
    """

    type: FieldType
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    unit: str = ""
    pii: bool = False

    def __post_init__(self) -> None:
        check_declared("field", self)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise DefinitionError(f"minimum {self.minimum} is above maximum {self.maximum}; swap them")
        if self.pattern and self.choices:
            raise DefinitionError(f"choices already list every text; leave the pattern {self.pattern!r} out")
        if self.pattern:
            check_pattern(self.pattern)

    @property
    def is_numeric(self) -> bool:
        """Whether a model can use the value as a number; booleans count as 0 and 1."""
        return self.type in {"number", "integer", "boolean"}


def text(*, choices: tuple[str, ...] = (), pattern: str = "", nullable: bool = False, pii: bool = False) -> Field:
    r"""A text, at most 256 characters.

    Args:
        choices: the only texts allowed.
        pattern: a regular expression that the whole text must match, like ``r"[A-Z]{2}\d{1,4}"``. A group may only be
            repeated possessively, and at most three repeats may have no upper limit. This bounds matching to about a
            tenth of a second per text.
        nullable: whether it may be null or left out.
        pii: whether it is personal data.
    """
    return Field("text", nullable=nullable, choices=choices, pattern=pattern, pii=pii)


def number(
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
    nullable: bool = False,
    pii: bool = False,
) -> Field:
    """A finite number."""
    return Field("number", nullable=nullable, minimum=minimum, maximum=maximum, unit=unit, pii=pii)


def integer(
    *, minimum: int | None = None, maximum: int | None = None, unit: str = "", nullable: bool = False, pii: bool = False
) -> Field:
    """A whole number."""
    return Field("integer", nullable=nullable, minimum=minimum, maximum=maximum, unit=unit, pii=pii)


def boolean(*, nullable: bool = False, pii: bool = False) -> Field:
    """True or false."""
    return Field("boolean", nullable=nullable, pii=pii)


def timestamp(*, nullable: bool = False, pii: bool = False) -> Field:
    """An ISO 8601 timestamp with an offset from UTC."""
    return Field("timestamp", nullable=nullable, pii=pii)
