"""Every objective, with strategies for its labels and valid outputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
from hypothesis import strategies as st

from smallbox.arrays import Floats
from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.objectives.objective import Objective, OutputValues, Scored
from smallbox.objectives.ranking import Ranking
from smallbox.objectives.regression import Regression, RegressionLoss

QUANTILES: Final = (0.05, 0.25, 0.5, 0.9)
CLASSES: Final = ("On time", "late", "very late/ lost")

eighths = st.integers(-400, 400).map(lambda n: n / 8)
probabilities = st.integers(0, 64).map(lambda n: n / 64)


@dataclass(frozen=True)
class Case:
    """One objective.

    Attributes:
        objective: as a label has it.
        labels: one encoded label.
        outputs: the valid outputs of one row.
        declared: how a definition writes outputs as a fallback.
        best: the best constant outputs for labels, by definition, not by the objective.
    """

    objective: Objective
    labels: st.SearchStrategy[float]
    outputs: st.SearchStrategy[OutputValues]
    declared: Callable[[OutputValues], Any]
    best: Callable[[Floats], OutputValues]

    def rows(self, least: int = 0, most: int = 25) -> st.SearchStrategy[Scored]:
        """Rows of the objective; those of a ranking in a few groups."""
        groups = st.integers(0, 4) if self.objective.group else st.just(0)
        drawn = st.lists(st.tuples(self.outputs, self.labels, groups), min_size=least, max_size=most)
        return drawn.map(self._scored)

    def _scored(self, drawn: list[tuple[OutputValues, float, int]]) -> Scored:
        outputs = np.array([row[0] for row in drawn], float).reshape(len(drawn), len(self.objective.outputs))
        labels, groups = (np.array([row[at] for row in drawn], kind) for at, kind in ((1, float), (2, np.int64)))
        return Scored(outputs, labels, groups)


def _normalized(weights: list[int]) -> OutputValues:
    total = sum(weights)
    return tuple(one / total for one in weights)


def _quantile(labels: Floats, level: float) -> float:
    """The smallest label that at least this share of the labels does not exceed."""
    return float(next(one for one in np.sort(labels) if (labels <= one).mean() >= level - 1e-12))


def _alone(outputs: OutputValues) -> float:
    return outputs[0]


def _regression(loss: RegressionLoss, quantiles: tuple[float, ...]) -> Case:
    objective = Regression(loss, quantiles)
    labels = st.integers(0, 20).map(float) if loss == "poisson" else eighths
    point = st.integers(0, 160).map(lambda n: n / 8) if loss == "poisson" else eighths
    parts: list[st.SearchStrategy[OutputValues]] = [st.tuples(point)] if objective.has_point else []
    parts.append(st.lists(eighths, min_size=len(quantiles), max_size=len(quantiles)).map(lambda n: tuple(sorted(n))))

    def best(labels: Floats) -> OutputValues:
        center = _quantile(labels, 0.5) if loss == "absolute" else float(labels.mean())
        return (*(center,) * objective.has_point, *(_quantile(labels, one) for one in quantiles))

    def declared(outputs: OutputValues) -> Any:
        return outputs[0] if len(outputs) == 1 else dict(zip(objective.outputs, outputs, strict=True))

    outputs = st.tuples(*parts).map(lambda drawn: tuple(one for part in drawn for one in part))
    return Case(objective, labels, outputs, declared, best)


BINARY: Final = Case(
    Binary(),
    st.sampled_from([0.0, 1.0]),
    st.tuples(probabilities),
    _alone,
    lambda labels: (float(labels.mean()),),
)
MULTICLASS: Final = Case(
    Multiclass(CLASSES),
    st.integers(0, 2).map(float),
    st.lists(st.integers(0, 32), min_size=3, max_size=3).filter(any).map(_normalized),
    lambda outputs: dict(zip(CLASSES, outputs, strict=True)),
    lambda labels: tuple(float((labels == at).mean()) for at in range(3)),
)
RANKING: Final = Case(
    Ranking("search_id", at=3),
    st.integers(0, 3).map(float),
    st.tuples(eighths),
    _alone,
    lambda _labels: (0.0,),
)
CASES: Final[Mapping[str, Case]] = {
    "binary": BINARY,
    "multiclass": MULTICLASS,
    **{loss: _regression(loss, ()) for loss in get_args(RegressionLoss) if loss != "quantile"},
    **{f"{loss} and quantiles": _regression(loss, QUANTILES) for loss in get_args(RegressionLoss)},
    "ranking": RANKING,
}
