"""Reads the trees, or the linear model, of an exported graph, and cuts out the preparation before them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from smallbox.arrays import Floats, Ints
from smallbox.explanations.linear import Linear
from smallbox.explanations.preparation import PREPARED
from smallbox.explanations.tree_nodes import MODES, TreeNodes

_TREES: Final = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_LINEAR: Final = ("LinearClassifier", "LinearRegressor")


@dataclass(frozen=True, slots=True, eq=False)
class HeadSums:
    """What one head of a model sums up: its trees or its linear model.

    Attributes:
        tensor: the name of the prepared columns in the graph.
        sums: with an output for each class or target of the node; the trees have not counted any rows.
        intercepts: ``(c,)``.
    """

    tensor: str
    sums: TreeNodes | Linear
    intercepts: Floats

    def of_outputs(self, at: list[int]) -> "HeadSums":
        """The sums of some of the node's classes, by position."""
        if isinstance(self.sums, TreeNodes):
            sums: TreeNodes | Linear = replace(self.sums, weights=self.sums.weights[:, at])
        else:
            sums = Linear(self.sums.coefficients[:, at])
        return replace(self, sums=sums, intercepts=self.intercepts[at])

    def on_scale(self, factor: float, offset: Floats) -> "HeadSums":
        """The sums, multiplied by a number and moved by one for each output."""
        if isinstance(self.sums, TreeNodes):
            sums: TreeNodes | Linear = replace(self.sums, weights=self.sums.weights * factor)
        else:
            sums = Linear(self.sums.coefficients * factor)
        return replace(self, sums=sums, intercepts=self.intercepts * factor + offset)

    def chosen(self, columns: Sequence[int]) -> list[int]:
        """The positions of a head's outputs among the node's classes, of which there may be just one."""
        return [0] if len(self.intercepts) == 1 else list(columns)


def head_sums(graph: Any, heads: int) -> list[HeadSums] | None:
    """What each head sums up; ``None`` unless all have one node of trees, or all one linear node.

    Args:
        graph: the exported model's graph.
        heads: how many there are.
    """
    found = [_nodes_of(graph, f"head{number}_") for number in range(heads)]
    if any(len(nodes) != 1 for nodes in found):
        return None
    sums = [_sums_of(nodes[0]) for nodes in found]
    return sums if len({type(one.sums) for one in sums}) == 1 else None


def _nodes_of(graph: Any, prefix: str) -> list[Any]:
    return [one for one in graph.node if one.op_type in (*_TREES, *_LINEAR) and one.output[0].startswith(prefix)]


def _sums_of(node: Any) -> HeadSums:
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    if node.op_type in _LINEAR:
        intercepts = np.array(attributes["intercepts"], np.float64)
        coefficients = np.array(attributes["coefficients"], np.float64).reshape(len(intercepts), -1).T
        return HeadSums(node.input[0], Linear(coefficients), intercepts)
    trees = _trees(attributes, "class" if node.op_type == _TREES[0] else "target")
    base = np.array(attributes.get("base_values", []), np.float64)
    return HeadSums(node.input[0], trees, np.broadcast_to(base if len(base) else 0.0, trees.weights.shape[1]))


def _trees(attributes: dict[str, Any], what: str) -> TreeNodes:
    tree, number = (np.array(attributes[f"nodes_{name}"], np.int64) for name in ("treeids", "nodeids"))
    mode = np.array([MODES.index(one.decode()) for one in attributes["nodes_modes"]], np.int64)
    place = _places(tree, number)
    own = np.arange(len(mode))
    if_true, if_false = (
        np.where(mode == 0, own, place(tree, np.array(attributes[f"nodes_{way}nodeids"], np.int64)))
        for way in ("true", "false")
    )
    is_child = np.zeros(len(mode), np.bool_)
    is_child[np.concatenate([if_true[mode > 0], if_false[mode > 0]])] = True
    missing = np.array(attributes.get("nodes_missing_value_tracks_true") or np.zeros(len(mode)), np.bool_)
    return TreeNodes(
        np.array(attributes["nodes_featureids"], np.int64), np.array(attributes["nodes_values"], np.float32), mode,
        if_true, if_false, missing, np.flatnonzero(~is_child), _weights(attributes, what, place, len(mode)),
        np.zeros(len(mode)),
    )  # fmt: skip


def _places(tree: Ints, number: Ints) -> Any:
    """The position of a node among all, by its tree and its number there."""
    width = int(number.max()) + 1
    known = np.zeros((int(tree.max()) + 1) * width, np.int64)
    known[tree * width + number] = np.arange(len(tree))
    # a leaf has no next node; whatever number is written there is not looked at
    return lambda trees, numbers: known[np.clip(trees * width + numbers, 0, len(known) - 1)]


def _weights(attributes: dict[str, Any], what: str, place: Any, nodes: int) -> Floats:
    output = np.array(attributes[f"{what}_ids"], np.int64)
    trees, numbers = (np.array(attributes[f"{what}_{name}"], np.int64) for name in ("treeids", "nodeids"))
    found = np.zeros((nodes, int(output.max()) + 1))
    np.add.at(found, (place(trees, numbers), output), np.array(attributes[f"{what}_weights"], np.float64))
    return found


def joined(heads: Sequence[HeadSums], widths: Sequence[int]) -> tuple[TreeNodes | Linear, Floats]:
    """All heads as one model, whose prepared columns and outputs are those of the heads, side by side.

    Args:
        heads: with the outputs that count.
        widths: the number of prepared columns of each.
    """
    outputs = [len(one.intercepts) for one in heads]
    columns, before = ([0, *np.cumsum(sizes)[:-1].tolist()] for sizes in (widths, outputs))
    intercepts = np.concatenate([one.intercepts for one in heads])
    parts = [one.sums for one in heads]
    trees = [one for one in parts if isinstance(one, TreeNodes)]
    if trees:
        return _joined_trees(trees, columns, before, len(intercepts)), intercepts
    found = np.zeros((sum(widths), len(intercepts)))
    for part, column, output in zip(parts, columns, before, strict=True):
        own = part.coefficients  # type: ignore[union-attr] # no trees are left
        found[column : column + len(own), output : output + own.shape[1]] = own
    return Linear(found), intercepts


def _joined_trees(trees: Sequence[TreeNodes], columns: list[int], before: list[int], outputs: int) -> TreeNodes:
    starts = [0, *np.cumsum([len(one.mode) for one in trees])[:-1].tolist()]
    moved = [
        replace(
            one, column=one.column + column, if_true=one.if_true + start, if_false=one.if_false + start,
            roots=one.roots + start,
            weights=np.pad(one.weights, ((0, 0), (output, outputs - output - one.weights.shape[1]))),
        )
        for one, column, output, start in zip(trees, columns, before, starts, strict=True)
    ]  # fmt: skip
    names = TreeNodes.__dataclass_fields__
    return TreeNodes(**{name: np.concatenate([getattr(one, name) for one in moved]) for name in names})


def cut_preparation(model: Any, tensors: Sequence[str]) -> bytes:
    """The part of an exported model that prepares its inputs, as ONNX with the output ``prepared``.

    Args:
        model: the exported model.
        tensors: the names of the prepared columns, for each head.
    """
    casts = [helper.make_node("Cast", [one], [f"cut{n}"], to=TensorProto.FLOAT) for n, one in enumerate(tensors)]
    join = helper.make_node("Concat", [one.output[0] for one in casts], [PREPARED], axis=1)
    nodes, needed = _before(model.graph, set(tensors))
    constants = [one for one in model.graph.initializer if one.name in needed]
    inputs = [one for one in model.graph.input if one.name in needed]
    output = helper.make_tensor_value_info(PREPARED, TensorProto.FLOAT, [None, None])
    graph = helper.make_graph([*nodes, *casts, join], "preparation", inputs, [output], constants)
    found = helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)
    content: bytes = found.SerializeToString()
    return content


def _before(graph: Any, needed: set[str]) -> tuple[list[Any], set[str]]:
    """The nodes that some tensors depend on, in their order, and all tensors that these take."""
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    return kept[::-1], needed


def parsed_model(content: bytes) -> Any:
    """An exported model, to read."""
    return onnx.load_from_string(content)
