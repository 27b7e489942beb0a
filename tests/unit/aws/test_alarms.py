"""Proves that an alarm's notification names its model, however its dimensions are written."""

import json
from typing import Any

import pytest

from smallbox.aws.alarms import models_of


def _event(state: str, *dimensions: dict[str, str]) -> dict[str, Any]:
    message = {"NewStateValue": state, "Trigger": {"Dimensions": list(dimensions)}}
    return {"Records": [{"Sns": {"Message": json.dumps(message)}}]}


@pytest.mark.parametrize("dimension", [{"value": "m", "name": "model"}, {"Value": "m", "Name": "model"}])
def test_the_model_of_a_ringing_alarm_is_named(dimension: dict[str, str]) -> None:
    """Both spellings of a dimension are read; dimensions of other names are passed over."""
    assert models_of(_event("ALARM", {"name": "stage", "value": "x"}, dimension)) == ["m"]


def test_an_alarm_that_calms_down_asks_nothing() -> None:
    """A change to OK names no model."""
    assert models_of(_event("OK", {"value": "m", "name": "model"})) == []
