"""Online states as the lake gives them: what the stream would have, had it seen every record."""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import Attributes, View
from smallbox.features import facts
from smallbox.features.cells import Cells, combine
from smallbox.features.rows import Rows, entities_of, rows_of
from smallbox.features.tiles import Level, State, pruned
from smallbox.features.window import ahead, levels
from smallbox.ingestion.table import standing
from smallbox.times import Micros


def recompute(view: View, table: pa.Table, as_of: Micros) -> dict[str, Any]:
    """The state of every entity, from the versions that counted at ``as_of``, which is their watermark.

    A key of which nothing was known then has its first version, as it has in the stream. Records further
    :func:`~smallbox.features.window.ahead` than a state keeps are left out, as they are there.

    Args:
        view: the view.
        table: rows of its source as the lake holds them, all that may still be in a window.
        as_of: the present, or a replay's.
    """
    standing_then = standing(table, as_of)
    near = standing_then.filter(pc.less(standing_then["time"], as_of + ahead(view.source)))
    if isinstance(view, Attributes):
        return _facts(view, near, as_of)
    rows = rows_of(view, near)
    cells = rows.lifted(view)
    names = rows.names.to_pylist()
    by_level = [_levels(rows, cells, size) for size in levels(view)]
    parts = zip(*by_level, strict=True)
    return {name: pruned(view, State(as_of, tuple(own))) for name, own in zip(names, parts, strict=True)}


def _facts(view: Attributes, table: pa.Table, as_of: Micros) -> dict[str, facts.Facts]:
    found: dict[str, list[facts.Fact]] = {}
    columns = [table[name].to_pylist() for name in ("time", "key", "known_at", *view.fields)]
    for entity, time, key, known_at, *said in zip(entities_of(view, table).to_pylist(), *columns, strict=True):
        if entity is not None:
            found.setdefault(entity, []).append(facts.Fact(time, key, known_at, tuple(said)))
    states = {entity: facts.Facts(as_of, tuple(sorted(said, key=facts.order))) for entity, said in found.items()}
    return {entity: facts.pruned(view, state) for entity, state in states.items()}


def _levels(rows: Rows, cells: Cells, size: Micros) -> list[Level]:
    """The tiles of one size, for each entity."""
    if not len(rows.time):
        return []
    tile = rows.time // size
    first = int(tile.min())
    span = int(tile.max()) - first + 1
    places, tiles = combine(cells, rows.entity * span + tile - first)
    bounds = np.searchsorted(places, np.arange(len(rows.names) + 1) * span)
    index = places % span + first
    slices = [slice(int(a), int(b)) for a, b in pairwise(bounds)]
    return [Level(index[part], tiles.take(part)) for part in slices]
