"""A state machine that passes one JSON document from function to function."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.logs import log_group
from infra.parts.roles import exact_role


def task(scope: Construct, flow: Flow, path: str, step: str = "") -> tasks.LambdaInvoke:
    """A function as a task: it gets the document, and its return value is the next document.

    A task is retried with exponential backoff after errors of AWS, and after ``Conflict`` and ``Unavailable``. So every
    task must be idempotent.

    Args:
        scope: the state machine's construct.
        flow: the shared resources.
        path: the function, like ``training/fit``.
        step: for a function with several steps, which one; it then gets ``{"step", "document"}``.
    """
    state = tasks.LambdaInvoke(
        scope,
        step.capitalize() or path.partition("/")[2].capitalize(),
        lambda_function=flow.functions[path],
        payload=sfn.TaskInput.from_object({"step": step, "document": sfn.JsonPath.entire_payload}) if step else None,
        payload_response_only=True,
        retry_on_service_exceptions=False,
    )
    # transient: a write conflict or a throttled store
    state.add_retry(errors=["Conflict", "Unavailable"], interval=Duration.seconds(15), backoff_rate=2, max_attempts=5)
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
    """Chain functions as consecutive tasks."""
    first, *rest = (task(scope, flow, path) for path in paths)
    steps = sfn.Chain.start(first)
    for state in rest:
        steps = steps.next(state)
    return steps


class Machine(Construct):
    """A standard state machine with its role and execution log."""

    def __init__(self, scope: Construct, construct: str, name: str, flow: Flow) -> None:
        super().__init__(scope, construct)
        self._flow = flow
        self._name = name

    def run(self, steps: sfn.IChainable, hours: int, name: str | None = None) -> sfn.StateMachine:
        """Create the state machine from these steps.

        A machine with a distributed map starts itself, so its role needs its ARN beforehand: give it a fixed name.
        """
        if name:
            add_named_machine(self, self._flow, self._name, name)
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_chainable(steps),
            role=exact_role(self, f"machine/{self._name}", "states", self._flow.arns),
            timeout=Duration.hours(hours),
            logs=sfn.LogOptions(
                destination=log_group(self, "Logs"), level=sfn.LogLevel.ALL, include_execution_data=True
            ),
        )
        # CDK adds this policy for a distributed map; all grants must come from grants.py
        machine.node.try_remove_child("DistributedMapPolicy")
        if not name:
            self._flow.arns.add(f"machine:{self._name}", machine.state_machine_arn)
            executions = _arn(self, "execution", f"{machine.state_machine_name}:*")
            self._flow.arns.add(f"executions:{self._name}:*", executions)
        return machine


def add_named_machine(scope: Construct, flow: Flow, machine: str, name: str) -> str:
    """Let grants refer to a machine of a fixed name, also before it is created; returns its ARN."""
    flow.arns.add(f"executions:{machine}:*", _arn(scope, "execution", f"{name}:*"))
    arn = _arn(scope, "stateMachine", name)
    flow.arns.add(f"machine:{machine}", arn)
    return arn


def _arn(scope: Construct, resource: str, name: str) -> str:
    return Stack.of(scope).format_arn(
        service="states", resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
