"""The model's inputs for a request: what the caller sent, and the features of the online store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallbox.arrays import Array, Floats
from smallbox.define.attributes import View
from smallbox.define.signature import Signature
from smallbox.errors import InvalidInput
from smallbox.features.engine import StoredFeatures
from smallbox.features.inputs.assembly import Inputs, assemble, request_arrays
from smallbox.features.online.states import SetAside, state_key, unpack_state
from smallbox.features.state_engines import state_engine_of
from smallbox.ports import StateReader, StoredState
from smallbox.times import Micros, Moment, format_moment

FeatureValues = tuple[Floats, list[str | None]]


@dataclass(frozen=True, slots=True)
class Vectors:
    """The inputs of a batch of ``n`` instances, and what they were computed from.

    Attributes:
        inputs: the model's inputs.
        sent: the sent fields, an array each.
        entities: the entity of each instance, by view; ``None`` when it has none.
    """

    inputs: Inputs
    request_arrays: Mapping[str, Array]
    entities: Mapping[str, Sequence[str | None]]


def entities_by_view(signature: Signature, instances: Sequence[Mapping[str, Any]]) -> dict[str, list[str | None]]:
    """The entity of each instance, by view; ``None`` when it has none."""
    return {view.name: [view.entity_of(i) for i in instances] for view in signature.views}


def vectors_of(
    signature: Signature,
    instances: Sequence[Mapping[str, Any]],
    entities: Mapping[str, Sequence[str | None]],
    stored: StoredFeatures,
) -> Vectors:
    """The vectors of instances, from their :func:`entities_by_view` and their stored features."""
    request = request_arrays(signature, instances)
    return Vectors(assemble(signature, request, stored), request, entities)


def online_vectors(
    signature: Signature,
    instances: Sequence[Mapping[str, Any]],
    store: StateReader,
    moment: Moment,
    within: Micros | None = None,
) -> Vectors:
    """Read every entity of the batch in one call and assemble the inputs.

    An entity without a state has the features of an entity without records. The features of an entity whose state was
    set aside are all missing.

    Raises:
        Unavailable: the store did not answer in the time ``within``.
        InvalidInput: a replay asks as of a moment before the watermark of a state.
        NotReady: a state was stored for another definition of its view.
    """
    entities = entities_by_view(signature, instances)
    keys = dict.fromkeys(state_key(view, e) for view in signature.views for e in entities[view.name] if e)
    states = store.read([*keys], within) if keys else {}
    stored = StoredFeatures.nothing(signature, len(instances))
    number = text = 0
    for view in signature.views:
        known = {
            entity: _features(view, states.get(state_key(view, entity)) if entity else None, moment)
            for entity in set(entities[view.name])
        }
        after = number + len(view.numeric), text + len(view.texts)
        for row, entity in enumerate(entities[view.name]):
            stored.numeric[row, number : after[0]], stored.texts[row, text : after[1]] = known[entity]
        number, text = after
    return vectors_of(signature, instances, entities, stored)


def unknown_vectors(signature: Signature, instances: Sequence[Mapping[str, Any]]) -> Vectors:
    """The inputs when the store cannot be read: what the caller sent, and the defaults of the stored features."""
    nothing = StoredFeatures.nothing(signature, len(instances))
    return vectors_of(signature, instances, entities_by_view(signature, instances), nothing)


def _features(view: View, stored: StoredState | None, moment: Moment) -> FeatureValues:
    engine = state_engine_of(view)
    state = None if stored is None else unpack_state(view, stored.packed)
    if state is not None and moment.is_replayed and state.watermark > moment.at:
        raise InvalidInput(
            f"the store already holds what was known at {format_moment(state.watermark)}; "
            f"it cannot answer as of {format_moment(moment.at)}",
            view=view.name,
        )
    if isinstance(state, SetAside):
        return np.full(len(view.numeric), np.nan), [None] * len(view.texts)
    return engine.numbers(view, state, moment.at), engine.texts(view, state, moment.at)
