"""What a shadow shows of a day: how a candidate's answers differ from those that callers got, before any label."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Floats
from smallbox.lake.predictions import has_cause
from smallbox.objectives.objective import Objective, Scored
from smallbox.release.canary_marks import CLUSTERS, cluster_of
from smallbox.release.shadow_scoring import Rescored

_SAME: Final = 1e-5
"""So far two outputs of one version for one request may differ: a model rounds differently in a batch."""


def answers_compared(rescored: Rescored, objective: Objective, champion: int, seconds: float) -> dict[str, Any]:
    """The figures of a day's requests, for the evidence.

    Returns:
        ``rows``, the requests that the champion answered; ``lost``, those that the candidate could not score;
        ``microseconds``, the time for one; and by output the two means, the correlation, the mean absolute difference,
        and the largest gap between the two cumulative distributions (the Kolmogorov-Smirnov distance).
    """
    own = np.asarray(pc.equal(rescored.rows["version"], champion))
    rows, theirs = rescored.rows.filter(pa.array(own)), rescored.outputs[own]
    by_output = {name: compared(_numbers(rows, name), theirs[:, at]) for at, name in enumerate(objective.outputs)}
    scored = max(rescored.rows.num_rows, 1)
    figures = {"rows": rows.num_rows, "lost": rescored.lost, "microseconds": round(seconds * 1e6 / scored, 1)}
    return {**figures, "outputs": by_output}


def compared(ours: Floats, theirs: Floats) -> dict[str, float | None]:
    """How two outputs for the same rows differ; rows without a number of either are left out.

    >>> compared(np.array([0.1, 0.2, 0.3]), np.array([0.2, 0.3, 0.4]))["mean_difference"]
    0.1
    """
    both = ~(np.isnan(ours) | np.isnan(theirs))
    ours, theirs = ours[both], theirs[both]
    if len(ours) < 2:  # noqa: PLR2004 - one row has no correlation
        return {}
    varies = ours.std() > 0 and theirs.std() > 0
    return {
        "champion_mean": _rounded(ours.mean()),
        "candidate_mean": _rounded(theirs.mean()),
        "mean_difference": _rounded(np.abs(theirs - ours).mean()),
        "correlation": _rounded(np.corrcoef(ours, theirs)[0, 1]) if varies else None,
        "distribution_gap": _rounded(_gap(ours, theirs)),
    }


def _gap(ours: Floats, theirs: Floats) -> float:
    """The largest gap between two cumulative distributions, 0 to 1."""
    at = np.concatenate((ours, theirs))
    shares = [np.searchsorted(np.sort(one), at, "right") / len(one) for one in (ours, theirs)]
    return float(np.abs(shares[0] - shares[1]).max())


def unlike_answers(rescored: Rescored, objective: Objective, candidate: int) -> dict[str, Any]:
    """Of the requests that the candidate itself answered in a canary, how many got another answer than its shadow's.

    Also by cluster of keys: requests of one key are alike, so clusters are counted, not rows. An answer that was set
    to a declared limit is left out: it is not the model's own, and the limits may have changed since.

    Args:
        rescored: the outputs of the model itself, not within limits.
        objective: the candidate's.
        candidate: its version.
    """
    own = np.asarray(pc.equal(rescored.rows["version"], candidate)) & ~has_cause(rescored.rows, "limits")
    rows, theirs = rescored.rows.filter(pa.array(own)), rescored.outputs[own]
    answered = np.column_stack([_numbers(rows, name) for name in objective.outputs])
    differ = ~np.isclose(answered, theirs, rtol=_SAME, atol=_SAME, equal_nan=True)
    is_unlike = differ.any(axis=1)
    clusters = np.array([cluster_of(key) for key in rows["key"].to_pylist()], dtype=np.int64)
    by_cluster = [np.bincount(of, minlength=CLUSTERS).tolist() for of in (clusters, clusters[is_unlike])]
    return {"answered": rows.num_rows, "unlike": int(is_unlike.sum()), "clusters": by_cluster}


def calibration_means(objective: Objective, ours: Scored, theirs: Scored) -> dict[str, float]:
    """The mean of what was predicted by each version, and of what happened: equal when it is calibrated."""
    (champion, happened), (candidate, _) = (objective.agreement(one) for one in (ours, theirs))
    means = {"champion": champion, "candidate": candidate, "happened": happened}
    return {name: _rounded(values.mean()) for name, values in means.items()}


def sliced_losses(masks: Mapping[str, Bools], ours: Floats, theirs: Floats) -> dict[str, list[float]]:
    """By slice: rows, the champion's summed loss, the candidate's; sums, so that days add up."""
    return {
        name: [int(mask.sum()), _rounded(ours[mask].sum()), _rounded(theirs[mask].sum())]
        for name, mask in masks.items()
        if mask.any()
    }


def _numbers(rows: pa.Table, name: str) -> Floats:
    if name not in rows.column_names:  # no version has answered yet
        return np.full(rows.num_rows, np.nan)
    return np.asarray(rows[name].to_numpy(zero_copy_only=False), float)


def _rounded(value: float) -> float:
    return float(f"{value:.7g}")
