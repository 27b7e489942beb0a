"""The three state machines: one trains, one looks after yesterday, one computes the history of changed views."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.machine import Machine, chain, task
from infra.parts.roles import exact_role
from smallbox.define.project import load

_PARTS_AT_ONCE: Final = 8


def training_machine(scope: Construct, flow: Flow) -> sfn.StateMachine:
    """Dataset, fit, register; start the release of what the gate accepted.

    A run that fails before it has a version is recorded, then the execution fails, so that its alarm rings. A version
    that could not be released is picked up by the daily review.
    """
    machine = Machine(scope, "training-machine", "training", flow)
    dataset, fit, register, start = (
        task(machine, flow, path) for path in ("training/dataset", "training/fit", "registry/register", "release/start")
    )
    failed = sfn.Fail(machine, "Training failed", error_path="$.error.Error", cause_path="$.error.Cause")
    record = task(machine, flow, "registry/register", "failure")
    record.next(failed)
    for step in (dataset, fit, register):
        step.add_catch(record, result_path="$.error")
    accepted = sfn.Choice(machine, "Accepted?")
    accepted.when(sfn.Condition.boolean_equals("$.accepted", True), start)
    accepted.otherwise(sfn.Succeed(machine, "Not accepted"))
    return machine.run(dataset.next(fit).next(register).next(accepted), hours=2)


def daily_machine(scope: Construct, flow: Flow) -> sfn.StateMachine:
    """Join, check, review, decide; every day for every model."""
    machine = Machine(scope, "daily-machine", "daily", flow)
    daily = ["feedback/join", "monitoring/check", "release/review", "retraining/decide"]
    return machine.run(chain(machine, flow, daily), hours=2)


def backfill_machine(scope: Construct, flow: Flow) -> sfn.StateMachine:
    """Plan, fill every part in a child execution of its own, publish.

    It waits first, until every worker that was started before the deployment has ended: one of them could still apply a
    record to the old version of a view alone.
    """
    machine = Machine(scope, "backfill-machine", "backfill", flow)
    settle = sfn.Wait(machine, "Settle", time=sfn.WaitTime.duration(Duration.seconds(flow.deployment.settle_seconds)))
    every = sfn.DistributedMap(
        machine,
        "Parts",
        items_path="$.parts",
        result_path="$.filled",
        max_concurrency=_PARTS_AT_ONCE,
        map_execution_type=sfn.StateMachineType.STANDARD,
    )
    every.item_processor(task(machine, flow, "features/backfill", "fill"))
    plan, publish = (task(machine, flow, "features/backfill", step) for step in ("plan", "publish"))
    return machine.run(settle.next(plan).next(every).next(publish), hours=12, name="smallbox-backfill")


class Schedules(Construct):
    """Starts the daily machine for each model, an hour after midnight UTC."""

    def __init__(self, scope: Construct, flow: Flow, machine: sfn.StateMachine) -> None:
        super().__init__(scope, "schedules")
        role = exact_role(self, "schedule/daily", "scheduler", flow.arns)
        for model in load().models:
            document = scheduler.ScheduleTargetInput.from_object({"model": model})
            scheduler.Schedule(
                self,
                model,
                schedule=scheduler.ScheduleExpression.cron(hour="1", minute="0"),
                target=targets.StepFunctionsStartExecution(machine, role=role, input=document),
                time_window=scheduler.TimeWindow.flexible(Duration.minutes(15)),
                enabled=flow.deployment.schedules_enabled,
            )
