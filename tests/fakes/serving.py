"""A deployed definition, and versions that were registered with this or another one, with every port in memory."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from onnx import TensorProto, helper

from smallbox.define.bundle import bundle_of
from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.define.signature import Columns, Signature
from smallbox.define.source import Source
from smallbox.features.live_views import LiveViews, LiveViewStore, id_of
from smallbox.features.stream import StreamTask
from smallbox.messages.records import pack_records
from smallbox.records import Record
from smallbox.registry.loader import ModelLoader
from smallbox.registry.routing import Routing
from smallbox.registry.scorer import OUTPUTS
from smallbox.registry.signatures import Signatures, bundle_key
from smallbox.registry.store import Registry
from smallbox.serving.predict import PredictTask
from smallbox.times import Micros, Moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeFailureLog, FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.fakes.versions import VERSION


class CountedLiveViews(LiveViewStore):
    """Remembers how often the live views were read."""

    reads = 0

    def read(self) -> LiveViews:
        self.reads += 1
        return super().read()


class Serving:
    """A deployed model, what its functions read and write, and the function that predicts.

    Attributes:
        log: the queue of logged predictions.
    """

    def __init__(self, deployed: Model, *sources: Source, is_ready: bool = True) -> None:
        self.model, self.project = deployed, project_of([deployed], sources)
        documents = FakeDocuments()
        self.registry, self.live = Registry(documents), CountedLiveViews(documents)
        self.blobs, self.inbox, self.lake, self.online = FakeBlobs(), FakeBlobs(), FakeLake(), FakeOnlineStore()
        self.log, self.fallbacks = FakeQueue(), FakeFailureLog()
        self.loader = ModelLoader(self.registry, self.blobs, Signatures(self.project, self.registry, self.blobs))
        self.predictor = PredictTask(
            self.project, self.online, self.live, self.loader, self.log, self.fallbacks, lambda: 0
        )
        self._live: list[Signature] = []
        if is_ready:
            self.join(deployed)
            self.fill()

    def join(self, *signatures: Signature) -> None:
        """Let the views of definitions be live, beside those that are."""
        self._live += signatures
        needs = {f"definition {n}": tuple(one.views) for n, one in enumerate(self._live)}
        self.live.refresh(lambda: needs, 0)

    def fill(self) -> None:
        """Let every live view be ready."""
        live = super(CountedLiveViews, self.live).read()
        self.live.publish((id_of(one.view), one.since) for one in live.by_id.values())

    def register(self, model: Model, content: bytes = b"") -> int:
        """Register a version of a definition; its outputs are the :func:`sum_of_numbers`, unless it has other content.

        The number of the version is returned.
        """
        content = content or sum_of_numbers(model.columns, len(model.objective.outputs))
        bundle = bundle_of(model.on_demand)
        self.registry.freeze(model.name, signature_digest(model), freeze(model))
        version = replace(
            VERSION,
            model=model.name,
            columns=list(model.columns.names),
            signature=signature_digest(model),
            onnx_key=f"models/{signature_digest(model)}-{hashlib.sha256(content).hexdigest()}.onnx",
            onnx_sha256=hashlib.sha256(content).hexdigest(),
            bundle_key=bundle_key(bundle),
            bundle_sha256=bundle.digest,
        )
        self.blobs.put(version.onnx_key, content)
        self.blobs.put(version.bundle_key, bundle.content)
        return self.registry.add(version).number

    def route(self, champion: int, challenger: int | None = None, share: float = 0.0) -> None:
        """Route the first requests of the model."""
        self.registry.route(self.model.name, Routing(champion, challenger, share))

    def canary(self, old: Model, new: Model) -> None:
        """Version 1 of a definition is champion, and version 2 of another its challenger, for half of the keys."""
        self.route(self.register(old), self.register(new), 0.5)

    def stream(self, records: Iterable[Record], now: Micros) -> None:
        """Apply records of one source to the live views."""
        streamer = StreamTask(self.project, self.live, self.online, FakeQueue(), FakeQueue(), lambda _: None)
        streamer.apply(pack_records(list(records)), now)

    def predict(self, instances: Sequence[Mapping[str, Any]], at: Moment, *, explain: bool = False) -> Any:
        """The predictions of a request ``r``."""
        document = {"instances": list(instances), "explain": explain}
        return self.predictor.predict(self.model.name, document, at, at.at, "r")["predictions"]


def sum_of_numbers(columns: Columns, outputs: int = 1, plus: float = 0.0) -> bytes:
    """A tiny ONNX model: the first output is ``plus`` and the sum of the numeric inputs; a missing one is nothing.

    Each further output is one more than the one before.
    """
    numeric = helper.make_tensor_value_info("numeric", TensorProto.FLOAT, [None, len(columns.numeric)])
    texts = helper.make_tensor_value_info("categorical", TensorProto.STRING, [None, len(columns.categorical)])
    scores = helper.make_tensor_value_info(OUTPUTS, TensorProto.FLOAT, [None, outputs])
    nodes = [
        helper.make_node("IsNaN", ["numeric"], ["missing"]),
        helper.make_node("Where", ["missing", "nothing", "numeric"], ["known"]),
        helper.make_node("ReduceSum", ["known", "columns"], ["sum"]),
        helper.make_node("Add", ["sum", "steps"], [OUTPUTS]),
    ]
    constants = [
        helper.make_tensor("nothing", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("columns", TensorProto.INT64, [1], [1]),
        helper.make_tensor("steps", TensorProto.FLOAT, [1, outputs], [plus + n for n in range(outputs)]),
    ]
    graph = helper.make_graph(nodes, "sum", [numeric, texts], [scores], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


def chance_of_numbers(columns: Columns, slope: float) -> bytes:
    """A tiny ONNX model of one output: the logistic function of ``slope`` times the sum of the numeric inputs.

    A missing input counts nothing.
    """
    numeric = helper.make_tensor_value_info("numeric", TensorProto.FLOAT, [None, len(columns.numeric)])
    texts = helper.make_tensor_value_info("categorical", TensorProto.STRING, [None, len(columns.categorical)])
    scores = helper.make_tensor_value_info(OUTPUTS, TensorProto.FLOAT, [None, 1])
    nodes = [
        helper.make_node("IsNaN", ["numeric"], ["missing"]),
        helper.make_node("Where", ["missing", "nothing", "numeric"], ["known"]),
        helper.make_node("ReduceSum", ["known", "columns"], ["sum"]),
        helper.make_node("Mul", ["sum", "slope"], ["odds"]),
        helper.make_node("Sigmoid", ["odds"], [OUTPUTS]),
    ]
    constants = [
        helper.make_tensor("nothing", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("columns", TensorProto.INT64, [1], [1]),
        helper.make_tensor("slope", TensorProto.FLOAT, [1], [slope]),
    ]
    graph = helper.make_graph(nodes, "chance", [numeric, texts], [scores], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content
