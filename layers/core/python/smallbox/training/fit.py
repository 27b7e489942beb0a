"""The second task of a training run: a candidate, its artifacts and its metrics."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import skops.io

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.rules import Label
from smallbox.define.signature import Columns
from smallbox.documents.metrics import BaselineComparison, ChampionComparison, ParityReport
from smallbox.documents.training_run import (
    Artifacts,
    ChampionInputs,
    DatasetCounts,
    DatasetRun,
    FitCounts,
    FittedRun,
    LabelReport,
)
from smallbox.errors import NotReady
from smallbox.explanations.stored import explainer_to_bytes
from smallbox.lake.parquet import from_parquet
from smallbox.objectives.measure import loss_difference, mean_loss, measure
from smallbox.objectives.objective import Objective, OutputValues, Scored
from smallbox.ports import Blobs
from smallbox.registry.scorer import Scorer
from smallbox.registry.signatures import check_unchanged, label_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.times import DAY, parse_moment
from smallbox.training.dependencies import dependencies_of
from smallbox.training.examples import Examples, Requests, Split, examples_of, requests_of, split_by_time
from smallbox.training.explain_version import explainer_of
from smallbox.training.export import parity, to_onnx
from smallbox.training.fit_model import Fitted, fit, outputs_of
from smallbox.training.input_importance import input_importance
from smallbox.training.label_report import report_labels
from smallbox.training.profile import profile
from smallbox.training.reference_days import reference_days
from smallbox.training.run_warnings import (
    empty_column_warnings,
    leakage_warnings,
    other_label_warnings,
    selection_warnings,
)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A fitted and exported model.

    Attributes:
        fitted: the scikit-learn pipelines.
        onnx: the same as ONNX: what would be served.
        baseline: the best constant outputs, from the labels of the training rows.
        validation: the rows that it is measured on.
        scored: these rows with its ONNX outputs.
    """

    fitted: Fitted
    onnx: bytes
    baseline: OutputValues
    validation: Examples
    scored: Scored


class FitTask:
    """Fits a candidate, exports it to ONNX, measures it, and stores its artifacts."""

    def __init__(self, project: Project, blobs: Blobs, registry: Registry) -> None:
        self._project = project
        self._blobs = blobs
        self._registry = registry

    def run(self, document: DatasetRun) -> FittedRun:
        """Fit, calibrate, export, compare ONNX with scikit-learn, and measure on the validation rows.

        Raises:
            NotReady: when the rows are too few, or lack an outcome, or the definition has changed since the dataset.
        """
        model = self._project.model(document["model"])
        check_unchanged(model, document["signature"])
        objective = model.objective
        examples = examples_of(model.columns, objective, from_parquet(self._blobs.get(document["dataset"])))
        silent = requests_of(model.columns, from_parquet(self._blobs.get(document["silent"])))
        parts = _split(model, examples, document)
        train = examples.take(parts.train)
        candidate = _fit(model, train, examples.take(parts.validation))
        metrics = measure(objective, candidate.scored, _days(candidate.validation))
        labels = report_labels(model, examples, silent, _unlabelled_share(document["counts"]))
        return {
            **document,
            "counts": _counts(document["counts"], candidate, parts),
            "metrics": metrics,
            "baseline": _beside_baseline(objective, candidate),
            "labels": labels,
            "warnings": [
                *_warnings(model, train, candidate, labels),
                *other_label_warnings(model, self._champion_label(model)),
            ],
            "champion": self._compare_with_champion(model, candidate, document["compared_with"]),
            "parity": _parity(objective, candidate),
            "artifacts": self._store(model, candidate, examples, parts),
            "columns": list(model.columns.names),
            "dependencies": dependencies_of(*candidate.fitted.pipelines),
        }

    def _compare_with_champion(
        self, model: Model, candidate: _Candidate, compared_with: ChampionInputs | None
    ) -> ChampionComparison | None:
        """Both on the same requests, each with its own inputs, where the champion gives numbers."""
        if compared_with is None:
            return None
        version = self._registry.get(model.name, compared_with["version"])
        requests = self._champion_requests(version, candidate.validation, compared_with["inputs"])
        scorer = Scorer(self._blobs.get(version.onnx_key), version.onnx_sha256)
        outputs = _onnx_outputs(scorer, requests)
        known = _is_known(outputs)
        ours, theirs = (one.take(known) for one in (candidate.scored, candidate.scored.beside(outputs)))
        days = _days(candidate.validation)[known]
        return {
            "version": version.number,
            **measure(model.objective, theirs, days),
            "difference": loss_difference(model.objective, ours, theirs, days).as_json(),
        }

    def _champion_label(self, model: Model) -> tuple[int, Label] | None:
        routing = self._registry.routing(model.name)
        if routing is None:
            return None
        return routing.champion, label_of_version(self._registry, self._registry.get(model.name, routing.champion))

    def _champion_requests(self, version: Version, validation: Examples, inputs: str) -> Requests:
        if not inputs:
            return validation
        columns = Columns(**self._registry.frozen(version.model, version.signature)["columns"])
        requests = requests_of(columns, from_parquet(self._blobs.get(inputs)))
        if not np.array_equal(requests.times, validation.times):
            raise NotReady(f"the inputs of version {version.number} are of other requests; train again")
        return requests

    def _store(self, model: Model, candidate: _Candidate, examples: Examples, parts: Split) -> Artifacts:
        """Store the artifacts under the content hash of the ONNX bytes, so no registered version is overwritten.

        Explainer and reference have hashes of their own: other training rows may give the same ONNX bytes.
        """
        train = examples.take(parts.train)
        digest = hashlib.sha256(candidate.onnx).hexdigest()
        folder = f"models/{model.name}/{digest[:16]}"
        # inputs of the whole window, but outputs only of rows that did not fit the model
        outputs = dict(zip(model.objective.outputs, candidate.scored.outputs.T, strict=True))
        reference = profile(model.columns, model.objective.outputs, {**examples.by_column, **outputs})
        explainer = explainer_to_bytes(explainer_of(model, candidate.fitted.pipelines, candidate.onnx, train))
        scorer = Scorer(candidate.onnx)
        importance = input_importance(model.objective, scorer, candidate.validation, candidate.scored)
        by_day = reference_days(model, examples, parts.validation, candidate.scored, importance).to_bytes()
        by_day_digest = hashlib.sha256(by_day).hexdigest()
        explainer_digest = hashlib.sha256(explainer).hexdigest()
        return {
            "onnx_key": self._put(f"{folder}/model.onnx", candidate.onnx),
            "pipeline_key": self._put(f"{folder}/pipeline.skops", skops.io.dumps(list(candidate.fitted.pipelines))),
            "profile_key": self._put(f"{folder}/profile.json", json.dumps(reference).encode()),
            "reference_key": self._put(f"{folder}/reference-{by_day_digest[:16]}.days", by_day),
            "onnx_sha256": digest,
            "explainer_key": self._put(f"{folder}/explainer-{explainer_digest[:16]}.npz", explainer),
            "explainer_sha256": explainer_digest,
        }

    def _put(self, key: str, content: bytes) -> str:
        self._blobs.put(key, content)
        return key


def _split(model: Model, examples: Examples, document: DatasetRun) -> Split:
    within = model.label.within_micros
    end = parse_moment(document["as_of"]) - within
    return split_by_time(examples.times, end, model.retrain.validation_micros, within)


def _fit(model: Model, train: Examples, validation: Examples) -> _Candidate:
    fitted = fit(model, train)
    onnx = to_onnx(fitted.pipelines, model.columns, model.objective)
    if not len(validation):
        raise NotReady(f"no request of {model.name} in the validation period has a label; the gate cannot judge")
    scored = validation.scored(_onnx_outputs(Scorer(onnx), validation))
    unknown = len(scored) - int(_is_known(scored.outputs).sum())
    if unknown:
        raise NotReady(
            f"the candidate of {model.name} gives no number for {unknown} of {len(scored)} validation rows; fill in "
            "missing inputs before the estimator, as prepare(columns, numeric=...) can"
        )
    return _Candidate(fitted, onnx, model.objective.baseline(train.labels), validation, scored)


def _onnx_outputs(scorer: Scorer, requests: Requests) -> Floats:
    return scorer.score(requests.numeric, requests.categorical)


def _is_known(outputs: Floats) -> Bools:
    """The rows for which a model gives numbers."""
    return np.asarray(np.isfinite(outputs).all(axis=1), np.bool_)


def _days(requests: Requests) -> Ints:
    """The day of each row: rows of one day depend on each other."""
    return requests.times // DAY


def _beside_baseline(objective: Objective, candidate: _Candidate) -> BaselineComparison:
    constant, days = candidate.scored.beside(candidate.baseline), _days(candidate.validation)
    loss = mean_loss(objective, constant, days).as_json()["value"]
    difference = loss_difference(objective, candidate.scored, constant, days)
    return {"outputs": list(candidate.baseline), "loss": loss, "difference": difference.as_json()}


def _parity(objective: Objective, candidate: _Candidate) -> ParityReport:
    ours = outputs_of(objective, candidate.fitted.pipelines, candidate.validation.inputs)
    return parity(ours, candidate.scored.outputs, objective.tolerance(candidate.validation.labels)).as_json()


def _unlabelled_share(counts: DatasetCounts) -> float:
    return counts["unlabelled"] / (counts["unlabelled"] + counts["rows"])


def _counts(counts: DatasetCounts, candidate: _Candidate, parts: Split) -> FitCounts:
    return {
        **counts,
        "fitted": candidate.fitted.fitted,
        "calibrated": candidate.fitted.calibrated,
        "embargoed": parts.embargoed,
        "validation": len(candidate.validation),
    }


def _warnings(model: Model, train: Examples, candidate: _Candidate, labels: LabelReport) -> list[str]:
    return [
        *leakage_warnings(model.objective, candidate.scored, train, candidate.validation),
        *selection_warnings(model, labels),
        *empty_column_warnings(candidate.fitted.missing),
    ]
