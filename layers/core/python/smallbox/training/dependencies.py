"""Names the packages whose versions shape a model version's answers."""

import importlib.metadata
from typing import Any, Final

from smallbox.training.boosters import BOOSTER_PACKAGES
from smallbox.training.pipeline_parts import package_of, parts_of

_EXPORT: Final = ("skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "skops")
_BOOSTER_EXPORT: Final = "onnxmltools"


def dependencies_of(*pipelines: Any) -> dict[str, str]:
    """By distribution its installed version: what defines a step of the pipelines, and what fits and exports them.

    A step that is defined in no distribution, like one beside the definition, adds nothing.
    """
    packages = {package_of(part) for pipeline in pipelines for part in parts_of(pipeline)} - {"smallbox"}
    installed = importlib.metadata.packages_distributions()
    names = {name for package in packages for name in installed.get(package, ())}.union(_EXPORT)
    if not packages.isdisjoint(BOOSTER_PACKAGES):
        names.add(_BOOSTER_EXPORT)
    return {name: importlib.metadata.version(name) for name in sorted(names)}
