"""Attributes: slowly changing facts of an entity, looked up as of a moment (point in time)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from smallbox.define.argument_types import check_by_name, check_kind
from smallbox.define.source import Source, check_name
from smallbox.define.view import FeatureView, entity_of, entity_tuple
from smallbox.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute feature. Written with :func:`attribute`.

    Attributes:
        field: the source field that holds it.
        default: replaces a missing value. Without a default a missing text is ``""`` and a missing number stays NaN.
    """

    field: str
    default: float | str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that the attribute reads."""
        return (self.field,)


def attribute(field: str, *, default: float | str | None = None) -> Attribute:
    """The value of a field, from the entity's record that is valid at the moment of the feature lookup."""
    return Attribute(field, default)


@dataclass(frozen=True, eq=False)
class Attributes:
    """View of slowly changing facts of one kind of entity. A record is valid from its event time on.

    A lookup at a moment is a point-in-time join: of the entity's records that were known by then and whose event time
    has passed, the one with the latest event time is valid. Ties go to the greater key. There are no tiles, so a record
    counts at once.

    If the source's key is the entity itself, a later record replaces the earlier one as soon as it is known, even
    before its own event time. Give facts that are announced ahead of time a key of their own.

    Attributes:
        name: the name of the view.
        entity: the field, or fields, that name the entity; the same names in the source and in the request.
        source: where the records come from.
        features: attributes by feature name; a feature's name is its column everywhere.

    Raises:
        DefinitionError: when a name, a field or a default is invalid.
    """

    name: str
    entity: str | tuple[str, ...]
    source: Source
    features: Mapping[str, Attribute]
    entity_fields: tuple[str, ...] = field(init=False)
    numeric: tuple[str, ...] = field(init=False)
    texts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        check_name("view", self.name)
        check_kind(f"view {self.name}: source", self.source, Source, "a Source, without quotes")
        check_by_name(
            f"view {self.name}: features",
            self.features,
            Attribute,
            "attributes by name, like {'country': attribute('country')}",
        )
        object.__setattr__(self, "entity_fields", entity_tuple(self.name, self.entity, self.source))
        for name, one in self.features.items():
            self._check(name, one)
        texts = tuple(name for name, one in self.features.items() if self.source.fields[one.field].type == "text")
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "numeric", tuple(name for name in self.features if name not in texts))

    def _check(self, name: str, one: Attribute) -> None:
        check_name(f"view {self.name}: feature", name)
        found = self.source.fields.get(one.field)
        if found is None or not (found.is_numeric or found.type == "text"):
            raise DefinitionError(
                f"view {self.name}: {name}: {one.field!r} must be a field of source {self.source.name} that holds a "
                f"number, a boolean or a text; it has {', '.join(self.source.fields)}"
            )
        if found.type == "text" and found.pii:
            raise DefinitionError(
                f"view {self.name}: {name}: {one.field!r} is a personal text, and its values would be copied to the "
                "reference profile; leave it out, or use a coarser field that is not pii"
            )
        if one.default is not None and isinstance(one.default, str) != (found.type == "text"):
            raise DefinitionError(f"view {self.name}: {name}: default={one.default!r} is not a {found.type}")

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that the view reads, each once."""
        return tuple(dict.fromkeys(one.field for one in self.features.values()))

    def entity_of(self, values: Mapping[str, Any]) -> str | None:
        """The entity key of a record or a request; ``None`` when a part of it is null or empty."""
        return entity_of(self.entity_fields, values)


View: TypeAlias = FeatureView | Attributes
"""A view that the feature store adds to a request: windowed aggregates, or attributes."""
