"""A signature as JSON: what a version keeps of the definition that it was trained with.

    document = freeze(model)                    # at registration, written once under its digest
    signature = thaw(document, functions)       # wherever the version serves, is audited or is compared

The digest is equal as long as the answers mean the same. A comment, a line of the estimator, a wider range of a field
or a new field that the model does not read change nothing. A window, a filter, a default, a unit, the label, the body
of an on-demand function, a helper or a constant that it uses, or the preparation do.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from smallbox.define.bundle import bundle_of
from smallbox.define.frozen_views import freeze_source, freeze_view, thaw_source, thaw_view
from smallbox.define.model import Model
from smallbox.define.on_demand import OnDemand, parameters_of
from smallbox.define.preparation import preparation_of
from smallbox.define.rules import Label
from smallbox.define.signature import Signature
from smallbox.errors import NotReady
from smallbox.objectives.stored_objective import objective_of
from smallbox.records import COMPACT_JSON
from smallbox.times import written

_LABEL = ("source_name", "on", "value", "within", "otherwise")


@lru_cache(maxsize=64)
def freeze(model: Model) -> Mapping[str, Any]:
    """The signature of a definition, with the digest of its on-demand functions and its preparation."""
    label = {name: getattr(model.label, name) for name in _LABEL}
    if model.label.prediction is not None:  # else the digests of versions from before it would change
        label["prediction"] = model.label.prediction
    return {
        "model": model.name,
        "request": freeze_source(model.request, model.request_fields),
        "inputs": list(model.inputs),
        "views": [freeze_view(view) for view in model.views],
        "on_demand": [[function.__name__, list(parameters_of(function))] for function in model.on_demand],
        "bundle": bundle_of(model.on_demand).digest if model.on_demand else "",
        "preparation": list(preparation_of(model.estimator)),
        "objective": model.objective.as_json(),
        "label": {**label, "within": written(model.label.within_micros)},
        "columns": {"numeric": list(model.columns.numeric), "categorical": list(model.columns.categorical)},
    }


def frozen_digest(document: Mapping[str, Any]) -> str:
    """The digest of a frozen signature: 16 hexadecimal digits."""
    return hashlib.sha256(COMPACT_JSON.encode(_sorted(document)).encode()).hexdigest()[:16]


def _sorted(value: Any) -> Any:
    """The same JSON with every object's names in order; features and columns are in order where that matters."""
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


@lru_cache(maxsize=64)
def signature_digest(model: Model) -> str:
    """The digest of a definition's signature."""
    return frozen_digest(freeze(model))


def thaw_label(document: Mapping[str, Any]) -> Label:
    """The label of a frozen document.

    Raises:
        NotReady: when this release does not have its objective.
    """
    return Label(**document["label"], objective=objective_of(document["objective"]))


def thaw(document: Mapping[str, Any], functions: Sequence[OnDemand]) -> Signature:
    """The signature of a frozen document.

    Args:
        document: as :func:`freeze` gave it.
        functions: its on-demand functions, in the order of ``document["on_demand"]``.

    Raises:
        NotReady: when this release of the library would give the model other columns, or does not have its objective.
    """
    label = thaw_label(document)
    signature = Signature(
        document["model"],
        request=thaw_source(document["request"], (label.objective.group,)),
        inputs=tuple(document["inputs"]),
        label=label,
        views=tuple(thaw_view(view) for view in document["views"]),
        on_demand=tuple(functions),
    )
    columns = {"numeric": list(signature.columns.numeric), "categorical": list(signature.columns.categorical)}
    if columns != document["columns"]:
        raise NotReady(
            f"a version of {signature.name} was registered by a release that ordered columns otherwise; train again",
            model=signature.name,
        )
    return signature
