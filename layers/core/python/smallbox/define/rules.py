"""The rules of a model: quality gate, monitoring and retraining."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from smallbox.define.argument_types import check_declared, check_kind, check_several, check_share
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import Objective
from smallbox.times import Micros, day_number, days_per_event, duration


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a model: what it predicts, and the source of the ground truth.

    Attributes:
        source_name: the source whose records carry the outcome.
        on: the field of that source that holds the request's key.
        value: the field that holds the outcome.
        within: attribution window: how long after the request's event time an outcome still counts.
        otherwise: the label of a request without an outcome once the window is over; ``None`` leaves it unlabelled.
        prediction: the field that holds the id of the prediction that the outcome is for; ``None``: served predictions
            are matched by their key, like the requests of a training.
        objective: what the label means: how it is predicted, and how predictions are judged.
    """

    source_name: str
    on: str
    value: str
    within: str = field(compare=False)  # "24h" and "1d" are the same label
    otherwise: bool | float | str | None = None
    prediction: str | None = None
    objective: Objective = field(kw_only=True)
    within_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        check_declared("label", self)
        object.__setattr__(self, "within_micros", duration(self.within))


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A limit for one of the objective's figures. Written with :func:`floor` and :func:`ceiling`.

    Attributes:
        figure: the name of the figure, like ``auc``.
        limit: the limit, in the figure's unit.
        side: ``floor``: the figure must not lie below the limit; ``ceiling``: not above it.
    """

    figure: str
    limit: float
    side: Literal["floor", "ceiling"]

    def __post_init__(self) -> None:
        check_declared(self.side, self)


def floor(figure: str, limit: float) -> Guardrail:
    """A guardrail: the figure must not lie below the limit, like ``floor("auc", 0.7)``."""
    return Guardrail(figure, limit, "floor")


def ceiling(figure: str, limit: float) -> Guardrail:
    """A guardrail: the figure must not lie above the limit, like ``ceiling("mae", 20)``."""
    return Guardrail(figure, limit, "ceiling")


def _check_guardrails(rule: str, guardrails: Sequence[Guardrail]) -> None:
    check_several(f"{rule}: guardrails", guardrails, Guardrail, "a tuple, like (floor('auc', 0.7),)")


@dataclass(frozen=True, slots=True)
class Gate:
    """Quality gate: what a candidate must reach before it may serve. Bounds are tested at 95 % confidence.

    Attributes:
        min_skill: minimum skill: the share by which its mean loss lies below that of the constant baseline on the
            validation rows. 0: it must be better than the baseline.
        max_loss_increase: non-inferiority margin: how far its mean loss may lie above the champion's on the same rows,
            as a share of the champion's. A smaller margin needs more rows; with 0 an equally good candidate does not
            pass.
        guardrails: limits for other figures on these rows.
        min_rows: minimum number of validation rows; with fewer the gate cannot tell, and does not accept.
        min_rarer: minimum number of rows of the rarest outcome among them, when the label is not a number; with fewer
            the gate cannot tell either.
        max_unlabelled: share of requests that may have no label without further checks.
        max_selection_auc: selection bias check when more are unlabelled: the maximum AUC with which the inputs may
            separate unlabelled from labelled requests; 0.5 means not at all.
    """

    min_skill: float = 0.0
    max_loss_increase: float = 0.02
    guardrails: tuple[Guardrail, ...] = ()
    min_rows: int = 100
    min_rarer: int = 20
    max_unlabelled: float = 0.1
    max_selection_auc: float = 0.6

    def __post_init__(self) -> None:
        check_declared("Gate", self)
        _check_guardrails("Gate", self.guardrails)
        for name in ("min_skill", "max_loss_increase", "max_unlabelled", "max_selection_auc"):
            check_share("Gate", name, getattr(self, name))
        if self.min_rarer < 2 or self.min_rows < 2 * self.min_rarer:  # noqa: PLR2004 - one row has no variance
            raise DefinitionError(
                f"Gate: min_rarer={self.min_rarer} must be at least 2, and min_rows={self.min_rows} at least twice that"
            )


@dataclass(frozen=True, slots=True)
class Loop:
    """What to watch for a degenerate feedback loop: a model whose answers decide what is seen next.

    Attributes:
        item: the text input that names what is shown, like ``"product_id"``.
        explored: the boolean input that is true for rows shown at random and not by the model's score. Only they tell
            an earned concentration from a loop.
        shown: of a ranking, how many rows of a group are shown, from the highest score; ``None``: all of them.
        max_forgone: a narrower exposure is a loop where other items in the same places would surely earn more by this
            share, judged on the rows shown at random.
    """

    item: str
    explored: str
    shown: int | None = None
    max_forgone: float = 0.05

    def __post_init__(self) -> None:
        check_declared("Loop", self)
        check_share("Loop", "max_forgone", self.max_forgone)
        if self.item == self.explored:
            raise DefinitionError(f"Loop: item and explored are both {self.item!r}; they are two fields")
        if self.shown is not None and self.shown < 1:
            raise DefinitionError(f"Loop: shown={self.shown} must be at least 1")


@dataclass(frozen=True, slots=True)
class Monitor:
    """Monitoring thresholds: what counts as a breach on one day.

    Attributes:
        false_alarms: how many false alarms of a changed distribution are acceptable, like ``"1 per quarter"``: over all
            columns together, and whatever depends on what.
        hurts: by which share the mean loss must be expected to rise before a true change of a distribution is an
            incident; a smaller effect is a notice.
        expected_drift: columns that move with the season; their drift is stored but never breaches.
        left_out: days that are expected to differ, like ``("2026-12-25", "2026-12-26")``: no change and no usual volume
            is judged on them, and no later day is compared with them.
        max_quarantined: maximum share of a source's records in quarantine.
        min_volume: minimum share of a source's usual number of records per day.
        min_skill: minimum skill over the day's labelled predictions: the share by which their mean loss lies below that
            of the champion's constant baseline. 0: they must not be worse than the baseline.
        guardrails: limits for other figures over them.
        min_coverage: minimum label coverage: share of the predictions with an elapsed attribution window that have a
            label.
        max_skew: training-serving skew: maximum share of a day's served feature values that differ from their batch
            recomputation, and of sent request fields that differ from the record in the lake. Live, a record may arrive
            after its tile closed; in a replay this cannot happen, so 0 is right there.
        max_lead: how far before or after its event time a request may be sent; training uses the event time.
        max_off_time: maximum share of a day's requests that are sent further from it than ``max_lead``.
        max_fallback: maximum share of a day's online answers that are the fallback; and, each by itself, of those that
            are degraded for another cause.
        min_rows: drift and accuracy on fewer rows than this are stored but never breach. Accuracy adds earlier days, up
            to 28, until it has this many labels.
        min_rarer: minimum number of labels of the rarest outcome that accuracy needs as well, when the label is not a
            number.
        slices: the text inputs whose most frequent values are slices: accuracy is told, and watched, for each. By
            default all of them.
        loop: what to watch for a degenerate feedback loop; ``None``: the answers do not decide what is seen.
    """

    false_alarms: str = "1 per quarter"
    hurts: float = 0.02
    expected_drift: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    max_quarantined: float = 0.05
    min_volume: float = 0.3
    min_skill: float = 0.0
    guardrails: tuple[Guardrail, ...] = ()
    min_coverage: float = 0.5
    max_skew: float = 0.01
    max_lead: str = "1h"
    max_off_time: float = 0.1
    max_fallback: float = 0.05
    min_rows: int = 200
    min_rarer: int = 20
    slices: tuple[str, ...] = ()
    loop: Loop | None = None
    max_lead_micros: Micros = field(init=False)
    days_per_false_alarm: float = field(init=False)
    left_out_days: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        check_declared("Monitor", self)
        if self.loop is not None:
            check_kind("Monitor: loop", self.loop, Loop, "Loop(item=..., explored=...)")
        _check_guardrails("Monitor", self.guardrails)
        object.__setattr__(self, "days_per_false_alarm", days_per_event(self.false_alarms))
        object.__setattr__(self, "max_lead_micros", duration(self.max_lead))
        check_several("Monitor: left_out", self.left_out, str, "days, like ('2026-12-25',)")
        object.__setattr__(self, "left_out_days", frozenset(day_number(one) for one in self.left_out))
        for name in (
            "hurts",
            "max_skew",
            "max_off_time",
            "max_fallback",
            "max_quarantined",
            "min_volume",
            "min_skill",
            "min_coverage",
        ):
            check_share("Monitor", name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Retrain:
    """When to retrain, and on which data.

    Attributes:
        every: maximum age of a champion, in event time, before the next training.
        on_breach: whether an incident that training can mend starts a training, until it is closed. A notice never
            does.
        at_least: minimum time between two trainings, whatever happens. A failed training is retried sooner, with
            exponential backoff: after one day, two, four, and so on up to this.
        window: how far back the training data reaches.
        validation: length of the validation period at the end of the window, held out for the gate.
    """

    every: str = "30d"
    on_breach: bool = False
    at_least: str = "7d"
    window: str = "90d"
    validation: str = "7d"
    every_micros: Micros = field(init=False)
    at_least_micros: Micros = field(init=False)
    window_micros: Micros = field(init=False)
    validation_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        check_declared("Retrain", self)
        for name in ("every", "at_least", "window", "validation"):
            object.__setattr__(self, f"{name}_micros", duration(getattr(self, name)))
        if self.validation_micros >= self.window_micros:
            raise DefinitionError(
                f"Retrain: validation={self.validation!r} must be shorter than window={self.window!r}"
            )
