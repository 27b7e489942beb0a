"""The rules of a model: when to accept a version, how to release it, what to watch, when to train again."""

from dataclasses import dataclass, field

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
        object.__setattr__(self, "within_micros", duration(self.within))


@dataclass(frozen=True, slots=True)
class Gate:
    """What a candidate must show before it may serve anyone.

    Attributes:
        min_auc: the least area under the ROC curve on the validation rows.
        max_calibration_error: the greatest expected calibration error there.
        max_auc_loss: how much lower than the champion's, on the same rows, its AUC may be.
    """

    min_auc: float = 0.5
    max_calibration_error: float = 0.1
    max_auc_loss: float = 0.0

    def __post_init__(self) -> None:
        for name in ("min_auc", "max_calibration_error", "max_auc_loss"):
            _check_share("Gate", name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Release:
    """How a version that passed the gate takes over.

    Attributes:
        canary: the share of requests, sticky by the request's key, that the challenger answers.
        min_labels: labelled predictions of each arm before anything is decided.
        max_days: the longest a canary runs before it is decided, or rolled back for want of labels.
        max_auc_loss: how much lower than the champion's the challenger's AUC may be when the canary ends undecided.
        confidence: how sure to be that one of them is better before the canary ends early.
    """

    canary: float = 0.2
    min_labels: int = 300
    max_days: int = 7
    max_auc_loss: float = 0.02
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _check_share("Release", "canary", self.canary)
        _check_share("Release", "max_auc_loss", self.max_auc_loss)
        if not 0.5 < self.confidence < 1:  # noqa: PLR2004 - a coin's
            raise DefinitionError(f"Release: confidence={self.confidence} must lie between 0.5 and 1")
        if self.max_days < 1 or self.min_labels < 1:
            raise DefinitionError("Release: max_days and min_labels must be at least 1")


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
        max_skew: the share of a day's served feature values that may differ from their batch recomputation. Live, a
            record may still be on its way when its tile closes; in a replay there is no such excuse.
        min_rows: checks of drift and accuracy on fewer rows than this are stored, and never breach.
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
    min_rows: int = 200

    def __post_init__(self) -> None:
        for name in (
            "max_missing",
            "max_skew",
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
        on_breach: whether a breach starts a training.
        at_least: no training sooner than this after the one before it, whatever breaches.
        window: how far back the training data reaches.
        validation: the last part of that window, held out for the gate, in time order.
    """

    every: str = "30d"
    on_breach: bool = True
    at_least: str = "7d"
    window: str = "90d"
    validation: str = "7d"
    every_micros: Micros = field(init=False)
    at_least_micros: Micros = field(init=False)
    window_micros: Micros = field(init=False)
    validation_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        for name in ("every", "at_least", "window", "validation"):
            object.__setattr__(self, f"{name}_micros", duration(getattr(self, name)))
        if self.validation_micros >= self.window_micros:
            raise DefinitionError(
                f"Retrain: validation={self.validation!r} must be shorter than window={self.window!r}"
            )
