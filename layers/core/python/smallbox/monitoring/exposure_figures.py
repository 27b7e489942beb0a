"""What is shown, in figures: the share of exploration, the accuracy by popularity, and what exploration costs."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.model import Model
from smallbox.define.rules import Loop, Monitor
from smallbox.labels.table import of_objective, of_one_version, scored_rows
from smallbox.monitoring.accuracy import is_enough
from smallbox.monitoring.feedback_loop import shown_in_place
from smallbox.objectives.measure import measure, scarcest
from smallbox.objectives.objective import Objective
from smallbox.statistics.estimates import mean_estimate
from smallbox.statistics.intervals import Interval, clustered_gap, clustered_interval
from smallbox.statistics.shares import share_interval
from smallbox.table_columns import GROUP
from smallbox.times import DAY

FIGURE_DAYS: Final = 28
"""The figures of labelled rows are over so many days."""

HEAD_SHARE: Final = 0.5
"""The head: the most shown items that together have this share of the exposures."""

MIN_EFFECTIVE_LOSSES: Final = 100
"""So many independent losses of exploration there must be before they are compared."""

OFF: Final = (
    "Exploration is off: nothing tells what rows would earn in another order; declare "
    "Model(exploration=Exploration(share=0.05))."
)


def exposure_figures(model: Model, objective: Objective, rows_by_day: Mapping[str, pa.Table]) -> dict[str, Any]:
    """The figures of the last :data:`FIGURE_DAYS` days, JSON-ready; empty where answers decide nothing that is seen.

    Args:
        model: what it declares says which answers are exploration: ``Monitor.loop`` rows, ``exploration`` lists.
        objective: that of the version that answered.
        rows_by_day: by day its rows, as :func:`~smallbox.monitoring.shown_rows.shown_rows` reads them.
    """
    loop = model.monitor.loop
    if loop is None and model.exploration is None:
        return {"sentences": [OFF]} if objective.group else {}
    days = sorted(rows_by_day)[-FIGURE_DAYS:]
    if not days:
        return {}
    rows = of_one_version(pa.concat_tables([rows_by_day[day] for day in days]))
    seen = _Seen(rows, objective, loop)
    newest = _Seen(of_one_version(rows_by_day[days[-1]]), objective, loop)
    figures: dict[str, Any] = {"exploration": _exploration(newest), "gap": _gap(seen)}
    if loop is not None:
        figures["popularity"] = _popularity(model.monitor, seen, loop)
    said = [_exploration_sentence(days[-1], figures["exploration"])]
    said += (
        [_gap_sentence(objective, figures["gap"])] if figures["exploration"]["explored"] or seen.explored.any() else []
    )
    said += [_popularity_sentence(objective, figures["popularity"])] if loop is not None else []
    return {"first": days[0], "last": days[-1], **figures, "sentences": said}


class _Seen:
    """Rows of some days, and which of them are exploration.

    Attributes:
        rows: the rows.
        explored: ``(n,)`` those that exploration placed.
        known: ``(n,)`` those with a label and all outputs.
    """

    def __init__(self, rows: pa.Table, objective: Objective, loop: Loop | None) -> None:
        self.rows, self.objective, self.loop = rows, objective, loop
        self.explored = _explored(rows, loop)
        self.known: Bools = np.asarray(of_objective(objective, rows), bool)

    @property
    def chosen(self) -> Bools:
        """Those that the model chose, of a ranking only the rows that are shown."""
        if self.loop is None:
            return ~self.explored
        columns = {name: np.array(self.rows[name].to_pylist(), object) for name in _placing(self.objective, self.loop)}
        return ~self.explored & shown_in_place(self.loop, columns)

    def losses(self, of: Bools) -> tuple[Floats, Ints]:
        """The losses of these rows that are labelled, and the day of each."""
        rows = self.rows.filter(pa.array(of & self.known))
        found = self.objective.losses(scored_rows(self.objective, rows))
        return found.values, (rows["time"].to_numpy() // DAY)[found.rows]


def _placing(objective: Objective, loop: Loop) -> list[str]:
    return [loop.item, *objective.outputs, *([GROUP] if objective.group else [])]


def _explored(rows: pa.Table, loop: Loop | None) -> Bools:
    """Rows that were shown at random; without ``Loop`` those of shuffled lists."""
    column = rows["randomised"] if loop is None else rows[loop.explored]
    return np.array([bool(one) for one in column.to_pylist()], bool)


def _exploration(day: _Seen) -> dict[str, Any]:
    """The share of a day's answers that exploration placed: rows, or lists where lists are shuffled."""
    of, explored = "rows", day.explored
    if day.loop is None:
        of, groups = "lists", day.rows[GROUP].to_pylist()
        lists = dict(zip(groups, explored.tolist(), strict=True))
        explored = np.array(list(lists.values()), bool)
    share = share_interval(explored).as_json()
    return {"of": of, "answers": len(explored), "explored": int(explored.sum()), "share": share}


def _gap(seen: _Seen) -> dict[str, Any]:
    """The mean loss of what the model chose minus that of exploration; refused where too few losses say something."""
    (own, own_days), (other, other_days) = seen.losses(seen.chosen), seen.losses(seen.explored)
    effective = effective_losses(other, other_days)
    found: dict[str, Any] = {"on_policy_losses": len(own), "explored_losses": len(other)}
    found["effective"] = round(effective, 1)
    if effective < MIN_EFFECTIVE_LOSSES or len(own) < MIN_EFFECTIVE_LOSSES:
        needed = f"{MIN_EFFECTIVE_LOSSES} are needed on each side"
        why = f"{len(other)} losses of exploration are worth {effective:.0f} independent ones; {needed}"
        return {**found, "why": why}
    days = np.concatenate((own_days, other_days))
    gap = clustered_gap(np.concatenate((own, other)), np.arange(len(days)) < len(own), days)
    means = {"on_policy": clustered_interval(own, own_days), "exploration": clustered_interval(other, other_days)}
    return {**found, **{name: one.as_json() for name, one in means.items()}, "gap": gap.as_json()}


def effective_losses(values: Floats, days: Ints) -> float:
    """How many independent losses would give their mean with the same certainty, at most as many as there are.

    The variance of one loss divided by that of the mean, where losses of one day depend on each other: the number
    divided by Kish's design effect (Survey Sampling, 1965).

    >>> effective_losses(np.array([0.0, 0.0, 2.0, 2.0]), np.array([1, 1, 2, 2]))
    1.3333333333333333
    """
    if not len(values):
        return 0.0
    independent = mean_estimate(values).variance
    names, codes = np.unique(days, return_inverse=True)
    if len(names) < 2 or not independent > 0:  # noqa: PLR2004 - one day cannot show how days differ
        return float(len(values))
    sums = np.bincount(codes, weights=values - values.mean())
    variance = float((sums**2).sum()) / len(values) ** 2 * len(names) / (len(names) - 1)
    return len(values) * min(1.0, independent / variance) if variance > 0 else float(len(values))


def _popularity(rule: Monitor, seen: _Seen, loop: Loop) -> dict[str, Any]:
    """Loss and figures of the head and the tail of what the model shows; of few labels only their number."""
    chosen = seen.chosen
    items = np.array([str(one) for one in seen.rows[loop.item].to_pylist()], object)
    names, codes = np.unique(items, return_inverse=True)
    counts = np.bincount(codes[chosen], minlength=len(names))
    is_head = head_of(counts)
    return {
        name: {
            "items": int((part & (counts > 0)).sum()),
            "shown": int(counts[part].sum()),
            **_measured(rule, seen, chosen & part[codes] & seen.known),
        }
        for name, part in (("head", is_head), ("tail", ~is_head))
    }


def head_of(counts: Ints) -> Bools:
    """The fewest items that have :data:`HEAD_SHARE` of all exposures.

    >>> head_of(np.array([1, 6, 2, 1])).tolist()
    [False, True, False, False]
    """
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    found = np.zeros(len(counts), bool)
    found[order] = before < HEAD_SHARE * counts.sum()
    return found


def _measured(rule: Monitor, seen: _Seen, of: Bools) -> dict[str, Any]:
    rows = seen.rows.filter(pa.array(of))
    scored = scored_rows(seen.objective, rows)
    if not is_enough(rule, scored, seen.objective):
        rarest = f"{scarcest(seen.objective, scored)} of the rarest outcome" if len(scored) else "none of any outcome"
        return {"why": f"{len(scored)} labels, {rarest}; {rule.min_rows} and {rule.min_rarer} are needed"}
    return {"metrics": measure(seen.objective, scored, rows["time"].to_numpy() // DAY)}


def _exploration_sentence(day: str, found: Mapping[str, Any]) -> str:
    if not found["explored"]:
        return f"No {found['of'][:-1]} of {found['answers']} was exploration on {day}."
    words = _bounded(found["share"], lambda value: f"{value:.1%}")
    return f"{found['explored']} of {found['answers']} {found['of']} were exploration on {day}: {words}."


def _gap_sentence(objective: Objective, found: Mapping[str, Any]) -> str:
    if "why" in found:
        return f"What exploration costs in {objective.loss_name} cannot be told: {found['why']}."
    parts = (_bounded(found[name], "{:.4g}".format) for name in ("on_policy", "exploration", "gap"))
    own, other, gap = parts
    name, effective = objective.loss_name, found["effective"]
    return (
        f"The {name} of what the model chose is {own}; of exploration it is {other}, worth {effective:.0f} independent "
        f"losses. The gap is {gap}."
    )


def _popularity_sentence(objective: Objective, found: Mapping[str, Any]) -> str:
    return " ".join(_part_sentence(objective, name, found[name]) for name in ("head", "tail"))


def _part_sentence(objective: Objective, name: str, found: Mapping[str, Any]) -> str:
    items = f"The {name} ({found['items']} items, shown {found['shown']} times)"
    if "why" in found:
        return f"{items} cannot be judged: {found['why']}."
    metrics = found["metrics"]
    said = [f"a {objective.loss_name} of {_bounded(metrics['loss'], '{:.4g}'.format)}"]
    said += [f"{figure} {_bounded(one, '{:.4g}'.format)}" for figure, one in metrics["figures"].items()]
    return f"{items} has {', '.join(said)}."


def _bounded(metric: Any, form: Callable[[float], str]) -> str:
    found = Interval.from_json(metric)
    return f"{form(found.value)} ({form(found.low)} to {form(found.high)})"
