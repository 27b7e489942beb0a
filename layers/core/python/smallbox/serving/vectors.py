"""From a request to the model's two matrices: what the caller sent, and what the store adds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallbox.define.model import Model
from smallbox.define.view import FeatureView
from smallbox.features.tiles import unpack, value
from smallbox.ports import OnlineStore, StateKey, StoredState
from smallbox.times import Micros

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


def online_vectors(model: Model, instances: Sequence[Mapping[str, Any]], store: OnlineStore, as_of: Micros) -> Vectors:
    """Read every entity of the batch in one call and put the inputs together.

    An entity that the store does not know has the features of one that nothing happened to.
    """
    entities = {view.name: [view.entity_of(i) or "" for i in instances] for view in model.views}
    keys = list(dict.fromkeys(StateKey(name, e) for name, column in entities.items() for e in column if e))
    states = store.read(keys)
    stored = [_view_features(view, entities[view.name], states, as_of) for view in model.views]
    numeric, categorical = request_matrices(model, instances)
    return Vectors(np.hstack([numeric, *stored]), categorical, entities)


def request_matrices(model: Model, instances: Sequence[Mapping[str, Any]]) -> tuple[Floats, npt.NDArray[np.object_]]:
    """What the caller sends of the model's inputs: the numeric columns, and all the text columns."""
    return _numeric(model, instances), _categorical(model, instances)


def _view_features(
    view: FeatureView, entities: Sequence[str], states: Mapping[StateKey, StoredState], as_of: Micros
) -> Floats:
    known = {e: _features(view, states.get(StateKey(view.name, e)), as_of) for e in set(entities)}
    return np.array([known[e] for e in entities], dtype=np.float64).reshape(len(entities), len(view.features))


def _features(view: FeatureView, state: StoredState | None, as_of: Micros) -> Floats:
    return value(view, None if state is None else unpack(view, state.packed), as_of)


def _numeric(model: Model, instances: Sequence[Mapping[str, Any]]) -> Floats:
    names = [n for n in model.columns.numeric if n in model.inputs]
    rows = [[np.nan if i.get(n) is None else float(i[n]) for n in names] for i in instances]
    return np.array(rows, dtype=np.float64).reshape(len(instances), len(names))


def _categorical(model: Model, instances: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.object_]:
    names = model.columns.categorical
    rows = [["" if i.get(n) is None else i[n] for n in names] for i in instances]
    return np.array(rows, dtype=object).reshape(len(instances), len(names))
