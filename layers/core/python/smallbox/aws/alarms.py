"""What SNS brings when a CloudWatch alarm changes state."""

import json
from collections.abc import Mapping
from typing import Any


def models_of(event: Mapping[str, Any]) -> list[str]:
    """The models whose breach alarms ring in an SNS event, each once; alarms that calm down are left out."""
    messages = [json.loads(record["Sns"]["Message"]) for record in event["Records"]]
    ringing = [message for message in messages if message["NewStateValue"] == "ALARM"]
    dimensions = [_lowered(d) for message in ringing for d in message["Trigger"]["Dimensions"]]
    return list(dict.fromkeys(d["value"] for d in dimensions if d["name"] == "model"))


def _lowered(dimension: Mapping[str, str]) -> dict[str, str]:
    """AWS writes ``name`` and ``value`` here, and ``Name`` and ``Value`` everywhere else; the emulator does so too."""
    return {key.lower(): value for key, value in dimension.items()}
