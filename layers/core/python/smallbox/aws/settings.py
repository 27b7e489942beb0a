"""The settings of every function: the CDK app writes them as its environment, the function reads them back."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TypeVar

from smallbox.errors import DefinitionError

VARIABLE_PREFIX = "SMALLBOX_"

Settings = TypeVar("Settings")


def environment(settings: object) -> dict[str, str]:
    """The environment variables that carry the settings."""
    values: dict[str, str] = asdict(settings)  # type: ignore[call-overload]
    return {VARIABLE_PREFIX + name.upper(): value for name, value in values.items()}


def from_environment(cls: type[Settings], env: Mapping[str, str] = os.environ) -> Settings:
    """Read a function's settings back.

    Raises:
        DefinitionError: naming the variable that is missing.
    """
    names = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    missing = [VARIABLE_PREFIX + n.upper() for n in names if VARIABLE_PREFIX + n.upper() not in env]
    if missing:
        raise DefinitionError(f"environment variables missing: {', '.join(missing)}; deploy with the CDK app")
    return cls(**{n: env[VARIABLE_PREFIX + n.upper()] for n in names})


@dataclass(frozen=True, slots=True)
class CollectSettings:
    """``ingestion/collect``: HTTPS events to the events queue; rejected ones to quarantine."""

    lake_bucket: str
    events_queue: str


@dataclass(frozen=True, slots=True)
class AppendSettings:
    """``ingestion/append``: the events queue to the lake and on to the features queue; outdated ones to quarantine."""

    lake_bucket: str
    features_queue: str


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """``ingestion/load``: dropped files to the lake, part by part, then a rebuild of the views that read the source."""

    inbox_bucket: str
    lake_bucket: str
    drops_queue: str
    rebuild_queue: str


@dataclass(frozen=True, slots=True)
class UpkeepSettings:
    """``ingestion/upkeep``: brings the tables ``current`` forward, compacts and vacuums every table of the lake."""

    lake_bucket: str
    rebuild_queue: str


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """``features/stream``: the features queue to the online store."""

    online_table: str
    features_queue: str
    rebuild_queue: str


@dataclass(frozen=True, slots=True)
class RebuildSettings:
    """``features/rebuild``: entities of a view from the lake to the online store."""

    lake_bucket: str
    online_table: str
    rebuild_queue: str


@dataclass(frozen=True, slots=True)
class BackfillSettings:
    """``features/backfill``: the history of new and changed views from the lake to the online store."""

    lake_bucket: str
    online_table: str
    rebuild_queue: str


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """``training/dataset``: the point-in-time dataset of a run."""

    lake_bucket: str


@dataclass(frozen=True, slots=True)
class FitSettings:
    """``training/fit``: fit, calibrate, export, check parity, measure."""

    lake_bucket: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """``registry/register``: the gate, and the version's record."""

    registry_table: str


@dataclass(frozen=True, slots=True)
class BrowseSettings:
    """``registry/browse``: models, versions, history and metrics, to read."""

    registry_table: str
    metrics_table: str


@dataclass(frozen=True, slots=True)
class StartSettings:
    """``release/start``: a registered version becomes champion, or challenger in a canary."""

    registry_table: str


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """``release/review``: promotes or rolls back a running canary."""

    lake_bucket: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class PredictSettings:
    """``serving/predict``: online predictions."""

    lake_bucket: str
    online_table: str
    registry_table: str
    predictions_queue: str


@dataclass(frozen=True, slots=True)
class LogSettings:
    """``serving/log``: the predictions queue to the prediction log."""

    lake_bucket: str


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """``serving/score``: a file under ``score/`` to predictions beside it."""

    inbox_bucket: str
    lake_bucket: str
    registry_table: str


@dataclass(frozen=True, slots=True)
class JoinSettings:
    """``feedback/join``: late labels to the predictions of a day."""

    lake_bucket: str


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """``monitoring/check``: the metrics of a day, stored by event day, breaches published."""

    lake_bucket: str
    registry_table: str
    metrics_table: str


@dataclass(frozen=True, slots=True)
class AcceptSettings:
    """``monitoring/accept``: a week becomes what drift is measured against."""

    lake_bucket: str
    registry_table: str
    metrics_table: str


@dataclass(frozen=True, slots=True)
class DecideSettings:
    """``retraining/decide``: whether to train again, and why."""

    registry_table: str
    metrics_table: str
    training_machine: str
