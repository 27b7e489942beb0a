"""A feature view: windowed features of one kind of entity from one source."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from smallbox.define.aggregates import Aggregate
from smallbox.define.argument_types import check_by_name, check_kind
from smallbox.define.conditions import Condition
from smallbox.define.source import Source, check_name, check_not_personal
from smallbox.define.tiles import STATE_LIMIT, max_state_bytes, tile_size_of, tile_sizes_of
from smallbox.errors import DefinitionError
from smallbox.times import HOUR, Micros, duration

ENTITY_SEPARATOR: Final = "|"

_NUMERIC: Final = frozenset({"number", "integer", "boolean"})
_TYPES: Final = {"rate": frozenset({"boolean"}), "distinct": _NUMERIC | {"text"}}
"""The field types of aggregates that do not simply take any number."""


@dataclass(frozen=True, eq=False)
class FeatureView:
    """Windowed features of one kind of entity, with the same values from stream and batch.

    Attributes:
        name: the name of the view.
        entity: the field, or fields, that name the entity; the same names in the source and in the request.
        source: where the records come from.
        features: aggregates by feature name; a feature's name is its column everywhere.
        tile: length of the fine tile; a window ends with the last fine tile that closed before ``as_of``.
        entity_fields: the fields of ``entity`` as a tuple.
        tile_micros: length of the fine tile, microseconds.
        tile_sizes: the tile lengths that a state keeps, microseconds, ascending: those at which windows start, and the
            finer ones that fill the rest up to a window's end.

    Raises:
        DefinitionError: when a name, a field or a window is invalid.
    """

    name: str
    entity: str | tuple[str, ...]
    source: Source
    features: Mapping[str, Aggregate]
    tile: str = "5m"
    entity_fields: tuple[str, ...] = field(init=False)
    tile_micros: Micros = field(init=False)
    tile_sizes: tuple[Micros, ...] = field(init=False)

    def __post_init__(self) -> None:
        check_name("view", self.name)
        check_kind(f"view {self.name}: source", self.source, Source, "a Source, without quotes")
        check_by_name(
            f"view {self.name}: features",
            self.features,
            Aggregate,
            "aggregates by name, like {'payments_1h': count('1h')}",
        )
        object.__setattr__(self, "entity_fields", entity_tuple(self.name, self.entity, self.source))
        object.__setattr__(self, "tile_micros", duration(self.tile))
        if self.tile_micros <= 0 or HOUR % self.tile_micros:
            raise DefinitionError(f"view {self.name}: tile={self.tile!r} must divide an hour, like '5m'")
        for name, aggregate in self.features.items():
            self._check_feature(name, aggregate)
        object.__setattr__(self, "tile_sizes", tile_sizes_of(self.features.values(), self.tile_micros))
        self._check_size()

    def _check_feature(self, name: str, aggregate: Aggregate) -> None:
        check_name(f"view {self.name}: feature", name)
        if aggregate.window_micros % self.tile_size(aggregate):
            raise DefinitionError(
                f"view {self.name}: {name}: window {aggregate.window!r} is not a whole number of its tiles; "
                f"write a multiple of {self.tile!r} below 12h, whole hours below 10d, and whole days from there on"
            )
        operand = aggregate.operand
        for condition in (*([operand.holds] if operand.holds else []), *operand.where):
            if not isinstance(condition, Condition):
                raise DefinitionError(
                    f"view {self.name}: {name}: {condition!r} is not a condition; write like equal('channel', 'web')"
                )
            condition.check(f"view {self.name}: {name}", self.source.fields)
        if operand.field:
            check_field(self.name, self.source, operand.field, name, _TYPES.get(aggregate.kind, _NUMERIC))
        elif aggregate.kind == "rate" and operand.holds is None:
            raise DefinitionError(f"view {self.name}: {name}: a rate needs a boolean field or a condition")

    @property
    def max_bytes(self) -> int:
        """Maximum size of a state in bytes, if no record arrives earlier than ``known_after`` declares."""
        return max_state_bytes(self.features.values(), self.tile_micros, self.source.known_after_micros or 0)

    def _check_size(self) -> None:
        if self.max_bytes > STATE_LIMIT:
            raise DefinitionError(
                f"view {self.name}: the state of a busy entity could have {self.max_bytes // 1000} KB; the maximum is "
                f"{STATE_LIMIT // 1000} KB; make windows shorter, write fewer distinct(...) features, or "
                "split the features over two views"
            )

    def tile_size(self, aggregate: Aggregate) -> Micros:
        """Length of the tiles at whose edge the aggregate's window starts; see :func:`tile_size_of`."""
        return tile_size_of(aggregate.window_micros, self.tile_micros)

    def entity_of(self, values: Mapping[str, Any]) -> str | None:
        """The entity key of a record or a request; ``None`` when a part of it is null or empty."""
        return entity_of(self.entity_fields, values)

    @property
    def numeric(self) -> tuple[str, ...]:
        """The numeric features: all of them."""
        return tuple(self.features)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text features: none; only attributes can be texts."""
        return ()


def check_field(view: str, source: Source, name: str, role: str, types: Collection[str]) -> None:
    """Raise unless the source has the field with one of these types."""
    found = source.fields.get(name)
    if found is None or found.type not in types:
        raise DefinitionError(
            f"view {view}: {role} {name!r} must be a {' or '.join(sorted(types))} field "
            f"of source {source.name}; it has {', '.join(source.fields)}"
        )


def entity_tuple(view: str, entity: str | tuple[str, ...], source: Source) -> tuple[str, ...]:
    """The fields that name an entity, as a tuple.

    Raises:
        DefinitionError: when one is not a text field of the source, or is personal.
    """
    fields = (entity,) if isinstance(entity, str) else tuple(entity)
    for name in fields:
        check_field(view, source, name, "entity", {"text"})
        check_not_personal(source, name, "entity")
    return fields


def entity_of(fields: Sequence[str], values: Mapping[str, Any]) -> str | None:
    """The entity key of some values; ``None`` when a part of it is null or empty, because that is not an entity.

    >>> entity_of(["who", "where"], {"who": "a", "where": "b"}), entity_of(["who"], {"who": ""})
    ('a|b', None)
    """
    parts = [values.get(name) for name in fields]
    return entity_key(parts) if all(parts) else None  # type: ignore[arg-type]


def entity_key(parts: Sequence[str]) -> str:
    r"""Join the parts of an entity into one key; a separator inside a part is escaped.

    >>> entity_key(["JFK", "LAX"]), entity_key(["a|b"])
    ('JFK|LAX', 'a\\|b')
    """
    return ENTITY_SEPARATOR.join(p.replace("\\", "\\\\").replace("|", "\\|") for p in parts)
