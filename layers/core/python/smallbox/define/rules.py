"""The rules of a model: when to accept a version, how to release it, what to watch, when to train again."""

from dataclasses import dataclass, field

from smallbox.define.kinds import check_declared
from smallbox.errors import DefinitionError
from smallbox.times import Micros, duration


def _check_share(rule: str, name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise DefinitionError(f"{rule}: {name}={value} must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class Label:
    """What the model predicts, and where the truth arrives.

    Attributes:
        source_name: the source whose records carry the outcome.
        on: the field of that source that holds the request's key.
        value: the boolean field that holds the outcome.
        within: the attribution window: how long after the request's event time an outcome still counts.
        otherwise: the label of a request without an outcome when its window is over; ``None`` leaves it unlabelled.
    """

    source_name: str
    on: str
    value: str
    within: str
    otherwise: bool | None = None
    within_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        check_declared("label", self)
        object.__setattr__(self, "within_micros", duration(self.within))


@dataclass(frozen=True, slots=True)
class Gate:
    """What a candidate must show before it may serve anyone. A figure counts with its standard error, at 95 %.

    Attributes:
        min_auc: the least area under the ROC curve on the validation rows.
        max_calibration_error: the greatest expected calibration error there.
        max_auc_loss: how much lower than the champion's, on the same rows, its AUC may be. The less it is, the more
            rows it takes to tell; with 0 no candidate passes that is just as good.
        min_rows: on fewer validation rows than this nothing is judged.
        min_rarer: nor with fewer than this of the class that is rarer among them.
        max_unlabelled: the share of requests that may stay without a label, whatever they look like.
        max_selection_auc: where more do, how well the inputs may tell them from the labelled ones; 0.5 is not at all.
    """

    min_auc: float = 0.5
    max_calibration_error: float = 0.1
    max_auc_loss: float = 0.02
    min_rows: int = 100
    min_rarer: int = 20
    max_unlabelled: float = 0.1
    max_selection_auc: float = 0.6

    def __post_init__(self) -> None:
        check_declared("Gate", self)
        for name in ("min_auc", "max_calibration_error", "max_auc_loss", "max_unlabelled", "max_selection_auc"):
            _check_share("Gate", name, getattr(self, name))
        if self.min_rarer < 2 or self.min_rows < 2 * self.min_rarer:  # noqa: PLR2004 - one row has no variance
            raise DefinitionError(
                f"Gate: min_rarer={self.min_rarer} must be at least 2, and min_rows={self.min_rows} at least twice that"
            )


@dataclass(frozen=True, slots=True)
class Release:
    """How a version that passed the gate takes over.

    Only predictions whose attribution window is over are judged, so a canary judges nothing in its first ``within``.

    Attributes:
        canary: the share of requests, sticky by the request's key, that the challenger answers.
        min_of_each_class: labelled predictions of each class, in each arm, before anything is decided.
        max_days: the longest a canary runs, from its start. Its last ``max_days`` - ``within`` days are time to judge.
        max_auc_loss: the AUC that the challenger may lose: one that loses so much is promoted at most at
            1 - ``confidence``. A smaller loss takes more labels to rule out. 0 promotes only what is surely better.
        confidence: one minus the error that is allowed over all daily looks together: an equal challenger is called
            worse at most so often.
    """

    canary: float = 0.2
    min_of_each_class: int = 50
    max_days: int = 14
    max_auc_loss: float = 0.05
    confidence: float = 0.95

    def __post_init__(self) -> None:
        check_declared("Release", self)
        _check_share("Release", "canary", self.canary)
        _check_share("Release", "max_auc_loss", self.max_auc_loss)
        if not 0.5 < self.confidence < 1:  # noqa: PLR2004 - a coin's
            raise DefinitionError(f"Release: confidence={self.confidence} must lie between 0.5 and 1")
        if self.max_days < 1 or self.min_of_each_class < 2:  # noqa: PLR2004 - of one value no variance can be told
            raise DefinitionError("Release: max_days must be at least 1, min_of_each_class at least 2")


@dataclass(frozen=True, slots=True)
class Monitor:
    """What counts as a breach on one day.

    Attributes:
        max_psi: population stability index of an input or of the score against the reference profile.
        max_missing: the share of a feature's values that may be missing beyond the reference profile's share.
        expected_drift: columns that move with the season: their drift is stored, and never breaches.
        max_quarantined: the share of a source's records that may go to quarantine.
        min_volume: the least share of a source's usual records a day.
        min_auc: the least AUC over the day's labelled predictions.
        max_calibration_error: the greatest expected calibration error over them.
        min_coverage: the least share of predictions, old enough to have a label, that have one.
        max_skew: the share of a day's served values of a feature that may differ from their batch recomputation, and of
            a field that was sent from the lake's record. Live, a record may still be on its way when its tile closes;
            in a replay there is no such excuse.
        max_lead: how long before or after its event time a request may be asked: training asks at the event time.
        max_off_time: the share of a day's requests that may be asked further from it than ``max_lead``.
        max_fallback: the share of a day's online answers that may be the fallback.
        min_rows: checks of drift and accuracy on fewer rows than this are stored, and never breach. Days are added, up
            to 28, until accuracy has so many labels.
        min_rarer: as many labels of the rarer outcome accuracy needs as well.
    """

    max_psi: float = 0.25
    max_missing: float = 0.2
    expected_drift: tuple[str, ...] = ()
    max_quarantined: float = 0.05
    min_volume: float = 0.3
    min_auc: float = 0.5
    max_calibration_error: float = 0.15
    min_coverage: float = 0.5
    max_skew: float = 0.01
    max_lead: str = "1h"
    max_off_time: float = 0.1
    max_fallback: float = 0.05
    min_rows: int = 200
    min_rarer: int = 20
    max_lead_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        check_declared("Monitor", self)
        object.__setattr__(self, "max_lead_micros", duration(self.max_lead))
        for name in (
            "max_missing",
            "max_skew",
            "max_off_time",
            "max_fallback",
            "max_quarantined",
            "min_volume",
            "min_auc",
            "max_calibration_error",
            "min_coverage",
        ):
            _check_share("Monitor", name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Retrain:
    """When to train again, and on what.

    Attributes:
        every: the longest a champion serves before another is trained; its age is measured in event time.
        on_breach: whether a breach of accuracy or data starts a training. Drift alone never does: see
            :func:`~smallbox.monitoring.report.reasons_to_train`.
        at_least: no training sooner than this after the one before it, whatever breaches. One that failed is tried
            again sooner: after one day, two, four, and so on up to this.
        window: how far back the training data reaches.
        validation: the last part of that window, held out for the gate, in time order.
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
