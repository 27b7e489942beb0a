"""Measures rows by an objective: the mean loss and the figures of one model, and the difference of two."""

from smallbox.arrays import Ints
from smallbox.documents.metrics import Metrics
from smallbox.objectives.objective import Objective, Scored
from smallbox.statistics.intervals import NOTHING, Interval, clustered_interval, mean_interval


def measure(objective: Objective, scored: Scored, days: Ints | None = None) -> Metrics:
    """All metrics of one set of rows, ready for JSON.

    Args:
        objective: the label's.
        scored: the rows.
        days: ``(n,)`` the day of each row, where rows of one day are taken to depend on each other.
    """
    return {
        "rows": len(scored),
        "rarer_rows": scarcest(objective, scored),
        "loss_name": objective.loss_name,
        "loss": mean_loss(objective, scored, days).as_json(),
        "figures": {name: one.as_json() for name, one in objective.measured(scored).items()},
    }


def scarcest(objective: Objective, scored: Scored) -> int:
    """The rows of the rarest outcome; the groups with a loss where these are fewer.

    >>> import numpy as np
    >>> from smallbox.objectives.ranking import Ranking
    >>> rows = Scored(np.zeros((4, 1)), np.array([1.0, 0.0, 0.0, 0.0]), np.array([7, 7, 8, 8]))
    >>> scarcest(Ranking("search_id"), rows)
    1
    """
    return min(objective.rarer(scored.labels), len(objective.losses(scored).values))


def mean_loss(objective: Objective, scored: Scored, days: Ints | None = None) -> Interval:
    """The mean loss of rows with its bounds; arguments as of :func:`measure`."""
    losses = objective.losses(scored)
    if not len(losses.values):
        return NOTHING
    return mean_interval(losses.values) if days is None else clustered_interval(losses.values, days[losses.rows])


def loss_difference(objective: Objective, ours: Scored, theirs: Scored, days: Ints | None = None) -> Interval:
    """Mean loss of ``ours`` minus that of ``theirs`` on the same rows, with its bounds; negative: ours is better.

    What makes a row hard is hard for both and cancels, so the difference varies far less than either mean.

    >>> import numpy as np
    >>> from smallbox.objectives.binary import Binary
    >>> rows = Scored(np.array([[0.9], [0.2]]), np.array([1.0, 0.0]), np.zeros(2, int))
    >>> round(loss_difference(Binary(), rows, rows.beside((0.5,))).value, 3)
    -0.529
    """
    first, second = objective.losses(ours), objective.losses(theirs)
    if not len(first.values):
        return NOTHING
    differences = first.values - second.values
    return mean_interval(differences) if days is None else clustered_interval(differences, days[first.rows])
