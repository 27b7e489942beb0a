"""Proves that a workflow starts a name once, and that figures and messages reach those who watch."""

import json

import boto3
import pytest

from smallbox.aws.metrics import NAMESPACE, CloudWatchMeter
from smallbox.aws.notices import TopicNotices
from smallbox.aws.workflow import StateMachine
from smallbox.errors import Unavailable
from smallbox.ports import Workflow
from tests.contracts.conftest import REGION
from tests.fakes.edges import FakeWorkflow


def _machine(name: str) -> StateMachine:
    client = boto3.client("stepfunctions", region_name=REGION)
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    role = "arn:aws:iam::123456789012:role/training"
    arn = client.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    return StateMachine(arn, client)


@pytest.fixture(params=["fake", "moto"])
def workflow(request: pytest.FixtureRequest, aws: None) -> Workflow:
    """A workflow that nothing has started."""
    return FakeWorkflow() if request.param == "fake" else _machine("training")


def test_a_name_is_started_once(workflow: Workflow) -> None:
    """Starting the same name again, even with another document, is the first execution; another name is another one."""
    first = workflow.start("model-1", {"why": "breach"})
    assert workflow.start("model-1", {"why": "age"}) == first
    assert workflow.start("model-2", {"why": "age"}) != first


def test_a_machine_that_is_gone_is_unavailable(aws: None) -> None:
    """A machine that does not answer is an error that may be tried again."""
    client = boto3.client("stepfunctions", region_name=REGION)
    gone = StateMachine(f"arn:aws:states:{REGION}:123456789012:stateMachine:gone", client)
    with pytest.raises(Unavailable):
        gone.start("model-1", {})


def test_figures_reach_their_metric(aws: None) -> None:
    """Each figure is a metric of its name and dimensions in the namespace that the alarms watch."""
    client = boto3.client("cloudwatch", region_name=REGION)
    CloudWatchMeter(client).publish({"OpenIncidents": 2.0, "Others": 0.0}, {"model": "m"})
    metrics = client.list_metrics(Namespace=NAMESPACE)["Metrics"]
    assert sorted(metric["MetricName"] for metric in metrics) == ["OpenIncidents", "Others"]
    assert all(metric["Dimensions"] == [{"Name": "model", "Value": "m"}] for metric in metrics)


def test_a_message_reaches_the_topic(aws: None) -> None:
    """Its text whole, its subject as SNS takes it: one line of at most 100 characters."""
    sns, sqs = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
    topic, url = sns.create_topic(Name="alarms")["TopicArn"], sqs.create_queue(QueueName="heard")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    TopicNotices(topic, sns).tell("an incident\n" + "x" * 200, "log loss is 0.9\nto do: retrain")
    (heard,) = sqs.receive_message(QueueUrl=url)["Messages"]
    message = json.loads(heard["Body"])
    assert message["Message"] == "log loss is 0.9\nto do: retrain"
    assert message["Subject"] == "an incident " + "x" * 88
    with pytest.raises(Unavailable):
        TopicNotices(f"{topic}-gone", sns).tell("a", "b")
