"""Parses the SNS events of CloudWatch alarms."""

import json
from collections.abc import Mapping
from typing import Any


def models_of(event: Mapping[str, Any]) -> list[str]:
    """The models with a breach alarm in state ALARM in an SNS event, each once; alarms back to OK are ignored."""
    messages = [json.loads(record["Sns"]["Message"]) for record in event["Records"]]
    ringing = [message for message in messages if message["NewStateValue"] == "ALARM"]
    dimensions = [_lowered(d) for message in ringing for d in message["Trigger"]["Dimensions"]]
    return list(dict.fromkeys(d["value"] for d in dimensions if d["name"] == "model"))


def _lowered(dimension: Mapping[str, str]) -> dict[str, str]:
    """Lower-case the keys: SNS alarm messages have ``name`` and ``value``, other AWS APIs ``Name`` and ``Value``."""
    return {key.lower(): value for key, value in dimension.items()}
