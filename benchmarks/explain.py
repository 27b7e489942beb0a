"""What an explanation costs: CPU time of a row's exact contributions, beside its prediction and a peer's contributions.

Run: ``python benchmarks/explain.py [rounds]``. The model is LightGBM's with 100 trees of 31 leaves, 20 numbers and 2
texts of 50 categories, one-hot encoded; the other two have the same inputs. ``LightGBM`` is the same trees' own
``predict(pred_contrib=True)`` on one thread, in C++: it has each prepared column as a player, where ours has each
feature. Every figure is the median of the rounds, in turns; ``times`` is against the prediction of one row.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
sys.path.insert(0, str(Path(__file__).parents[1]))

import hashlib

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline

from smallbox.define import Columns, prepare
from smallbox.explanations.explainer import Explainer
from smallbox.explanations.stored import explainer_from_bytes, explainer_to_bytes
from smallbox.objectives.regression import Regression
from smallbox.registry.scorer import Scorer
from smallbox.training.examples import Requests
from smallbox.training.explain_version import explainer_of
from smallbox.training.export import to_onnx

NUMBERS, CATEGORIES, ROWS, ROUNDS = 20, 50, 10_000, 200
COLUMNS = Columns(tuple(f"x{n}" for n in range(NUMBERS)), ("shop", "country"))
MODELS = {
    "trees, exact": LGBMRegressor(n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1),
    "linear, exact": Ridge(),
    "neural network, sampled": MLPRegressor(hidden_layer_sizes=(32,), max_iter=20, random_state=0),
}


def _rows(count: int) -> tuple[Requests, Any]:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(count, NUMBERS)).astype(np.float32)
    inputs = pd.DataFrame(numbers, columns=list(COLUMNS.numeric))
    for name in COLUMNS.categorical:
        inputs[name] = np.array([f"{name}{n}" for n in random.integers(CATEGORIES, size=count)], object)
    signal = numbers[:, 0] * numbers[:, 1] + np.abs(numbers).sum(axis=1) + (inputs["shop"] < "shop2")
    return Requests(COLUMNS, inputs, np.arange(count)), signal.to_numpy() + random.normal(size=count)


def _milliseconds(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, call in ways.items():
            start = time.process_time_ns()
            call()
            taken[name].append((time.process_time_ns() - start) / 1e6)
    return {name: median(times) for name, times in taken.items()}


def _built(estimator: Any, train: Requests, labels: Any) -> tuple[Pipeline, bytes, Scorer]:
    pipeline = Pipeline([("prepare", prepare(COLUMNS)), ("last", estimator)]).fit(train.inputs, labels)
    onnx = to_onnx([pipeline], COLUMNS, Regression())
    model: Any = SimpleNamespace(objective=Regression(), columns=COLUMNS, explain_baseline=None)
    start = time.process_time()
    content = explainer_to_bytes(explainer_of(model, [pipeline], onnx, train))
    print(
        f"  made at training in {time.process_time() - start:.2f} s, {len(content) / 1e3:.0f} KB beside the model's",
        end="",
    )
    print(f" {len(onnx) / 1e3:.0f} KB")
    return pipeline, content, Scorer(onnx)


def _loaded(content: bytes) -> Explainer:
    return explainer_from_bytes(content, hashlib.sha256(content).hexdigest())


def _measure(name: str, estimator: Any, train: Requests, labels: Any, rounds: int) -> None:
    print(name)
    pipeline, content, scorer = _built(estimator, train, labels)
    explainer, one, many = _loaded(content), train.take(slice(0, 1)), train.take(slice(0, 50))
    numeric, texts, all_numeric, all_texts = one.numeric, one.categorical, many.numeric, many.categorical
    ways: dict[str, Callable[[], object]] = {
        "prediction": lambda: scorer.score(numeric, texts),
        "flags": lambda: (explainer.familiar.is_far(numeric), explainer.familiar.unseen(texts)),
        "explanation": lambda: explainer.contributions(numeric, texts, scorer.score),
        "explanation, of 50 rows": lambda: explainer.contributions(all_numeric, all_texts, scorer.score),
    }
    if isinstance(estimator, LGBMRegressor):
        prepared = pipeline[:-1].transform(one.inputs)
        ways["LightGBM"] = lambda: estimator.booster_.predict(prepared, pred_contrib=True, num_threads=1)
    start = time.process_time()
    _loaded(content).contributions(numeric, texts, scorer.score)
    first, found = (time.process_time() - start) * 1e3, _milliseconds(ways, rounds)
    found["explanation, of 50 rows"] /= len(many)
    for way, taken in found.items():
        print(f"  {way:26}{taken:9.3f} ms a row{taken / found['prediction']:9.1f} times")
    print(f"  {'first one of a process':26}{first:9.1f} ms\n")


def main() -> None:
    """Print the tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    train, labels = _rows(ROWS)
    for name, estimator in MODELS.items():
        _measure(name, estimator, train, labels, rounds)


if __name__ == "__main__":
    main()
