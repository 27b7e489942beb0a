"""How an execution of a state machine ended, for people."""

import json
from collections.abc import Mapping
from typing import Any


def machine_of(arn: str) -> str:
    """The name of an execution's state machine, for people.

    >>> machine_of("arn:aws:states:r:0:execution:SmallboxPipeline-trainingmachineMachine8E-1A:7f")
    'training'
    """
    kinds = {"trainingmachine": "training", "backfill": "backfill", "scoring": "scoring"}
    return next((kind for part, kind in kinds.items() if part in arn), "day")


def failure_of(execution: Mapping[str, Any]) -> str:
    """Why an execution failed, for people."""
    cause = execution.get("cause") or execution.get("error") or "no reason was given"
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return str(cause)
