"""A version's explainer as a file beside its model: arrays of numpy, and a JSON document."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

import numpy as np

from smallbox.arrays import Array
from smallbox.errors import NotReady
from smallbox.explanations.edge_cases import Familiar
from smallbox.explanations.explainer import BaselineRow, Explainer, ReadModel
from smallbox.explanations.linear import Linear
from smallbox.explanations.tree_nodes import TreeNodes

_FORMAT: Final = 1
_SUMS: Final[Mapping[str, type[TreeNodes] | type[Linear]]] = {"trees": TreeNodes, "linear": Linear}


def explainer_to_bytes(explainer: Explainer) -> bytes:
    """The file; the same explainer gives the same bytes."""
    known, row = explainer.familiar, explainer.baseline
    about = {
        "format": _FORMAT,
        "scale": explainer.scale,
        "sorted": [explainer.first_sorted, explainer.stop_sorted],
        "declared": row.is_declared,
        "baseline_texts": row.categorical.tolist(),
        "categories": [None if one is None else sorted(one) for one in known.categories],
        "limit": known.limit,
        "kind": "" if explainer.model is None else _kind_of(explainer.model),
    }
    arrays = {
        "about": _as_array(json.dumps(about).encode()),
        "baseline_numbers": row.numeric,
        **{name: getattr(known, name) for name in _NUMBERS},
        **({} if explainer.model is None else _arrays_of(explainer.model)),
    }
    into = io.BytesIO()
    np.savez_compressed(into, allow_pickle=False, **arrays)
    return into.getvalue()


_NUMBERS: Final = ("lowest", "highest", "knots", "covariance")


def explainer_from_bytes(content: bytes, sha256: str) -> Explainer:
    """The inverse of :func:`explainer_to_bytes`.

    Args:
        content: the file.
        sha256: its registered SHA-256, in hexadecimal.

    Raises:
        NotReady: when the checksum does not match, or another release wrote the file.
    """
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotReady("the stored explanations do not match their registered checksum; train again")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != _FORMAT:
            raise NotReady("another release stored this version's explanations; train again")
        row = BaselineRow(
            arrays["baseline_numbers"], np.array(about["baseline_texts"], dtype=object), about["declared"]
        )
        categories = [None if known is None else frozenset(known) for known in about["categories"]]
        lowest, highest, knots, covariance = (arrays[name] for name in _NUMBERS)
        known = Familiar(lowest, highest, categories, knots, covariance, about["limit"])
        first, stop = about["sorted"]
        return Explainer(about["scale"], first, stop, row, _model_of(about["kind"], arrays), known)


def _kind_of(model: ReadModel) -> str:
    return next(name for name, kind in _SUMS.items() if isinstance(model.sums, kind))


def _arrays_of(model: ReadModel) -> dict[str, Array]:
    return {
        "preparation": _as_array(model.preparation),
        "owners": model.owners,
        "intercepts": model.intercepts,
        **{f"sums_{one.name}": getattr(model.sums, one.name) for one in fields(model.sums)},
    }


def _model_of(kind: str, arrays: Mapping[str, Any]) -> ReadModel | None:
    if not kind:
        return None
    sums = _SUMS[kind](**{one.name: arrays[f"sums_{one.name}"] for one in fields(_SUMS[kind])})
    return ReadModel(arrays["preparation"].tobytes(), arrays["owners"], sums, arrays["intercepts"])


def _as_array(content: bytes) -> Array:
    return np.frombuffer(content, np.uint8)
