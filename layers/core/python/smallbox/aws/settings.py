"""The settings of every function: the CDK app writes them to environment variables, the function reads them back."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TypeVar

from smallbox.errors import DefinitionError

VARIABLE_PREFIX = "SMALLBOX_"

Settings = TypeVar("Settings")


def environment(settings: object) -> dict[str, str]:
    """Convert settings to environment variables."""
    values: dict[str, str] = asdict(settings)  # type: ignore[call-overload]
    return {VARIABLE_PREFIX + name.upper(): value for name, value in values.items()}


def from_environment(cls: type[Settings], env: Mapping[str, str] = os.environ) -> Settings:
    """Read a function's settings from environment variables.

    Raises:
        DefinitionError: naming the missing variables.
    """
    names = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    missing = [VARIABLE_PREFIX + n.upper() for n in names if VARIABLE_PREFIX + n.upper() not in env]
    if missing:
        raise DefinitionError(f"environment variables missing: {', '.join(missing)}; deploy with the CDK app")
    return cls(**{n: env[VARIABLE_PREFIX + n.upper()] for n in names})


@dataclass(frozen=True, slots=True)
class CollectSettings:
    """``ingestion/collect``: records over HTTPS to the events queue; rejected ones to quarantine."""

    lake_bucket: str
    events_queue: str
    as_of: str


@dataclass(frozen=True, slots=True)
class AppendSettings:
    """``ingestion/append``: events queue to the lake and on to the features queue; outdated records to quarantine."""

    lake_bucket: str
    features_queue: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """``ingestion/load``: dropped files to the lake, part by part; then requests a rebuild of the source's views."""

    inbox_bucket: str
    lake_bucket: str
    drops_queue: str
    rebuild_queue: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class UpkeepSettings:
    """``ingestion/upkeep``: updates the ``current`` tables, compacts and vacuums every table of the lake."""

    lake_bucket: str
    rebuild_queue: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """``features/stream``: features queue to the online store."""

    online_table: str
    features_queue: str
    rebuild_queue: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class RebuildSettings:
    """``features/rebuild``: recomputes online states of entities from the lake."""

    lake_bucket: str
    online_table: str
    rebuild_queue: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class BackfillSettings:
    """``features/backfill``: computes the online states of new and changed views from the lake."""

    lake_bucket: str
    online_table: str
    rebuild_queue: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """``training/dataset``: builds the point-in-time dataset of a training run."""

    lake_bucket: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class FitSettings:
    """``training/fit``: fits, calibrates, exports to ONNX, checks parity, and measures."""

    lake_bucket: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """``registry/register``: runs the quality gate, and records the version."""

    lake_bucket: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class BrowseSettings:
    """``registry/browse``: read-only API for models, versions, history and metrics."""

    registry_table: str
    metrics_table: str


@dataclass(frozen=True, slots=True)
class StartSettings:
    """``release/start``: makes a registered version champion, or challenger in a canary."""

    registry_table: str


@dataclass(frozen=True, slots=True)
class ShadowSettings:
    """``release/shadow``: scores logged requests with the candidate of a release."""

    lake_bucket: str
    registry_table: str
    metrics_table: str


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """``release/review``: moves a release up or down its ladder."""

    lake_bucket: str
    registry_table: str
    metrics_table: str


@dataclass(frozen=True, slots=True)
class ExperimentSettings:
    """``release/experiment``: plans, starts, shows and stops experiments, and looks at the running one each day."""

    lake_bucket: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """``release/guard``: looks at running canaries while they answer, and rolls back one that harms."""

    registry_table: str
    metrics_table: str
    alarms_topic: str


@dataclass(frozen=True, slots=True)
class PredictSettings:
    """``serving/predict``: online predictions."""

    lake_bucket: str
    online_table: str
    registry_table: str
    predictions_queue: str
    limits_table: str
    as_of: str


@dataclass(frozen=True, slots=True)
class LogSettings:
    """``serving/log``: predictions queue to the prediction log, and to the counters of canaries."""

    lake_bucket: str
    registry_table: str
    metrics_table: str


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """``serving/score``: batch predictions for a file under ``score/``."""

    inbox_bucket: str
    lake_bucket: str
    registry_table: str
    scoring_machine: str


@dataclass(frozen=True, slots=True)
class JoinSettings:
    """``feedback/join``: joins late labels to predictions."""

    lake_bucket: str
    registry_table: str
    metrics_table: str


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """``monitoring/check``: computes and stores the metrics of an event day, records incidents, tells new ones."""

    lake_bucket: str
    registry_table: str
    metrics_table: str
    online_table: str
    alarms_topic: str


@dataclass(frozen=True, slots=True)
class FreshnessSettings:
    """``monitoring/freshness``: looks hourly whether a source is stale, opens its incident, tells new ones."""

    lake_bucket: str
    registry_table: str
    metrics_table: str
    alarms_topic: str


@dataclass(frozen=True, slots=True)
class ResolveSettings:
    """``monitoring/resolve``: a person acknowledges or closes an incident."""

    metrics_table: str


@dataclass(frozen=True, slots=True)
class DecideSettings:
    """``retraining/decide``: decides whether to retrain, and starts the training machine."""

    registry_table: str
    metrics_table: str
    training_machine: str
