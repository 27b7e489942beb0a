"""What benchmarks/serving measures with: the fitted model in every form, the registry, the states, the requests."""

import hashlib
import json
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks.served.definitions.orders import NUMBERS, PARTIES, TEXTS, plain, returns, windows
from benchmarks.served.stores import encoded
from smallbox.aws.documents import DynamoDocuments
from smallbox.define.attributes import View
from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.model import Model
from smallbox.features.live_views import LiveViewStore, id_of
from smallbox.features.online.states import version_of
from smallbox.features.state_engines import state_engine_of
from smallbox.records import Record
from smallbox.registry.routing import first_champion
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.times import DAY, SECOND, format_moment
from smallbox.training.examples import frame
from smallbox.training.export import to_onnx

SHOPS: Final = [f"shop{n}" for n in range(100)]
COUNTRIES: Final = [f"country{n}" for n in range(50)]
RECORDS: Final = 2_000
"""Records of each party in its longest window."""


class _Table:
    """As much of boto3's DynamoDB client as writes the registry; keeps the items."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}

    def put_item(self, **request: Any) -> None:
        item = request["Item"]
        self.items[f"{item['pk']['S']}|{item['sk']['S']}"] = item

    def get_item(self, **request: Any) -> dict[str, Any]:
        key = request["Key"]
        found = self.items.get(f"{key['pk']['S']}|{key['sk']['S']}")
        return {} if found is None else {"Item": found}


def make(folder: Path, requests: int) -> None:
    """Write everything into a folder."""
    (folder / "objects").mkdir()
    table, now = _Table(), time.time_ns() // 1_000
    documents = DynamoDocuments("registry", table)
    for model in (plain, windows):
        pipeline, content = _fitted(model)
        (folder / "objects" / f"{model.name}.onnx").write_bytes(content)
        (folder / f"{model.name}.pickle").write_bytes(pickle.dumps(pipeline))
        _register(documents, model, content, now)
    live, views = LiveViewStore(documents), windows.views
    joined = live.refresh(lambda: {"definition": views}, now)
    live.publish([(id_of(view), joined.by_id[id_of(view)].since) for view in views])
    states = {f"s#{view.name}#{version_of(view)}": encoded(_state(view, now)) for view in views}
    (folder / "documents.json").write_text(json.dumps(table.items))
    (folder / "states.json").write_text(json.dumps(states))
    (folder / "requests.jsonl").write_text("".join(json.dumps(row) + "\n" for row in _rows(requests, now)))


def _fitted(model: Model) -> tuple[Any, bytes]:
    """The pipeline, fitted on noise, and its export."""
    random, count = np.random.default_rng(1), 5_000
    columns = {name: pa.array(random.exponential(5, count)) for name in model.columns.numeric}
    columns |= {name: pa.array(random.normal(size=count), mask=random.random(count) < 0.02) for name in NUMBERS}
    columns |= {"shop": pa.array(random.choice(SHOPS, count)), "country": pa.array(random.choice(COUNTRIES, count))}
    labels = columns["x0"].fill_null(0).to_numpy() + random.normal(size=count) > 0
    pipeline = model.estimator(model.columns)
    pipeline.fit(frame(model.columns, pa.table(columns)), labels)
    return pipeline, to_onnx([pipeline], model.columns, model.objective)


def _register(documents: DynamoDocuments, model: Model, content: bytes, now: int) -> None:
    """Store version 1 of a model, and let it serve."""
    registry, digest = Registry(documents), signature_digest(model)
    version = Version(
        model=model.name, number=1, status="champion", as_of=format_moment(now), reason="benchmark",
        onnx_key=f"{model.name}.onnx", onnx_sha256=hashlib.sha256(content).hexdigest(), pipeline_key="",
        profile_key="", dataset_key="", data_versions={}, columns=list(model.columns.names), signature=digest,
        views={view.name: version_of(view) for view in model.views}, bundle_key="", bundle_sha256="", definition="",
        dependencies={}, metrics={}, parity={}, baseline={"outputs": [0.5]},
    )  # fmt: skip
    registry.freeze(model.name, digest, freeze(model))
    documents.put(f"model#{model.name}", "version#000001", version.as_json())
    registry.route(model.name, first_champion(1, now))


def _state(view: View, now: int) -> bytes:
    """The packed state of a party that a week's records changed."""
    random = np.random.default_rng(7)
    at, amounts = np.sort(now - random.integers(0, 7 * DAY, RECORDS)), random.exponential(50, RECORDS).round(2)
    rows = [
        Record(returns.name, str(n), int(t), int(t), int(t), {"amount": float(a), "returned": True})
        for n, (t, a) in enumerate(zip(at, amounts, strict=True))
    ]
    engine = state_engine_of(view)
    return engine.pack(view, engine.add(view, engine.empty(view), rows, now))


def _rows(count: int, now: int) -> Iterator[dict[str, Any]]:
    """Requests. Each has parties of its own, so that none is answered from remembered states."""
    random = np.random.default_rng(2)
    for n in range(count):
        numbers = random.normal(size=len(NUMBERS)).astype(np.float32).astype(float)
        missing = random.random(len(NUMBERS)) < 0.02
        yield {
            "order_id": f"order-{n}",
            "ordered_at": format_moment(now - now % SECOND),
            **{party: f"{party}-{n}" for party in PARTIES},
            **dict(zip(TEXTS, (str(random.choice(SHOPS)), str(random.choice(COUNTRIES))), strict=True)),
            **{name: None if no else value for name, value, no in zip(NUMBERS, numbers.tolist(), missing, strict=True)},
        }
