"""The ``Workflow`` port on a Step Functions state machine."""

import json
from collections.abc import Mapping
from typing import Any

from smallbox.aws.clients import aws_errors, client, code_of, reason_of
from smallbox.errors import Unavailable


class StateMachine:
    """The ``Workflow`` port on one standard state machine."""

    def __init__(self, arn: str, stepfunctions: Any = None) -> None:
        self._arn = arn
        self._stepfunctions = stepfunctions or client("stepfunctions")

    def start(self, name: str, document: Mapping[str, Any]) -> str:
        """Start an execution with this name and return its ARN; idempotent per name."""
        try:
            answer = self._stepfunctions.start_execution(
                stateMachineArn=self._arn, name=name, input=json.dumps(document)
            )
        except aws_errors() as error:
            if code_of(error) == "ExecutionAlreadyExists":
                return self._arn.replace(":stateMachine:", ":execution:") + ":" + name
            raise Unavailable(f"the state machine did not start {name!r}: {reason_of(error)}") from error
        arn: str = answer["executionArn"]
        return arn
