"""From a request to the model's two matrices: what the caller sent, and what the store adds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallbox.define.model import Model
from smallbox.define.view import FeatureView
from smallbox.errors import InvalidInput
from smallbox.features.tiles import unpack, value
from smallbox.ports import StateKey, StateReader, StoredState
from smallbox.times import Moment, format_moment

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Vectors:
    """The inputs of a batch of ``n`` instances.

    Attributes:
        numeric: ``(n, len(columns.numeric))``, as the store holds them; the model takes them as float32.
        categorical: ``(n, len(columns.categorical))`` of text.
        entities: by view, the entity of each instance; ``""`` when a part of its name is missing.
    """

    numeric: Floats
    categorical: npt.NDArray[np.object_]
    entities: Mapping[str, Sequence[str]]


def online_vectors(model: Model, instances: Sequence[Mapping[str, Any]], store: StateReader, moment: Moment) -> Vectors:
    """Read every entity of the batch in one call and put the inputs together.

    An entity that the store does not know has the features of one that nothing happened to.

    Raises:
        InvalidInput: when a replay asks as of a moment before what the store holds already.
    """
    entities = {view.name: [view.entity_of(i) or "" for i in instances] for view in model.views}
    keys = list(dict.fromkeys(StateKey(name, e) for name, column in entities.items() for e in column if e))
    states = store.read(keys)
    stored = [_view_features(view, entities[view.name], states, moment) for view in model.views]
    numeric, categorical = request_matrices(model, instances)
    return Vectors(np.hstack([numeric, *stored]), categorical, entities)


def unknown_vectors(model: Model, instances: Sequence[Mapping[str, Any]]) -> Vectors:
    """The inputs where the store cannot be read: what the caller sent, and no feature."""
    numeric, categorical = request_matrices(model, instances)
    nothing = np.full((len(instances), len(model.feature_names)), np.nan)
    entities = {view.name: [view.entity_of(i) or "" for i in instances] for view in model.views}
    return Vectors(np.hstack([numeric, nothing]), categorical, entities)


def request_matrices(model: Model, instances: Sequence[Mapping[str, Any]]) -> tuple[Floats, npt.NDArray[np.object_]]:
    """What the caller sends of the model's inputs: the numeric columns, and all the text columns."""
    return _numeric(model, instances), _categorical(model, instances)


def _view_features(
    view: FeatureView, entities: Sequence[str], states: Mapping[StateKey, StoredState], moment: Moment
) -> Floats:
    known = {e: _features(view, states.get(StateKey(view.name, e)), moment) for e in set(entities)}
    return np.array([known[e] for e in entities], dtype=np.float64).reshape(len(entities), len(view.features))


def _features(view: FeatureView, stored: StoredState | None, moment: Moment) -> Floats:
    state = None if stored is None else unpack(view, stored.packed)
    if state is not None and moment.is_replayed and state.watermark > moment.at:
        raise InvalidInput(
            f"the store already holds what was known at {format_moment(state.watermark)}; "
            f"it cannot answer as of {format_moment(moment.at)}",
            view=view.name,
        )
    return value(view, state, moment.at)


def _numeric(model: Model, instances: Sequence[Mapping[str, Any]]) -> Floats:
    names = [n for n in model.columns.numeric if n in model.inputs]
    rows = [[np.nan if i.get(n) is None else float(i[n]) for n in names] for i in instances]
    return np.array(rows, dtype=np.float64).reshape(len(instances), len(names))


def _categorical(model: Model, instances: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.object_]:
    names = model.columns.categorical
    rows = [["" if i.get(n) is None else i[n] for n in names] for i in instances]
    return np.array(rows, dtype=object).reshape(len(instances), len(names))
