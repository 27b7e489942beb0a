"""The view versions that join and leave in :mod:`tests.properties.seam`, and what they should answer."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from smallbox.define import Attributes, FeatureView, Source, attribute, count, distinct, last, mean
from smallbox.define.attributes import View
from smallbox.records import Record
from tests.properties import oracle
from tests.properties.histories import ENTITIES, PLACES, SOURCES


def versions_of(source: Source) -> dict[str, View]:
    """Versions of two views: other windows, another entity, and one of another kind, under the same two names."""
    short, long = (
        {"n": count("3h"), "size": mean("size", "24h")},
        {"n": count("11d"), "places": distinct("where", "3h")},
    )
    return {
        "short": FeatureView("one", "who", source, short, tile="10m"),
        "long": FeatureView("one", "who", source, long, tile="1h"),
        "placed": FeatureView("one", ("who", "where"), source, {"n": count("24h"), "last": last("size", "10d")}),
        "kept": FeatureView("two", "who", source, {"n": count("10d")}),
        "facts": Attributes("two", "who", source, {"place": attribute("where"), "size": attribute("size")}),
    }


VERSIONS: Final = {name: versions_of(source) for name, source in SOURCES.items()}


def stands(records: Sequence[Record], entity: str, view: Attributes, as_of: int) -> tuple[list[Any], list[Any]]:
    """The size and the place of an entity at a moment, by a loop."""
    begun = [r for r in oracle.versions_at(records, as_of) if oracle.entity_of(view, r) == entity and r.time <= as_of]
    said: Mapping[str, Any] = max(begun, key=lambda r: (r.time, r.key)).values if begun else {}
    return [np.nan if said.get("size") is None else float(said["size"])], [said.get("where")]


def entities_of_view(view: View) -> Iterator[str]:
    """Who the records of a history may be about, in a view."""
    for who, where in itertools.product(ENTITIES, PLACES):
        yield view.entity_of({"who": who, "where": where}) or ""
