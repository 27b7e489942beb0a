"""How much more often rows of a day look like this than rows of the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Array, Floats, Ints

CLIPPED_AT: Final = 0.99
"""Weights are clipped at this quantile, so that a few rows do not decide."""

ALIKE_WITHIN_DAYS: Final = 0.3
"""A column of which more of the variance lies between days is not weighted: a day would look like nothing before."""

_FOLDS: Final = 5
_TEXTS: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class DensityRatio:
    """The weights of the reference's rows with which they look like the new rows.

    Attributes:
        weights: ``(n,)``, 1 on average.
        effective: the effective number of rows: ``sum(w)**2 / sum(w**2)`` (Kish, Survey Sampling, 1965).
        covered: the mean of the weights before they were clipped and scaled. It is 1 when the reference has rows like
            all new rows, and falls towards 0 when many new rows look like nothing in the reference.
    """

    weights: Floats
    effective: float
    covered: float


def varied_within_days(inputs: Mapping[str, Array], days: Ints) -> list[str]:
    """The columns that vary within a day, so that rows of other days can look like those of this one.

    >>> days = np.repeat([1, 2], 4)
    >>> varied_within_days({"weather": days * 1.0, "distance": np.tile([1.0, 2.0], 4)}, days)
    ['distance']
    """
    return [name for name, values in inputs.items() if _share_between(values, days) <= ALIKE_WITHIN_DAYS]


def _share_between(values: Array, days: Ints) -> float:
    """The share of the variance that lies between the means of days, 0 to 1; of a text that of its frequent values."""
    if values.dtype == object:
        texts, counts = np.unique(values.astype(str), return_counts=True)
        frequent = texts[np.argsort(-counts)][:_TEXTS]
        return max((_share_between((values == text) * 1.0, days) for text in frequent), default=1.0)
    known = ~np.isnan(values)
    own, codes = values[known], np.unique(days[known], return_inverse=True)[1]
    if not len(own) or not own.var():
        return 0.0  # a constant weighs nothing
    means = np.bincount(codes, weights=own) / np.bincount(codes)
    return float(((means[codes] - own.mean()) ** 2).mean() / own.var())


def density_ratio(reference: Floats, new: Floats) -> DensityRatio:
    """The density ratio, by a classifier that tells new rows from reference rows.

    With ``g`` the cross-fitted probability of being new, the ratio is ``n_reference / n_new * g / (1 - g)`` (Białek,
    Kivimäki, Kuberski, Perrakis, arXiv 2401.08348, 2024).

    Args:
        reference: ``(n, m)`` inputs and scores; NaN means missing.
        new: ``(u, m)``.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - seconds that CBPE does not need
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    rows, is_new = np.vstack([reference, new]), np.repeat([0, 1], [len(reference), len(new)])
    chance = np.empty(len(rows))
    for fitted, held_out in StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(rows, is_new):
        known = ~np.isnan(rows[fitted]).all(axis=0)  # trees cannot bin a column without values
        model = HistGradientBoostingClassifier(max_depth=3, max_iter=60, random_state=0, early_stopping=False)
        model.fit(rows[fitted][:, known], is_new[fitted])
        chance[held_out] = model.predict_proba(rows[held_out][:, known])[:, 1]
    kept = np.clip(chance[: len(reference)], 1e-9, 1 - 1e-9)
    weights = len(reference) / len(new) * kept / (1 - kept)
    covered = float(weights.mean())
    weights = np.minimum(weights, np.quantile(weights, CLIPPED_AT))
    weights /= weights.mean()
    return DensityRatio(weights, float(weights.sum() ** 2 / (weights**2).sum()), covered)
