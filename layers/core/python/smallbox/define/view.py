"""A feature view: what is computed about one kind of entity from one source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smallbox.define.aggregates import Aggregate
from smallbox.define.source import Source, check_name, check_not_personal
from smallbox.errors import DefinitionError
from smallbox.times import DAY, HOUR, Micros, duration

ENTITY_SEPARATOR = "|"


@dataclass(frozen=True, eq=False)
class FeatureView:
    """Windowed features of one entity, computed the same way by the stream and by batch.

    Attributes:
        name: the name of the view.
        entity: the field, or fields, that name the entity, in the source and in the request alike.
        source: where the records come from.
        features: aggregates by feature name; a feature's name is its column everywhere.
        tile: the fine tile: a window ends at the last fine tile that closed before ``as_of``.

    Raises:
        DefinitionError: when a name, a field or a window is not right.
    """

    name: str
    entity: str | tuple[str, ...]
    source: Source
    features: Mapping[str, Aggregate]
    tile: str = "5m"
    entity_fields: tuple[str, ...] = field(init=False)
    tile_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        check_name("view", self.name)
        entity = (self.entity,) if isinstance(self.entity, str) else tuple(self.entity)
        object.__setattr__(self, "entity_fields", entity)
        object.__setattr__(self, "tile_micros", duration(self.tile))
        for name in entity:
            self._check_field(name, "entity", {"text"})
            check_not_personal(self.source, name, "entity")
        if self.tile_micros <= 0 or HOUR % self.tile_micros:
            raise DefinitionError(f"view {self.name}: tile={self.tile!r} must divide an hour, like '5m'")
        for name, aggregate in self.features.items():
            self._check_feature(name, aggregate)

    def _check_field(self, name: str, role: str, types: set[str]) -> None:
        found = self.source.fields.get(name)
        if found is None or found.type not in types:
            raise DefinitionError(
                f"view {self.name}: {role} {name!r} must be a {' or '.join(sorted(types))} field "
                f"of source {self.source.name}; it has {', '.join(self.source.fields)}"
            )

    def _check_feature(self, name: str, aggregate: Aggregate) -> None:
        check_name(f"view {self.name}: feature", name)
        if aggregate.window_micros % self.tile_size(aggregate):
            raise DefinitionError(
                f"view {self.name}: {name}: window {aggregate.window!r} is not a whole number of its tiles; "
                f"write whole hours, or under 12h a multiple of {self.tile!r}"
            )
        if aggregate.kind == "rate":
            self._check_field(aggregate.field, name, {"boolean"})
        elif aggregate.kind != "count":
            self._check_field(aggregate.field, name, {"number", "integer", "boolean"})

    def tile_size(self, aggregate: Aggregate) -> Micros:
        """The tile on whose edge the window starts: fine below 12 hours, an hour to 10 days, then a day."""
        if aggregate.window_micros < 12 * HOUR:
            return self.tile_micros
        return HOUR if aggregate.window_micros < 10 * DAY else DAY

    def entity_of(self, values: Mapping[str, Any]) -> str | None:
        """The entity that a record or a request is about; ``None`` when a part of its name is null."""
        parts = [values.get(name) for name in self.entity_fields]
        return None if None in parts else entity_key(parts)  # type: ignore[arg-type]


def entity_key(parts: Sequence[str]) -> str:
    r"""One text for an entity of one or more parts; a separator inside a part is escaped.

    >>> entity_key(["JFK", "LAX"]), entity_key(["a|b"])
    ('JFK|LAX', 'a\\|b')
    """
    return ENTITY_SEPARATOR.join(p.replace("\\", "\\\\").replace("|", "\\|") for p in parts)
