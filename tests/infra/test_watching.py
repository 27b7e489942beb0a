"""Nothing fails unseen: every function, queue, machine and the API has its log and its alarm."""

import json
from dataclasses import replace

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.app import build
from infra.deployment import Deployment
from infra.stages import serving
from smallbox.aws.fallback_log import FALLBACK_ANSWERS, UNLIMITED_ANSWERS, embedded
from smallbox.define import RateLimit, Serve
from smallbox.define.project import load
from tests.infra.templates import Assembly, mentioned, tasks_of


def test_every_function_has_a_log_group_that_expires(aws: Assembly) -> None:
    """Logs of a function neither vanish nor cost for ever, and no two functions share a group."""
    groups, functions = aws.properties("AWS::Logs::LogGroup"), aws.properties("AWS::Lambda::Function").values()
    own = [mentioned(function["LoggingConfig"]["LogGroup"]) for function in functions]
    assert len(set(own)) == len(functions) > 0
    assert {groups[name]["RetentionInDays"] for name in own} == {30}


def test_every_function_has_alarms_on_errors_and_throttles(aws: Assembly) -> None:
    """A function that fails or is held back is heard of."""
    functions = set(aws.of_type("AWS::Lambda::Function"))
    assert functions == aws.alarmed("Errors", "FunctionName") == aws.alarmed("Throttles", "FunctionName")


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
    """A failed execution and a 5xx are heard of."""
    machines = aws.properties("AWS::StepFunctions::StateMachine")
    assert set(machines) == aws.alarmed("ExecutionsFailed", "StateMachineArn")
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
    """No alarm is a light in an empty room; the breaches of a model reach the function that decides."""
    for name, alarm in aws.properties("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"], name
        assert alarm["TreatMissingData"] == "notBreaching"
    (subscription,) = aws.properties("AWS::SNS::Subscription").values()
    assert subscription["Protocol"] == "lambda"
    assert subscription["RedrivePolicy"]["deadLetterTargetArn"]


def test_alarms_may_speak_to_every_topic(aws: Assembly) -> None:
    """A topic policy replaces the one that lets alarms in, so ours lets them in."""
    policies = aws.properties("AWS::SNS::TopicPolicy").values()
    assert len(policies) == len(aws.of_type("AWS::SNS::Topic")) == 2
    for policy in policies:
        allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
        assert [s["Principal"] for s in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]


def test_every_task_tries_again_what_may_go_well_the_next_time(aws: Assembly) -> None:
    """Every task of every machine tries again for minutes when a store is contended or does not answer."""
    tasks = [task for machine in aws.machines() for task in tasks_of(machine)]
    training, daily = {"Dataset", "Fit", "Register", "Start", "Failure"}, {"Join", "Check", "Review", "Decide"}
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
    monkeypatch.setattr(serving, "load", lambda: limited)
    _, pipeline = build(App(), Deployment.local())
    template = Template.from_stack(pipeline)
    template.has_resource_properties("AWS::CloudWatch::Alarm", {"MetricName": UNLIMITED_ANSWERS, "Threshold": 1})
