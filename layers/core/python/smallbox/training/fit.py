"""The tasks of a training run: each takes the run's document and passes it on with what it added."""

import hashlib
import importlib.metadata
import io
import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import skops.io

from smallbox.arrays import Bools, Floats
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import NotReady
from smallbox.objectives.binary import measure
from smallbox.ports import Blobs
from smallbox.registry.scorer import Scorer
from smallbox.registry.store import Registry
from smallbox.statistics.ranking import auc_gain
from smallbox.times import parse_moment
from smallbox.training.examples import split_by_time
from smallbox.training.export import parity, to_onnx
from smallbox.training.fitting import fit, frame, scores_of
from smallbox.training.labels import about_labels
from smallbox.training.profile import profile
from smallbox.training.suspicions import never_there, too_good, unlike_labelled

Document = Mapping[str, Any]

_SHAPING: Final = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "skops")


def _parquet(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(rows, buffer)
    return buffer.getvalue()


class FitTask:
    """Second task: a candidate, its artifacts and its figures."""

    def __init__(self, project: Project, blobs: Blobs, registry: Registry) -> None:
        self._project = project
        self._blobs = blobs
        self._registry = registry

    def run(self, document: Document) -> dict[str, Any]:
        """Fit, calibrate, export, compare ONNX with scikit-learn, and measure on the validation rows.

        A champion that takes other columns, since the definition has changed, is not compared with.

        Raises:
            NotReady: when the rows are too few, or all of one class.
        """
        model = self._project.model(document["model"])
        rows, silent = (pq.read_table(io.BytesIO(self._blobs.get(document[name]))) for name in ("dataset", "silent"))
        closed = parse_moment(document["as_of"]) - model.label.within_micros
        parts = split_by_time(rows, closed, model.retrain.validation_micros, model.label.within_micros)
        train = rows.filter(pa.array(parts.train))
        fitted = fit(model, train)
        onnx = to_onnx(fitted.pipeline, model.columns)
        judged = rows.filter(pa.array(parts.validation))
        if not judged.num_rows:
            raise NotReady(f"no request of {model.name} in the validation period has a label; the gate cannot judge")
        labels = judged["label"].to_numpy().astype(bool)
        scores = _score(Scorer(onnx), model, judged)
        compared = parity(scores_of(fitted.pipeline, frame(model.columns, judged)), scores)
        metrics, counts = measure(scores, labels), document["counts"]
        told = about_labels(model, rows, silent, counts["unlabelled"] / (counts["unlabelled"] + counts["rows"]))
        warnings = [*too_good(metrics, model.columns, train, judged), *unlike_labelled(model, told)]
        parted = {"fitted": fitted.fitted, "calibrated": fitted.calibrated, "embargoed": parts.embargoed}
        return {
            **document,
            "counts": {**counts, **parted, "validation": judged.num_rows},
            "metrics": metrics,
            "labels": told,
            "warnings": [*warnings, *never_there(fitted.missing)],
            "champion": self._champion(model, judged, scores, labels),
            "parity": compared.as_json(),
            "artifacts": self._store(model, onnx, fitted.pipeline, _profile(model, rows, scores)),
            "columns": list(model.columns.names),
            "dependencies": {name: importlib.metadata.version(name) for name in _SHAPING},
        }

    def _champion(self, model: Model, judged: pa.Table, scores: Floats, labels: Bools) -> dict[str, Any] | None:
        routing = self._registry.routing(model.name)
        if routing is None:
            return None
        version = self._registry.get(model.name, routing.champion)
        if version.columns != list(model.columns.names):
            return None
        scorer = Scorer(self._blobs.get(version.onnx_key), version.onnx_sha256)
        its_scores = _score(scorer, model, judged)
        gain = auc_gain(scores, its_scores, labels)
        figures = {"auc_gain": gain.value, "auc_gain_standard_error": gain.standard_error}
        known = {name: None if math.isnan(value) else value for name, value in figures.items()}
        return {"version": version.number, **measure(its_scores, labels), **known}

    def _store(self, model: Model, onnx: bytes, pipeline: Any, reference: Mapping[str, Any]) -> dict[str, str]:
        """Store the artifacts under the model's own digest: what was registered is never written over."""
        digest = hashlib.sha256(onnx).hexdigest()
        folder = f"models/{model.name}/{digest[:16]}"
        contents = {
            "onnx_key": (f"{folder}/model.onnx", onnx),
            "pipeline_key": (f"{folder}/pipeline.skops", skops.io.dumps(pipeline)),
            "profile_key": (f"{folder}/profile.json", json.dumps(reference).encode()),
        }
        for key, content in contents.values():
            self._blobs.put(key, content)
        return {name: key for name, (key, _) in contents.items()} | {"onnx_sha256": digest}


def _score(scorer: Scorer, model: Model, rows: pa.Table) -> Floats:
    inputs = frame(model.columns, rows)
    numeric = inputs[list(model.columns.numeric)].to_numpy(np.float32)
    return scorer.score(numeric, inputs[list(model.columns.categorical)].to_numpy(object))


def _profile(model: Model, rows: pa.Table, scores: Floats) -> dict[str, Any]:
    """The inputs of the whole window, and the scores of rows that the model was not fitted on."""
    inputs = frame(model.columns, rows)
    return profile(model.columns, {**{name: inputs[name].to_numpy() for name in model.columns.names}, "score": scores})
