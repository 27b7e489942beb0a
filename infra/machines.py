"""The four state machines: training, the daily run, the backfill of new and changed views, and large files to score."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.machine import Machine, chain, task
from infra.parts.roles import exact_role
from infra.stages.serving import SCORING_MACHINE
from smallbox.define.project import load

_PARTS_AT_ONCE: Final = 8
_SCORED_AT_ONCE: Final = 4
"""Each part of a scored file is a commit to the model's prediction log; more workers would conflict."""


def training_machine(scope: Construct, flow: Flow) -> sfn.StateMachine:
    """Dataset, fit and register; then start the release if the gate accepted the version.

    If a run fails before the version is registered, the failure is recorded and the execution fails, which raises its
    alarm. If the release cannot be started, the daily review starts it later.
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
    """Labels, metrics, the release, the experiment, and whether to retrain: daily for every model."""
    machine = Machine(scope, "daily-machine", "daily", flow)
    releasing = ("release/shadow", "release/review", "release/experiment")
    daily = ["feedback/join", "monitoring/check", *releasing, "retraining/decide"]
    return machine.run(chain(machine, flow, daily), hours=2)


def backfill_machine(scope: Construct, flow: Flow) -> sfn.StateMachine:
    """Plan, fill each part in its own child execution, then publish."""
    machine = Machine(scope, "backfill-machine", "backfill", flow)
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
    return machine.run(plan.next(every).next(publish), hours=12, name="smallbox-backfill")


def scoring_machine(scope: Construct, flow: Flow) -> sfn.StateMachine:
    """Score each part of a large file in its own child execution, then write the report.

    If a part fails for good, the report says so and the execution fails, which raises its alarm. The parts that are
    done stay done: dropping the same file again scores only the others.
    """
    machine = Machine(scope, "scoring-machine", "scoring", flow)
    every = sfn.DistributedMap(
        machine,
        "Scored parts",
        items_path="$.parts",
        result_path=sfn.JsonPath.DISCARD,
        max_concurrency=_SCORED_AT_ONCE,
        map_execution_type=sfn.StateMachineType.STANDARD,
    )
    every.item_processor(task(machine, flow, "serving/score", "part"))
    finish, refuse = (task(machine, flow, "serving/score", step) for step in ("finish", "refuse"))
    failed = sfn.Fail(machine, "Scoring failed", error_path="$.error.Error", cause_path="$.error.Cause")
    every.add_catch(refuse, result_path="$.error")
    refuse.next(failed)
    return machine.run(every.next(finish), hours=12, name=SCORING_MACHINE)


class Schedules(Construct):
    """Starts the daily machine for each model at 01:00 UTC, within 15 minutes."""

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
