"""The stateless stack with the nine stages, in order; it can be deleted and deployed again."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.dashboard import Watched, dashboard
from infra.deployment import Deployment
from infra.machines import Schedules, backfill_machine, daily_machine, scoring_machine, training_machine
from infra.operator import as_of_policy, operator_policy
from infra.parts.flow import Flow, flow_of
from infra.stages.features import Features
from infra.stages.feedback import Feedback
from infra.stages.ingestion import Ingestion
from infra.stages.monitoring import Monitoring
from infra.stages.registry import Registry
from infra.stages.release import Release
from infra.stages.retraining import Retraining
from infra.stages.serving import Serving
from infra.stages.training import Training
from infra.stores import Stores
from infra.symptoms import Symptoms
from smallbox.aws.replays import AS_OF_STAGE, GRANTED


class Pipeline(Stack):
    """The nine stages, the state machines and the schedules."""

    def __init__(self, scope: Construct, name: str, deployment: Deployment, stores: Stores, **stack: Any) -> None:
        super().__init__(scope, name, **stack)
        flow = flow_of(self, deployment, stores)
        ingestion = Ingestion(self, flow)
        Features(self, flow)
        backfill = backfill_machine(self, flow)
        Training(self, flow)
        Registry(self, flow)
        release = Release(self, flow)
        training = training_machine(self, flow)
        Serving(self, flow)
        scoring = scoring_machine(self, flow)
        Feedback(self, flow)
        monitoring = Monitoring(self, flow)
        retraining = Retraining(self, flow, monitoring.incidents, training)
        daily = daily_machine(self, flow)
        Schedules(self, flow, daily)
        machines = {"training": training, "daily": daily, "backfill": backfill, "scoring": scoring}
        _watch(self, flow, machines, release, monitoring, retraining)
        self._output(_function_outputs(ingestion, release, monitoring))
        self._output(
            {
                "ApiUrl": flow.api.url,
                "AlarmsTopic": flow.alarms.topic.topic_arn,
                "IncidentsTopic": monitoring.incidents.topic_arn,
                "DecideDeadQueue": retraining.dead.queue_url,
                "OperatorPolicy": operator_policy(self, flow).managed_policy_arn,
            }
        )
        self._output({f"{kind.capitalize()}Machine": one.state_machine_arn for kind, one in machines.items()})
        self._output(_queue_outputs(flow))
        if deployment.as_of == GRANTED:
            policy = as_of_policy(self, flow).managed_policy_arn
            self._output({"AsOfUrl": f"{flow.api.url}/{AS_OF_STAGE}", "AsOfPolicy": policy})

    def _output(self, outputs: Mapping[str, str]) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


def _function_outputs(ingestion: Ingestion, release: Release, monitoring: Monitoring) -> dict[str, str]:
    """The functions that the command line invokes, by the name of their output."""
    invoked = {
        "UpkeepFunction": ingestion.upkeep,
        "ReleaseFunction": release.start,
        "ExperimentFunction": release.experiment,
        "ShadowFunction": release.shadow,
        "IncidentFunction": monitoring.resolve,
    }
    return {name: function.function_name for name, function in invoked.items()}


def _watch(
    scope: Construct,
    flow: Flow,
    machines: Mapping[str, sfn.StateMachine],
    release: Release,
    monitoring: Monitoring,
    retraining: Retraining,
) -> None:
    """Add the alarms of the system, and the dashboard of all alarms."""
    symptoms = Symptoms(scope, flow, [*machines.values()], [retraining.dead])
    alarms = [*symptoms.alarms, release.alarm, *monitoring.alarms]
    dashboard(scope, flow, Watched(machines, monitoring.figures, alarms, retraining.dead))


def _queue_outputs(flow: Flow) -> dict[str, str]:
    alive = {f"{name.capitalize()}Queue": part.queue.queue_url for name, part in flow.queues.items()}
    dead = {f"{name.capitalize()}DeadQueue": part.dead.queue_url for name, part in flow.queues.items()}
    return alive | dead
