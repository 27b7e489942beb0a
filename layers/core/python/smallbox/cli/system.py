"""A client of a running system: send, drop, predict, drain queues, run state machines, read alarms."""

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from smallbox.cli.aws_errors import denied
from smallbox.cli.execution_ends import failure_of, machine_of
from smallbox.cli.polling import polls
from smallbox.cli.stack import Stack
from smallbox.errors import Forbidden, InvalidInput, Unavailable
from smallbox.release.looks import NEWEST
from smallbox.request_sizes import EVENT_LIMIT, EXPLAINED_LIMIT, INSTANCE_LIMIT
from smallbox.times import asked_moment, to_micros

ERRORS_FROM: Final = 400
_FORBIDDEN: Final = 403
MAX_AT_ONCE: Final = min(EVENT_LIMIT, INSTANCE_LIMIT)
"""The maximum number of records or instances in one request."""
_LONGEST_SECONDS: Final = 900
"""The maximum run time of a function; a retry before that would start it twice."""
_LONGEST_EXECUTION: Final = 12 * 3600
"""The longest that a state machine may run; it times out itself."""
FEATURE_QUEUES: Final = ("DropsQueue", "EventsQueue", "FeaturesQueue", "RebuildQueue")
"""Empty queues mean that the online store has all records sent. In upstream order: a message is deleted only after its
follow-up messages are in the next queue."""
_REBUILD_QUEUE: Final = ("RebuildQueue",)
_WHERE: Final = "the function's log says why; here `.smallbox/emulator.log`, on AWS CloudWatch Logs"
ALL_QUEUES: Final = (*FEATURE_QUEUES, "ScoresQueue", "PredictionsQueue")


class System:
    """A client of a running stack; uses only its public interfaces and outputs."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.client = functools.cache(stack.client)
        self.on_start: Callable[[str], None] | None = None
        """Called with the ARN of each execution that :meth:`run` starts."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of both CloudFormation stacks by name, like ``LakeBucket``."""
        return self.stack.outputs

    def request(self, method: str, path: str, body: str | None = None, as_of: str | None = None) -> Any:
        """Send one signed HTTPS request, as of the present or of a past moment; return its JSON answer.

        Raises:
            Forbidden: if the credentials are not good, or lack the permission.
            InvalidInput: if the server answers with another error; gives its code and message.
        """
        http = self.stack.http if as_of is None else self.stack.replayed_http
        status, answer = http.request(method, f"{path}{_query(as_of)}", body)
        if status == _FORBIDDEN and "error" not in answer:  # an answer of a function has one
            raise Forbidden(_refused(answer, f"{method} {path}"))
        if status >= ERRORS_FROM:
            raise InvalidInput(_sentence_of(status, answer), status=status)
        return answer

    def send(self, source: str, lines: Sequence[str], as_of: str | None = None) -> Mapping[str, Any]:
        """Send records, each a JSON text; return the number accepted, and the rejections with their line, from 0."""
        accepted, rejected = 0, []
        for first in range(0, len(lines), MAX_AT_ONCE):
            body = f"[{','.join(lines[first : first + MAX_AT_ONCE])}]"
            answer = self.request("POST", f"/events/{source}", body, as_of)
            accepted += answer["accepted"]
            rejected += [{**rejection, "index": rejection["index"] + first} for rejection in answer["rejected"]]
        return {"accepted": accepted, "rejected": rejected}

    def predict(
        self, model: str, lines: Sequence[str], as_of: str | None = None, *, explain: bool = False
    ) -> Sequence[Mapping[str, Any]]:
        """Predict instances, each a JSON text; in their order, with ``explain`` also their inputs."""
        predictions: list[Mapping[str, Any]] = []
        most = EXPLAINED_LIMIT if explain else MAX_AT_ONCE
        for first in range(0, len(lines), most):
            instances = ",".join(lines[first : first + most])
            body = f'{{"explain":{json.dumps(explain)},"instances":[{instances}]}}'
            predictions += self.request("POST", f"/models/{model}/predict", body, as_of)["predictions"]
        return predictions

    def infer(self, model: str, line: str) -> Sequence[Mapping[str, Any]]:
        """Predict one instance, a JSON text, by the Open Inference Protocol; return the output tensors."""
        instance = json.loads(line)
        tensors = [
            {"name": one["name"], "shape": [1], "datatype": one["datatype"], "data": [instance[one["name"]]]}
            for one in self.request("GET", f"/v2/models/{model}")["inputs"]
        ]
        body = json.dumps({"inputs": tensors})
        outputs: Sequence[Mapping[str, Any]] = self.request("POST", f"/v2/models/{model}/infer", body)["outputs"]
        return outputs

    def champion(self, model: str) -> int | None:
        """The champion version of a model; ``None`` if it has none."""
        routings = {one["name"]: one["routing"] for one in self.request("GET", "/models")["models"]}
        return routings[model] and int(routings[model]["champion"])

    def rebuild(self, source: str, as_of: str | None = None) -> None:
        """Rebuild the online states of all views of a source from the lake, and wait for it.

        Raises:
            InvalidInput: if ``as_of`` is not a timestamp, or in the future.
        """
        present = to_micros(datetime.now(UTC))
        moment = {} if as_of is None else {"as_of": asked_moment({"as_of": as_of}, present)}
        message = {"source": source, **moment}
        self.client("sqs").send_message(QueueUrl=self.outputs["RebuildQueue"], MessageBody=json.dumps(message))
        self.drain(_REBUILD_QUEUE)

    def upkeep(self, as_of: str | None = None, *, only_when_due: bool = False) -> Mapping[str, Any]:
        """Run the lake's upkeep, and wait for it and for the rebuilds that it requests.

        Returns:
            Why it was due, and the progress of each ``current`` table.

        Raises:
            Unavailable: if it failed; gives the reason.
        """
        document = {"only_when_due": only_when_due, **({} if as_of is None else {"as_of": as_of})}
        answer = self.invoke("UpkeepFunction", document, "the upkeep")
        self.drain(_REBUILD_QUEUE)
        return answer

    def release(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change a release by hand, see :class:`~smallbox.release.by_hand.ByHandTask`; return the new routing."""
        return self.invoke("ReleaseFunction", document, "the change of the release")

    def release_story(self, model: str, version: int | None = None) -> Mapping[str, Any]:
        """The release of a version; ``None``: the running one, else the last."""
        story: Mapping[str, Any] = self.request("GET", f"/models/{model}/releases/{version or NEWEST}")
        return story

    def change_incident(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Acknowledge or close an incident, see :class:`~smallbox.monitoring.resolve.ResolveTask`."""
        return self.invoke("IncidentFunction", document, "the change of the incident")

    def invoke(self, output: str, document: Mapping[str, Any], what: str) -> Mapping[str, Any]:
        """Run the function that an output names, and wait for its answer; ``what`` is its name in an error."""
        from botocore.config import Config  # noqa: PLC0415 slow imports only where needed

        patient = Config(read_timeout=_LONGEST_SECONDS, retries={"total_max_attempts": 1})
        answer = self.stack.client("lambda", config=patient).invoke(
            FunctionName=self.outputs[output], Payload=json.dumps(document).encode()
        )
        payload: Mapping[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise Unavailable(f"{what} failed: {payload.get('errorMessage')}")
        return payload

    def upload(self, key: str, file: Path) -> None:
        """Upload a file to the inbox."""
        self.client("s3").upload_file(str(file), self.outputs["InboxBucket"], key)

    def wait_for_object(
        self, bucket: str, key: str, seconds: float = 120, meanwhile: Callable[[], None] = lambda: None
    ) -> bytes:
        """Wait until an object exists; return its content. ``meanwhile`` is called each time it does not.

        Raises:
            Unavailable: on a timeout.
        """
        s3, name = self.client("s3"), self.outputs[bucket]
        for _ in polls(seconds):
            if s3.list_objects_v2(Bucket=name, Prefix=key).get("KeyCount"):
                content: bytes = s3.get_object(Bucket=name, Key=key)["Body"].read()
                return content
            meanwhile()
        raise Unavailable(f"no {key!r} appeared in {name} within {seconds:.0f} s; {_WHERE}")

    def drain(self, queues: Sequence[str] = ALL_QUEUES, seconds: float = 120) -> None:
        """Wait until all queues are empty, messages in flight included.

        AWS counts messages with some delay, so there they must be empty twice.

        Raises:
            Unavailable: on a timeout; names the queue.
        """
        self._empty(queues, seconds)
        if self.stack.settle_seconds:
            time.sleep(self.stack.settle_seconds)
            self._empty(queues, seconds)

    def _empty(self, queues: Sequence[str], seconds: float) -> None:
        waiting = list(queues)
        for _ in polls(seconds):
            while waiting and not self.waiting(waiting[0]):
                del waiting[0]
            if not waiting:
                return
        raise Unavailable(f"{waiting[0]} did not drain within {seconds:.0f} s; {_WHERE}")

    def waiting(self, queue: str) -> int:
        """The messages of a queue, named by its output, that are not deleted yet."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def dead_letters(self) -> int:
        """The number of messages in all dead-letter queues."""
        return sum(self.dead_letters_by_queue().values())

    def dead_letters_by_queue(self) -> dict[str, int]:
        """The number of messages in each dead-letter queue, by the name of the queue that they failed in.

        Example: the name ``events``, from the output ``EventsDeadQueue``.
        """
        dead = "DeadQueue"
        names = [name for name in self.outputs if name.endswith(dead)]
        return {name.removesuffix(dead).lower(): self.waiting(name) for name in names}

    def run(self, machine: str, document: Mapping[str, Any], name: str | None = None) -> Mapping[str, Any]:
        """Start an execution of a state machine, wait for it, and return its output."""
        return self.wait_for_execution(self.start(machine, document, name))

    def start(self, machine: str, document: Mapping[str, Any], name: str | None = None) -> str:
        """Start an execution of a state machine; return its ARN."""
        options = {} if name is None else {"name": name}
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[machine], input=json.dumps(document), **options
        )
        if self.on_start is not None:
            self.on_start(started["executionArn"])
        return str(started["executionArn"])

    def wait_for_execution(self, arn: str, seconds: float = _LONGEST_EXECUTION) -> Mapping[str, Any]:
        """Wait for an execution; return its output.

        Raises:
            Unavailable: if it failed, or on a timeout.
        """
        for _ in polls(seconds):
            execution = self.client("stepfunctions").describe_execution(executionArn=arn)
            if execution["status"] == "SUCCEEDED":
                output: Mapping[str, Any] = json.loads(execution["output"])
                return output
            if execution["status"] != "RUNNING":
                raise Unavailable(f"{machine_of(arn)} {execution['status'].lower()}: {failure_of(execution)}")
        raise Unavailable(f"{arn} did not end within {seconds:.0f} s")

    def has_rung(self, model: str) -> bool:
        """Whether the alarm of a model's incidents has ever gone off."""
        history = self.client("cloudwatch").get_paginator("describe_alarm_history")
        alarm = self.outputs[incidents_output(model)]
        pages = history.paginate(AlarmName=alarm, HistoryItemType="StateUpdate")
        return any("to ALARM" in item["HistorySummary"] for page in pages for item in page["AlarmHistoryItems"])

    def alarms(self) -> dict[str, str]:
        """The state of every alarm, by name."""
        pages = self.client("cloudwatch").get_paginator("describe_alarms").paginate()
        return {a["AlarmName"]: a["StateValue"] for page in pages for a in page["MetricAlarms"]}


def _refused(answer: Any, route: str) -> str:
    said = str(answer.get("message") or answer.get("Message") or "") if isinstance(answer, Mapping) else str(answer)
    if any(word in said for word in ("expired", "security token", "signature")):
        return f"AWS refuses the credentials: {said} Sign in again, with single sign-on by `aws sso login`"
    return denied("execute-api:Invoke", route)


def _sentence_of(status: int, answer: Any) -> str:
    error = answer.get("error") if isinstance(answer, Mapping) else None
    if isinstance(error, str):  # on the routes of the inference protocol
        return f"{answer.get('code')}: {error}"
    if not error:
        return f"the server answered {status}: {str(answer)[:200]}"
    return f"{error['code']}: {error['message']}"


def incidents_output(model: str) -> str:
    """The stack output with the alarm of a model's incidents.

    >>> incidents_output("late_arrival")
    'LateArrivalIncidentsAlarm'
    """
    return "".join(part.capitalize() for part in (*model.split("_"), "incidents", "alarm"))


def _query(as_of: str | None) -> str:
    return "" if as_of is None else f"?as_of={quote(as_of)}"
