"""The preparation of a model: how its estimator calls :func:`smallbox.prepare.pipeline.prepare`.

The preparation is part of the trained model. It is part of the signature too, because it says what the inputs mean to
the model; the rest of the estimator does not.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from smallbox.define.source_slices import SourceSlicer, unwrapped
from smallbox.errors import DefinitionError

_NAME: Final = "prepare"


@lru_cache(maxsize=64)
def preparation_of(estimator: Callable[..., Any]) -> tuple[str, ...]:
    """The calls of ``prepare`` in an estimator's code, and the assignments that their arguments come from.

    Normalized source, sorted; empty when the estimator does not use ``prepare``, or has no source that can be read.
    """
    trees = [ast.parse(text) for text in _slices(estimator).values()]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and _called(node) == _NAME]
    found: set[str] = {ast.unparse(call) for call in calls}
    names = {name for call in calls for name in _names(call)} - {_NAME}
    seen: set[str] = set()
    while names - seen:
        name = min(names - seen)
        seen.add(name)
        for assigned in (node for node in nodes if name in _targets(node)):
            found.add(ast.unparse(assigned))
            names |= set(_names(assigned))
    return tuple(sorted(found))


def _slices(estimator: Callable[..., Any]) -> Mapping[str, str]:
    try:
        package = unwrapped(estimator).__globals__["__name__"].partition(".")[0]
        # a function without scikit-learn must read the same of a module that imports it
        slicer = SourceSlicer({package}, can_import=False)
        slicer.add(estimator)
        return slicer.texts()
    except DefinitionError:  # only on-demand functions must be able to run without their module
        return {}


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _names(node: ast.AST) -> Iterator[str]:
    return (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load))


def _targets(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    else:
        return set()
    return {inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}
