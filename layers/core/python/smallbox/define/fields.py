"""The fields of a source: what each holds and what it may be."""

from dataclasses import dataclass
from typing import Literal

from smallbox.errors import DefinitionError

FieldType = Literal["text", "number", "integer", "boolean", "timestamp"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a source's contract. Written with :func:`text`, :func:`number` and the others.

    Attributes:
        type: what a value is.
        nullable: whether null, or leaving the field out, is a value.
        minimum: the least number allowed, inclusive.
        maximum: the greatest number allowed, inclusive.
        choices: the only texts allowed; empty means any.
        unit: what a number counts, for the reader.
    """

    type: FieldType
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise DefinitionError(f"minimum {self.minimum} is above maximum {self.maximum}; swap them")

    @property
    def is_numeric(self) -> bool:
        """Whether a model can take the value as a number: booleans count as 0 and 1."""
        return self.type in {"number", "integer", "boolean"}


def text(*, choices: tuple[str, ...] = (), nullable: bool = False) -> Field:
    """A text, at most 256 characters; ``choices`` names the only ones allowed."""
    return Field("text", nullable=nullable, choices=choices)


def number(
    *, minimum: float | None = None, maximum: float | None = None, unit: str = "", nullable: bool = False
) -> Field:
    """A finite number."""
    return Field("number", nullable=nullable, minimum=minimum, maximum=maximum, unit=unit)


def integer(*, minimum: int | None = None, maximum: int | None = None, unit: str = "", nullable: bool = False) -> Field:
    """A whole number."""
    return Field("integer", nullable=nullable, minimum=minimum, maximum=maximum, unit=unit)


def boolean(*, nullable: bool = False) -> Field:
    """True or false."""
    return Field("boolean", nullable=nullable)


def timestamp(*, nullable: bool = False) -> Field:
    """An ISO 8601 moment with its offset from UTC."""
    return Field("timestamp", nullable=nullable)
