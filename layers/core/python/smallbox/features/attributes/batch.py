"""The batch engine of attributes: a point-in-time (as-of) join for many questions at once, from the lake."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints, pairs
from smallbox.define.attributes import Attributes
from smallbox.features.attributes.state import AttributeState, Fact, order, without_past_facts
from smallbox.features.columns import Names, entities_of, find, floats
from smallbox.features.engine import BatchEngine, StoredFeatures
from smallbox.times import Micros


class AttributeBatch(BatchEngine[Attributes, AttributeState]):
    """The batch engine of attributes."""

    def features(self, view: Attributes, versions: pa.Table, entities: Names, as_of: Ints) -> StoredFeatures:
        """Point-in-time attributes, one row per question: the latest fact that was valid and known at ``as_of``."""
        named = versions.append_column("entity", entities_of(view, versions))
        facts = named.filter(pc.is_valid(named["entity"])).sort_by([("time", "ascending"), ("key", "ascending")])
        in_effect = _in_effect(_Block.of(facts), entities, as_of)
        chosen = facts.select(list(view.fields)).take(pa.array(in_effect, mask=in_effect < 0))
        numbers = [floats(chosen[view.features[name].field]) for name in view.numeric]
        texts = [np.array(chosen[view.features[name].field].to_pylist(), dtype=object) for name in view.texts]
        rows = len(in_effect)
        return StoredFeatures(
            np.column_stack([np.empty((rows, 0)), *numbers]),
            np.column_stack([np.empty((rows, 0), dtype=object), *texts]),
        )

    def states(self, view: Attributes, rows: pa.Table, as_of: Micros) -> dict[str, AttributeState]:
        """The facts of each entity, without those that no later question needs."""
        found: dict[str, list[Fact]] = {}
        columns = [rows[name].to_pylist() for name in ("time", "key", "known_at", *view.fields)]
        for entity, time, key, known_at, *values in zip(entities_of(view, rows).to_pylist(), *columns, strict=True):
            if entity is not None:
                found.setdefault(entity, []).append(Fact(time, key, known_at, tuple(values)))
        states = {entity: AttributeState(as_of, tuple(sorted(facts, key=order))) for entity, facts in found.items()}
        return {entity: without_past_facts(state) for entity, state in states.items()}


ATTRIBUTE_BATCH: Final = AttributeBatch()


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Record versions sorted by (entity, time, key); ``place`` is the sort key of (entity, time)."""

    names: pa.Array
    order: Ints
    place: Ints
    moments: Ints
    known_at: Ints
    superseded_at: Ints

    @classmethod
    def of(cls, facts: pa.Table) -> "_Block":
        encoded = facts["entity"].combine_chunks().dictionary_encode()
        entity = np.asarray(encoded.indices, dtype=np.int64)
        order = np.argsort(entity, kind="stable")
        moments, at = np.unique(facts["time"].to_numpy(), return_inverse=True)
        place = (entity * (len(moments) + 1) + at)[order]
        known_at, superseded_at = (facts[name].to_numpy()[order] for name in ("known_at", "superseded_at"))
        return cls(encoded.dictionary, order, place, moments, known_at, superseded_at)

    def begun(self, entities: Names, as_of: Ints) -> tuple[Ints, Ints]:
        """For each question the range of its entity's versions with ``time <= as_of``: starts and ends."""
        entity = find(entities, self.names)
        width = len(self.moments) + 1
        until = np.searchsorted(self.moments, as_of, side="right")
        return np.searchsorted(self.place, entity * width), np.searchsorted(self.place, entity * width + until)


def _in_effect(block: _Block, entities: Names, as_of: Ints) -> Ints:
    """The row of the fact in effect for each question; -1 means none."""
    in_effect = np.full(len(as_of), -1, np.int64)
    for question, version in pairs(*block.begun(entities, as_of)):
        moment = as_of[question]
        counts = (block.known_at[version] <= moment) & (moment < block.superseded_at[version])
        # versions of a question are in time order, and with repeated indices numpy keeps the last assignment
        in_effect[question[counts]] = block.order[version[counts]]
    return in_effect
