"""Makes skl2onnx convert the LightGBM and XGBoost estimators of a pipeline, by onnxmltools' converters.

These packages are an extra: a pipeline without boosters imports none of them.
"""

from collections.abc import Mapping
from typing import Any, Final

from skl2onnx import update_registered_converter
from sklearn.base import is_classifier

from smallbox.errors import DefinitionError, NotReady
from smallbox.prepare.graph import Converter
from smallbox.training.pipeline_parts import package_of, parts_of

BOOSTER_PACKAGES: Final = frozenset({"lightgbm", "xgboost"})

_CLASSIFIER_OPTIONS: Final[Mapping[str, list[Any]]] = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "output_class_labels": [False, True],
}


def register_booster_converters(pipeline: Any) -> None:
    """Register a converter for each booster in a pipeline.

    The conversion raises ``DefinitionError`` for a setting that the converter would get wrong.

    Raises:
        DefinitionError: when a booster has no converter.
        NotReady: when the converters are not installed.
    """
    for part in parts_of(pipeline):
        if package_of(part) in BOOSTER_PACKAGES:
            _register(part)


def _register(booster: Any) -> None:
    kind = type(booster)
    try:
        converters = _converters(package_of(booster))
    except ModuleNotFoundError as error:
        raise NotReady(
            f"{kind.__name__} cannot be exported to ONNX without onnxmltools; pip install 'smallbox[boosters]'"
        ) from error
    if kind not in converters:
        known = ", ".join(sorted(one.__name__ for one in converters))
        raise DefinitionError(f"{kind.__name__} cannot be exported to ONNX; write one of {known}")
    one = converters[kind]
    options = _options(booster)
    update_registered_converter(kind, f"Smallbox{kind.__name__}", one.set_shape, one.convert, options=options)


def _converters(package: str) -> Mapping[type, Converter]:
    if package == "lightgbm":
        from smallbox.training.lightgbm_trees import LIGHTGBM  # noqa: PLC0415 - an extra

        return LIGHTGBM
    from smallbox.training.xgboost_trees import XGBOOST  # noqa: PLC0415 - an extra

    return XGBOOST


def _options(booster: Any) -> dict[str, list[Any]] | None:
    """What skl2onnx may ask of the converter: raw scores when a calibration reads ``decision_function``."""
    if not is_classifier(booster):
        return None
    raw = {"raw_scores": [True, False]} if hasattr(booster, "decision_function") else {}
    return {**_CLASSIFIER_OPTIONS, **raw}
