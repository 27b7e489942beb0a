"""What SNS brings when a CloudWatch alarm changes state."""

import json
from collections.abc import Mapping
from typing import Any


def models_of(event: Mapping[str, Any]) -> list[str]:
    """The models whose breach alarms ring in an SNS event, each once; alarms that calm down are left out."""
    messages = [json.loads(record["Sns"]["Message"]) for record in event["Records"]]
    ringing = [message for message in messages if message["NewStateValue"] == "ALARM"]
    dimensions = [d for message in ringing for d in message["Trigger"]["Dimensions"]]
    return list(dict.fromkeys(d["value"] for d in dimensions if d["name"] == "model"))
