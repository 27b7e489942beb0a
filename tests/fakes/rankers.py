"""A ranking of two versions that wish for opposite orders, with every port in memory."""

from dataclasses import replace
from typing import Any, Final

import onnx
from onnx import helper

from smallbox.define import Model
from smallbox.registry.routing import Routing, RunningExperiment, start_experiment
from smallbox.serving.rank import RankTask
from smallbox.times import HOUR, Micros, Moment
from tests.fakes.kinds import of_a_ranking, outcomes
from tests.fakes.serving import Serving, sum_of_numbers

RANKED: Final[Model] = replace(of_a_ranking, inputs=("weight",), views=())
TRIAL: Final = RunningExperiment("trial", "interleaving", ((1, 0.5), (2, 0.5)))


def candidates(search: str, count: int = 6, **fields: Any) -> list[dict[str, Any]]:
    """Parcels of one search, the heavier the later."""
    return [{"parcel_id": f"{search}-{n}", "search": search, "weight": float(n), **fields} for n in range(count)]


def two_rankers(model: Model = RANKED, experiment: RunningExperiment | None = None) -> Serving:
    """Version 1 scores the weight and is champion; version 2, of the same definition, scores its opposite."""
    found = Serving(model, outcomes)
    found.register(model)
    found.register(model, opposite_of_numbers(model))
    routing = Routing(1)
    found.registry.route(model.name, routing if experiment is None else start_experiment(routing, experiment, 0))
    return found


def rank(serving: Serving, document: Any, at: Micros = HOUR, batch: str = "r") -> Any:
    """The ordered list of a request."""
    return RankTask(serving.predictor).rank(serving.model.name, document, Moment(at), at, batch)


def opposite_of_numbers(model: Model) -> bytes:
    """A tiny ONNX model whose score is minus the sum of the numeric inputs."""
    graph = onnx.load_from_string(sum_of_numbers(model.columns))
    graph.graph.node[-1].output[0] = "positive"
    graph.graph.node.append(helper.make_node("Neg", ["positive"], [graph.graph.output[0].name]))
    content: bytes = graph.SerializeToString()
    return content
