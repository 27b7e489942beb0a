"""How much more often rows of a day look like this than rows of the reference."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Floats

CLIPPED_AT: Final = 0.99
"""Weights are clipped at this quantile, so that a few rows do not decide."""

_FOLDS: Final = 5


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
