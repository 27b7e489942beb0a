"""A machine that fails records what failed, and then fails, so that its alarm rings."""

import json
from typing import Any

from tests.infra.templates import Assembly


def _states_with(assembly: Assembly, state: str) -> dict[str, Any]:
    for machine in assembly.properties("AWS::StepFunctions::StateMachine").values():
        parts = machine["DefinitionString"]["Fn::Join"][1]
        definition = json.loads("".join(part if isinstance(part, str) else "arn" for part in parts))
        if state in definition["States"]:
            return dict(definition["States"])
    raise AssertionError(f"no machine has the state {state}")


def test_a_training_that_fails_is_recorded_and_then_fails(aws: Assembly) -> None:
    """Whatever ends a run before it has a version goes to the history, and the execution fails with the same cause."""
    states = _states_with(aws, "Fit")
    for name in ("Dataset", "Fit", "Register"):
        (catch,) = states[name]["Catch"]
        assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failure"}, name
    assert states["Failure"]["Parameters"] == {"step": "failure", "document.$": "$"}
    assert states["Failure"]["Next"] == "Training failed"
    assert states["Training failed"] == {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}
    assert "Catch" not in states["Start"], "the version is there; the daily review releases it"


def test_a_scored_file_that_lacks_a_part_is_reported_and_then_fails(aws: Assembly) -> None:
    """Each part is tried again alone; when one fails for good, the report says so before the execution fails."""
    states = _states_with(aws, "Scored parts")
    every = states["Scored parts"]
    assert every["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert every["ItemProcessor"]["States"]["Part"]["Retry"], "a part alone, not the map"
    assert "Retry" not in every
    assert every["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Refuse"}]
    assert every["Next"] == "Finish"
    assert states["Refuse"]["Next"] == "Scoring failed"
    assert states["Scoring failed"]["Type"] == "Fail"
