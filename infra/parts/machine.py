"""A state machine that hands one JSON document from function to function."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.parts.alarms import MINUTE
from infra.parts.flow import Flow
from infra.parts.logs import log_group
from infra.parts.roles import exact_role


def task(scope: Construct, flow: Flow, path: str) -> tasks.LambdaInvoke:
    """The function as a task: the document in, the document that it returns out; tries again when AWS fails."""
    state = tasks.LambdaInvoke(
        scope,
        path.partition("/")[2].capitalize(),
        lambda_function=flow.functions[path],
        payload_response_only=True,
        retry_on_service_exceptions=False,
    )
    state.add_retry(
        errors=[
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ],
        interval=Duration.seconds(2),
        backoff_rate=2,
        max_attempts=5,
        jitter_strategy=sfn.JitterType.FULL,
    )
    return state


def chain(scope: Construct, flow: Flow, paths: Sequence[str]) -> sfn.Chain:
    """The functions one after another."""
    first, *rest = (task(scope, flow, path) for path in paths)
    steps = sfn.Chain.start(first)
    for state in rest:
        steps = steps.next(state)
    return steps


class Machine(Construct):
    """A standard state machine with its role, execution log and alarm."""

    def __init__(self, scope: Construct, construct: str, name: str, flow: Flow) -> None:
        super().__init__(scope, construct)
        self._flow = flow
        self._name = name

    def run(self, steps: sfn.IChainable, hours: int) -> sfn.StateMachine:
        """Make it of these steps."""
        machine = sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(steps),
            role=exact_role(self, f"machine/{self._name}", "states", self._flow.arns),
            timeout=Duration.hours(hours),
            logs=sfn.LogOptions(
                destination=log_group(self, "Logs"), level=sfn.LogLevel.ALL, include_execution_data=True
            ),
        )
        failed = machine.metric_failed(period=MINUTE)
        self._flow.alarms.watch(self, "Failed", failed, f"an execution of {self._name} failed")
        self._flow.arns.add(f"machine:{self._name}", machine.state_machine_arn)
        return machine
