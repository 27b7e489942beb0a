"""Nothing fails unseen: every function, queue, machine and the API has its log and its alarm."""

import json
import re
from dataclasses import replace
from typing import get_args

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra import symptoms
from infra.app import build
from infra.deployment import Deployment
from infra.grants import GRANTS
from smallbox.aws.failure_log import FALLBACK_ANSWERS, UNLIMITED_ANSWERS, embedded
from smallbox.cli.drills.site import AlarmName
from smallbox.cli.drills.table import DRILLS
from smallbox.define import RateLimit, Serve
from smallbox.define.project import load
from smallbox.errors import DefinitionError
from smallbox.monitoring.incidents import OPEN_INCIDENTS
from smallbox.release.canary_marks import CHALLENGER_TROUBLE
from smallbox.stages import STAGES
from tests.infra.grants import Names
from tests.infra.templates import Assembly, mentioned, tasks_of

MACHINES = ("machine/training", "machine/daily", "machine/backfill", "machine/scoring")


def test_every_function_has_a_log_group_that_expires(aws: Assembly) -> None:
    """Logs of a function neither vanish nor cost for ever, and no two functions share a group."""
    groups, functions = aws.properties("AWS::Logs::LogGroup"), aws.properties("AWS::Lambda::Function").values()
    own = [mentioned(function["LoggingConfig"]["LogGroup"]) for function in functions]
    assert len(set(own)) == len(functions) > 0
    assert {groups[name]["RetentionInDays"] for name in own} == {30}


COVERED = {
    "ingestion/collect": "Failing", "serving/predict": "Failing", "registry/browse": "Failing",
    "ingestion/append": "Dead", "ingestion/load": "Dead", "features/stream": "Dead", "features/rebuild": "Dead",
    "serving/log": "Dead", "serving/score": "Dead", "retraining/decide": "Dead",
    "training/dataset": "Executions", "training/fit": "Executions", "registry/register": "Executions",
    "release/start": "Executions", "feedback/join": "Executions", "monitoring/check": "Executions",
    "release/review": "Executions", "release/guard": "Dropped", "release/experiment": "Executions",
    "release/shadow": "Executions", "features/backfill": "Executions", "ingestion/upkeep": "Dropped",
    "monitoring/freshness": "Dropped",
}  # fmt: skip
"""By function, the alarm that rings when it fails or is throttled for good."""
BY_HAND = {"monitoring/resolve"}
"""Functions that only a person invokes: the command says that they failed."""


def test_every_function_that_fails_for_good_is_heard_of(aws: Assembly) -> None:
    """Each function is behind the trigger whose failures its alarm counts, and no function is left out."""
    names = Names(aws)
    behind: dict[str, set[str]] = {"Failing": set(), "Dead": set(), "Executions": set(), "Dropped": set()}
    for integration in aws.properties("AWS::ApiGatewayV2::Integration").values():
        behind["Failing"].add(names.of(integration["IntegrationUri"]))
    for mapping in aws.properties("AWS::Lambda::EventSourceMapping").values():
        behind["Dead"].add(names.of(mapping["FunctionName"]))
    functions = aws.properties("AWS::Lambda::Function").items()
    behind["Dead"] |= {names.of({"Ref": name}) for name, found in functions if "DeadLetterConfig" in found}
    behind["Executions"] = {f"function:{path}" for machine in MACHINES for path in _invoked(machine)}
    behind["Dropped"] = {names.resources[name] for name in aws.alarmed("AsyncEventsDropped", "FunctionName")}
    for path, alarm in COVERED.items():
        assert f"function:{path}" in behind[alarm], path
    assert {names.of({"Ref": name}).removeprefix("function:") for name, _ in functions} == {*COVERED, *BY_HAND}


def _invoked(machine: str) -> set[str]:
    return {grant.on.removeprefix("function:") for grant in GRANTS[machine] if grant.on.startswith("function:")}


def test_a_scheduled_run_that_is_dropped_or_never_starts_is_heard_of(aws: Assembly) -> None:
    """Every function that a schedule invokes is watched for dropped runs; the upkeep also for not running at all."""
    names = Names(aws)
    scheduled = {
        names.of(found["Target"]["Arn"])
        for found in aws.properties("AWS::Scheduler::Schedule").values()
        if mentioned(found["Target"]["Arn"]) in aws.of_type("AWS::Lambda::Function")
    }
    assert {names.resources[name] for name in aws.alarmed("AsyncEventsDropped", "FunctionName")} == scheduled
    (overdue,) = [a for a in aws.properties("AWS::CloudWatch::Alarm").values() if a.get("MetricName") == "Invocations"]
    assert names.of(overdue["Dimensions"][0]["Value"]) == "function:ingestion/upkeep"
    assert (overdue["ComparisonOperator"], overdue["Threshold"]) == ("LessThanThreshold", 1)
    assert overdue["TreatMissingData"] == "breaching"
    assert overdue["Period"] * overdue["EvaluationPeriods"] == 30 * 3600


def test_there_are_at_most_ten_alarms_and_one_for_each_model(aws: Assembly) -> None:
    """However many functions there are; an expression has at most the ten metrics that an alarm may combine."""
    alarms = aws.properties("AWS::CloudWatch::Alarm").values()
    of_models = [alarm for alarm in alarms if alarm.get("MetricName") == OPEN_INCIDENTS]
    dimensions = [one for alarm in of_models for one in alarm["Dimensions"]]
    assert sorted(one["Value"] for one in dimensions) == sorted(load().models)
    assert len(alarms) - len(of_models) == 10
    for alarm in alarms:
        metrics = [one for one in alarm.get("Metrics", []) if "MetricStat" in one]
        assert len(metrics) <= 10
        expressions = [one["Expression"] for one in alarm.get("Metrics", []) if "Expression" in one]
        assert all(f"FILL({one['Id']}, 0)" in expressions[0] for one in metrics)


WITHOUT_DRILL = {
    "Dropped": "Lambda tries a scheduled run again by itself; the drill `overdue_upkeep` has what a user sees of it",
    "LostPredictions": "an answer of the drills' model that cannot be logged is an error, as `failing_answers` shows",
    "Unlimited": "the drills' model declares no rate limit",
}
"""The alarms that no drill raises, each with the reason."""


def test_every_alarm_has_a_drill_or_a_reason(aws: Assembly) -> None:
    """A new alarm asks for a drill. Those of models ring for every drill that expects an incident."""
    drilled = {name for drill in DRILLS.values() for name in (*drill.expected.names, *drill.rings)}
    alarms = aws.properties("AWS::CloudWatch::Alarm")
    of_models = {name for name, alarm in alarms.items() if alarm.get("MetricName") == OPEN_INCIDENTS}
    found = {re.sub(r"^(symptoms|release)(\w+)[0-9A-F]{8}$", r"\2", name) for name in alarms.keys() - of_models}
    found.add("Unlimited")  # only where a model declares a rate limit; the shipped ones declare none
    assert found - drilled == set(WITHOUT_DRILL)
    assert set(get_args(AlarmName)) == found - set(WITHOUT_DRILL)
    assert any(drill.expected.what == "incident" for drill in DRILLS.values())


def test_here_a_combined_alarm_watches_one_metric_of_all_resources(local: Assembly) -> None:
    """The emulator refuses metric math, and evaluates a metric without dimensions over all of them."""
    alarms = local.properties("AWS::CloudWatch::Alarm").values()
    assert not any("Metrics" in alarm for alarm in alarms)
    whole = {alarm["MetricName"] for alarm in alarms if "Dimensions" not in alarm}
    assert {"ApproximateNumberOfMessagesVisible", "ExecutionsFailed", "ApproximateAgeOfOldestMessage"} <= whole


def test_late_answers_are_heard_of(aws: Assembly) -> None:
    """Nine of ten within three seconds; a single cold start rings nothing."""
    (slow,) = [a for a in aws.properties("AWS::CloudWatch::Alarm").values() if a.get("MetricName") == "Latency"]
    assert (slow["ExtendedStatistic"], slow["Threshold"], slow["EvaluationPeriods"]) == ("p90", 3000, 3)


def test_every_work_queue_has_a_dead_letter_queue_and_both_have_alarms(aws: Assembly) -> None:
    """A message that fails for good is kept, and heard of; one that waits too long, too."""
    queues = aws.properties("AWS::SQS::Queue")
    work = {name: queue for name, queue in queues.items() if "RedrivePolicy" in queue}
    dead = set(queues) - set(work)
    targets = {mentioned(queue["RedrivePolicy"]["deadLetterTargetArn"]) for queue in work.values()}
    functions = aws.properties("AWS::Lambda::Function").values()
    targets |= {mentioned(f["DeadLetterConfig"]["TargetArn"]) for f in functions if "DeadLetterConfig" in f}
    assert targets == dead == aws.alarmed("ApproximateNumberOfMessagesVisible", "QueueName")
    assert set(work) == aws.alarmed("ApproximateAgeOfOldestMessage", "QueueName")
    assert all(queues[name]["MessageRetentionPeriod"] == 14 * 86400 for name in dead)


def test_a_message_stays_invisible_for_six_timeouts_of_its_function(aws: Assembly) -> None:
    """No message comes back while its function still works on it."""
    queues, functions = aws.properties("AWS::SQS::Queue"), aws.properties("AWS::Lambda::Function")
    mappings = aws.properties("AWS::Lambda::EventSourceMapping").values()
    assert len(mappings) == 6
    for mapping in mappings:
        queue, function = mentioned(mapping["EventSourceArn"]), mentioned(mapping["FunctionName"])
        assert queues[queue]["VisibilityTimeout"] >= 6 * functions[function]["Timeout"], queue
        assert queues[queue]["RedrivePolicy"]["maxReceiveCount"] == 5
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_machines_and_the_api_are_logged_and_alarmed(aws: Assembly) -> None:
    """An execution that fails or times out and a 5xx are heard of."""
    machines = aws.properties("AWS::StepFunctions::StateMachine")
    assert set(machines) == aws.alarmed("ExecutionsFailed", "StateMachineArn")
    assert set(machines) == aws.alarmed("ExecutionsTimedOut", "StateMachineArn")
    assert all(machine["LoggingConfiguration"]["Level"] == "ALL" for machine in machines.values())
    assert set(aws.of_type("AWS::ApiGatewayV2::Api")) == aws.alarmed("5xx", "ApiId")
    (stage,) = aws.properties("AWS::ApiGatewayV2::Stage").values()
    assert stage["AccessLogSettings"]["DestinationArn"]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"]


def test_answers_of_a_fallback_are_alarmed(aws: Assembly) -> None:
    """The alarm watches the very figure that the log of the predicting function counts, over all models."""
    alarms = [a for a in aws.properties("AWS::CloudWatch::Alarm").values() if a.get("MetricName") == FALLBACK_ANSWERS]
    (directive,) = embedded({FALLBACK_ANSWERS: 1})["_aws"]["CloudWatchMetrics"]
    assert [(alarm["Namespace"], alarm.get("Dimensions", [])) for alarm in alarms] == [(directive["Namespace"], [])]
    assert directive["Dimensions"] == [[]]
    assert [metric["Name"] for metric in directive["Metrics"]] == [FALLBACK_ANSWERS]
    assert alarms[0]["Threshold"] == 1


def test_every_alarm_speaks_to_a_topic(aws: Assembly) -> None:
    """No alarm is a light in an empty room: incidents reach the function that decides, a canary's trouble its guard."""
    for name, alarm in aws.properties("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"], name
    names, subscriptions = Names(aws), aws.properties("AWS::SNS::Subscription").values()
    invoked = {names.of(one["Endpoint"]): one for one in subscriptions}
    assert {one["Protocol"] for one in subscriptions} == {"lambda"}
    assert invoked.keys() == {"function:retraining/decide", "function:release/guard"}
    assert invoked["function:retraining/decide"]["RedrivePolicy"]["deadLetterTargetArn"]


def test_the_guard_is_invoked_by_its_own_alarm_and_every_five_minutes(aws: Assembly) -> None:
    """The alarm rings once when trouble begins, so a look that cannot tell is followed by those of the schedule."""
    names = Names(aws)
    (alarm,) = [
        a for a in aws.properties("AWS::CloudWatch::Alarm").values() if a.get("MetricName") == CHALLENGER_TROUBLE
    ]
    (subscription,) = [
        one
        for one in aws.properties("AWS::SNS::Subscription").values()
        if names.of(one["Endpoint"]) == "function:release/guard"
    ]
    assert alarm["AlarmActions"] == [subscription["TopicArn"]]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Period"]) == (1, 1, 60)
    schedules = aws.properties("AWS::Scheduler::Schedule").values()
    (guard,) = [one for one in schedules if names.of(one["Target"]["Arn"]) == "function:release/guard"]
    assert (guard["ScheduleExpression"], guard["State"]) == ("rate(5 minutes)", "ENABLED")


def test_freshness_is_looked_at_every_hour(aws: Assembly) -> None:
    """A source that falls silent in the morning is found before midnight."""
    names, schedules = Names(aws), aws.properties("AWS::Scheduler::Schedule").values()
    (look,) = [one for one in schedules if names.of(one["Target"]["Arn"]) == "function:monitoring/freshness"]
    assert (look["ScheduleExpression"], look["State"]) == ("rate(1 hour)", "ENABLED")


def test_people_are_subscribed_where_the_deployment_says_so() -> None:
    """E-mail addresses and webhooks hear the topic of alarms; another address is refused."""
    addresses = ["ann@example.org", "https://example.org/hook?key=1"]
    _, pipeline = build(App(), replace(Deployment.local(), notify=addresses))
    template = Template.from_stack(pipeline)
    for protocol, address in zip(("email", "https"), addresses, strict=True):
        wanted = {"Protocol": protocol, "Endpoint": address}
        (found,) = template.find_resources("AWS::SNS::Subscription", {"Properties": wanted}).values()
        assert "alarms" in found["Properties"]["TopicArn"]["Ref"]
    with pytest.raises(DefinitionError, match="notify"):
        Deployment.aws({"notify": ["http://example.org"]})


def test_the_dashboard_has_a_row_for_each_stage(aws: Assembly) -> None:
    """In the order of the loop, under the state of every alarm; with one model it has fewer than 50 metrics."""
    (board,) = aws.properties("AWS::CloudWatch::Dashboard").values()
    text = "".join(part if isinstance(part, str) else "arn" for part in board["DashboardBody"]["Fn::Join"][1])
    state, *widgets = json.loads(text)["widgets"]
    assert len(state["properties"]["alarms"]) == len(aws.of_type("AWS::CloudWatch::Alarm"))
    rows = {widget["y"]: widget["properties"]["title"].partition(":")[0] for widget in widgets}
    assert [rows[y] for y in sorted(rows)] == list(STAGES)
    metrics = sum(len(widget["properties"]["metrics"]) for widget in widgets)
    assert metrics - (len(load().models) - 1) < 50


def test_alarms_may_speak_to_every_topic(aws: Assembly) -> None:
    """A topic policy replaces the one that lets alarms in, so ours lets them in."""
    policies = aws.properties("AWS::SNS::TopicPolicy").values()
    assert len(policies) == len(aws.of_type("AWS::SNS::Topic")) == 3
    for policy in policies:
        allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
        assert [s["Principal"] for s in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]


def test_every_task_tries_again_what_may_go_well_the_next_time(aws: Assembly) -> None:
    """Every task of every machine tries again for minutes when a store is contended or does not answer."""
    tasks = [task for machine in aws.machines() for task in tasks_of(machine)]
    training, daily = (
        {"Dataset", "Fit", "Register", "Start", "Failure"},
        {"Join", "Check", "Shadow", "Review", "Experiment", "Decide"},
    )
    names = training | daily | {"Plan", "Fill", "Publish", "Part", "Finish", "Refuse"}
    assert {name for name, _ in tasks} == names
    for name, task in tasks:
        (retry,) = [one for one in task["Retry"] if set(one["ErrorEquals"]) == {"Conflict", "Unavailable"}]
        waits = [retry["IntervalSeconds"] * retry["BackoffRate"] ** n for n in range(retry["MaxAttempts"])]
        assert sum(waits) > 300, name
        assert any("Lambda.TooManyRequestsException" in one["ErrorEquals"] for one in task["Retry"]), name


def test_rate_limits_that_are_not_checked_are_alarmed(aws: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a model declares one; without any there is nothing to watch, and no alarm to pay for."""
    assert UNLIMITED_ANSWERS not in json.dumps(aws.properties("AWS::CloudWatch::Alarm"))
    serve, project = Serve(rate_limit=RateLimit(rate=1, burst=1)), load()
    limited = replace(project, models={name: replace(one, serve=serve) for name, one in project.models.items()})
    monkeypatch.setattr(symptoms, "load", lambda: limited)
    _, pipeline = build(App(), Deployment.local())
    template = Template.from_stack(pipeline)
    template.has_resource_properties("AWS::CloudWatch::Alarm", {"MetricName": UNLIMITED_ANSWERS, "Threshold": 1})
