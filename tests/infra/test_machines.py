"""The training machine records what failed, and then fails, so that its alarm rings."""

import json
from typing import Any

from tests.infra.templates import Assembly


def _training_states(assembly: Assembly) -> dict[str, Any]:
    for machine in assembly.properties("AWS::StepFunctions::StateMachine").values():
        parts = machine["DefinitionString"]["Fn::Join"][1]
        definition = json.loads("".join(part if isinstance(part, str) else "arn" for part in parts))
        if "Fit" in definition["States"]:
            return dict(definition["States"])
    raise AssertionError("no machine fits a model")


def test_a_training_that_fails_is_recorded_and_then_fails(aws: Assembly) -> None:
    """Whatever ends a run before it has a version goes to the history, and the execution fails with the same cause."""
    states = _training_states(aws)
    for name in ("Dataset", "Fit", "Register"):
        (catch,) = states[name]["Catch"]
        assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failure"}, name
    assert states["Failure"]["Parameters"] == {"step": "failure", "document.$": "$"}
    assert states["Failure"]["Next"] == "Training failed"
    assert states["Training failed"] == {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}
    assert "Catch" not in states["Start"], "the version is there; the daily review releases it"
