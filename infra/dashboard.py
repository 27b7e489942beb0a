"""The dashboard: the loop at a glance, one row for each stage under the state of all alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.parts.flow import Flow
from smallbox.aws.failure_log import DEGRADED_ANSWERS, FALLBACK_ANSWERS
from smallbox.aws.metrics import NAMESPACE
from smallbox.stages import STAGES

_HOUR: Final = Duration.hours(1)
_WIDTH: Final = 24
_HEIGHT: Final = 5

Metrics = Sequence[cloudwatch.IMetric]


@dataclass(frozen=True, slots=True)
class Watched:
    """What the dashboard shows beside the functions, the queues and the API.

    Attributes:
        machines: the state machines by name.
        incidents: the figure of new incidents by model.
        alarms: every alarm.
        dead: the dead-letter queue of the alarms of incidents.
    """

    machines: Mapping[str, sfn.StateMachine]
    incidents: Mapping[str, cloudwatch.Metric]
    alarms: Sequence[cloudwatch.Alarm]
    dead: sqs.Queue


def dashboard(scope: Construct, flow: Flow, watched: Watched) -> cloudwatch.Dashboard:
    """Create it. With one model it shows fewer than 50 metrics, the most that AWS shows for nothing."""
    board = cloudwatch.Dashboard(scope, "Dashboard", default_interval=Duration.days(7))
    board.add_widgets(cloudwatch.AlarmStatusWidget(title="alarms", alarms=[*watched.alarms], width=_WIDTH, height=3))
    graphs = _graphs(flow, watched)
    for stage in STAGES:
        row = {"errors of functions": _errors(flow, stage), **graphs.get(stage, {})}
        board.add_widgets(*(_graph(f"{stage}: {said}", found, len(row)) for said, found in row.items()))
    return board


def _graph(title: str, metrics: Metrics, parts: int) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=[*metrics], width=_WIDTH // parts, height=_HEIGHT)


def _errors(flow: Flow, stage: str) -> Metrics:
    own = {path: function for path, function in flow.functions.items() if path.partition("/")[0] == stage}
    return [one.metric_errors(period=_HOUR, statistic="Sum", label=path) for path, one in own.items()]


def _graphs(flow: Flow, watched: Watched) -> Mapping[str, Mapping[str, Metrics]]:
    """By stage, what it has beside its functions, by title."""
    return {
        "ingestion": {"oldest message, seconds": _ages(flow, "events", "drops"), "dead letters": _dead(flow, watched)},
        "features": {"oldest message, seconds": _ages(flow, "features", "rebuild")},
        "training": {"executions": _ended(watched, "training")},
        "serving": {
            "requests and 5xx": [flow.api.requests(_HOUR), flow.api.failures(_HOUR)],
            "milliseconds, 90 % below": [flow.api.latency(_HOUR)],
            "answers not as usual": [_logged(DEGRADED_ANSWERS), _logged(FALLBACK_ANSWERS)],
            "oldest message, seconds": _ages(flow, "predictions", "scores"),
        },
        "feedback": {"days": _ended(watched, "daily")},
        "monitoring": {
            "new incidents": [one.with_(period=_HOUR, label=model) for model, one in watched.incidents.items()]
        },
        "retraining": {"trainings started": [watched.machines["training"].metric_started(period=_HOUR)]},
    }


def _ages(flow: Flow, *queues: str) -> Metrics:
    return [
        flow.queues[name].queue.metric_approximate_age_of_oldest_message(period=_HOUR, statistic="Maximum", label=name)
        for name in queues
    ]


def _dead(flow: Flow, watched: Watched) -> Metrics:
    letters = {**{name: queue.dead for name, queue in flow.queues.items()}, "decide": watched.dead}
    return [
        one.metric_approximate_number_of_messages_visible(period=_HOUR, statistic="Maximum", label=name)
        for name, one in letters.items()
    ]


def _ended(watched: Watched, machine: str) -> Metrics:
    found = watched.machines[machine]
    return [found.metric_succeeded(period=_HOUR), found.metric_failed(period=_HOUR)]


def _logged(name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, statistic="Sum", period=_HOUR)
