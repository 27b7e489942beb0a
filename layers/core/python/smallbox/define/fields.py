"""The fields of a source: what each holds and what it may be."""

from dataclasses import dataclass
from typing import Literal

from smallbox.define.kinds import check_declared
from smallbox.define.patterns import check_pattern
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
        pattern: a regular expression that the whole text must match; empty means any.
        unit: what a number counts, for the reader.
        pii: whether the value is personal: it is then shown nowhere but in quarantine, where its record can be mended.
            Key, entity and label cannot be personal, nor can a text that a model sees or an on-demand feature reads.

    Raises:
        DefinitionError: when the limits cross, or the pattern is none or may take long; see :mod:`.patterns`.
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
            raise DefinitionError(f"choices name every text, so leave the pattern {self.pattern!r} out")
        if self.pattern:
            check_pattern(self.pattern)

    @property
    def is_numeric(self) -> bool:
        """Whether a model can take the value as a number: booleans count as 0 and 1."""
        return self.type in {"number", "integer", "boolean"}


def text(*, choices: tuple[str, ...] = (), pattern: str = "", nullable: bool = False, pii: bool = False) -> Field:
    r"""A text, at most 256 characters.

    Args:
        choices: the only texts allowed.
        pattern: a regular expression that the whole text must match, like ``r"[A-Z]{2}\d{1,4}"``. A group may repeat
            only possessively, and at most three repeats may be open-ended: so a text takes at worst about a tenth of a
            second.
        nullable: whether it may be null or left out.
        pii: whether it is personal.
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
    """An ISO 8601 moment with its offset from UTC."""
    return Field("timestamp", nullable=nullable, pii=pii)
