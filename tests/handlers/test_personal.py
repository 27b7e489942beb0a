"""Proves that a personal value gets into no log, answer or report, whatever goes well and whatever fails."""

import io
import json
import sys
from typing import Any, Final

import boto3
import pytest

from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.logs import powertools_logger
from smallbox.define import FeatureView, Model, Source, boolean, count, label, number, project, text, timestamp
from smallbox.define.project import Project, project_of
from smallbox.errors import SmallboxError
from smallbox.features.live_views import LiveViewStore
from smallbox.monitoring.incidents import IncidentBook
from tests.fakes.small import trees
from tests.handlers.conftest import ROOT, event, handler

TEXT, NUMBER = "alice@example.org", 471147.25
PLANTED: Final = (TEXT, str(NUMBER))
FAILURE: Final = ValueError(f"Could not convert '{TEXT}' with {NUMBER}")
TASKS: Final = (
    "training/dataset", "training/fit", "registry/register", "release/start", "feedback/join", "monitoring/check",
    "monitoring/resolve", "release/review", "retraining/decide", "features/backfill", "ingestion/upkeep",
    "serving/score", "release/guard", "release/shadow", "release/experiment",
    "monitoring/freshness",
)  # fmt: skip
STEPS: Final[dict[str, dict[str, Any]]] = {
    "serving/score": {"step": "days", "document": {"models": ["signup"]}},
    "monitoring/resolve": {"incident": "signup-2013-03-01-loss", "action": "close", "by": "ann", "why": "a test"},
}
"""What a task with other arguments is asked for."""

signups = Source(
    "signups",
    key="signup_id",
    time="at",
    known_after="0s",
    fields={
        "signup_id": text(),
        "at": timestamp(),
        "site": text(),
        "email": text(pii=True, pattern="[a-z@.]+"),
        "income": number(pii=True, maximum=1e6),
        "good": boolean(nullable=True),
    },
)


def income_squared(income: Any) -> Any:
    """An on-demand feature of a personal number."""
    return income**2


def _model() -> Project:
    view = FeatureView("site", entity="site", source=signups, features={"signups_1h": count("1h")})
    outcome = label(signups, on="signup_id", value="good", within="1d")
    model = Model(
        "signup",
        request=signups,
        inputs=("income",),
        label=outcome,
        estimator=trees,
        views=(view,),
        on_demand=(income_squared,),
        fallback=0.5,
    )
    return project_of([model])


GOOD: Final = {"signup_id": "a", "at": "2013-03-01T08:00:00Z", "site": "x", "email": TEXT, "income": NUMBER}
WRONG: Final = (
    {**GOOD, "email": TEXT.upper()},
    {**GOOD, "income": TEXT},
    {**GOOD, "income": NUMBER * 1e6},
    {**GOOD, "emial": TEXT},
)


class _StandardOutput(io.StringIO):
    """What is the standard output at the time of writing: pytest changes it."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)


@pytest.fixture
def personal(aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores, a project that has personal fields, and a log that is captured."""
    monkeypatch.setattr(project, "load", _model)
    for one in powertools_logger().handlers:
        monkeypatch.setattr(one, "stream", _StandardOutput())


def _request(path: str, body: Any) -> dict[str, Any]:
    request = {**event("api_collect"), "rawPath": path, "body": json.dumps(body), "queryStringParameters": {}}
    request["requestContext"]["http"] |= {"path": path}
    return request


def _sqs(*bodies: Any) -> dict[str, Any]:
    template = event("sqs")["Records"][0]
    return {"Records": [{**template, "messageId": str(n), "body": json.dumps(b)} for n, b in enumerate(bodies)]}


def _dropped(key: str, content: bytes) -> dict[str, Any]:
    boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=content)
    return _sqs({"detail": {"object": {"key": key}}})


def _told(capsys: pytest.CaptureFixture[str], *answers: Any) -> str:
    """Everything that the run has told: its logs, its answers, and its reports."""
    s3 = boto3.client("s3")
    captured = capsys.readouterr()
    told = [captured.out, captured.err, *(json.dumps(answer) for answer in answers)]
    for bucket, prefix in (("lake", "reports/"), ("inbox", "score/signup/out/")):
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
        told += [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]
    return "\n".join(told)


def _check(told: str) -> None:
    assert [value for value in PLANTED if value.lower() in told.lower()] == [], told


def test_good_and_bad_records_and_requests_tell_nothing(personal: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Collected, predicted with an explanation, refused for every rule: no personal value comes back."""
    collect, predict = handler("ingestion", "collect"), handler("serving", "predict")
    answers = [collect(_request("/events/signups", [GOOD, *WRONG]))]
    assert len(json.loads(answers[0]["body"])["rejected"]) == len(WRONG)
    asked = [{"instances": [instance], "explain": True} for instance in (GOOD, *WRONG)]
    answers += [predict(_request("/models/signup/predict", body)) for body in asked]
    assert [answer["statusCode"] for answer in answers] == [202, 200] + [422] * len(WRONG)
    told = _told(capsys, answers)
    _check(told)
    assert "FallbackAnswers" in told


def test_files_that_cannot_be_read_tell_nothing(personal: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The report of a dropped file, damaged or with bad rows, and the log of its handler, show no value of it."""
    lines = "\n".join(json.dumps(row) for row in (GOOD, *WRONG)).encode()
    files = {"a.jsonl": lines, "b.parquet": f"PAR1 {TEXT}".encode() * 9, "c.csv": f"signup_id,at\n{TEXT}".encode()}
    for name, content in files.items():
        handler("ingestion", "load")(_dropped(f"drop/signups/{name}", content))
        handler("serving", "score")(_dropped(f"score/signup/in/{name}", content))
    told = _told(capsys)
    _check(told)
    assert "b.parquet" in told


def test_an_error_that_is_not_ours_is_logged_by_type_and_place(
    personal: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign error that repeats a value leaves its type and line in the log, and its message nowhere."""

    def failing(*_: Any, **__: Any) -> None:
        raise FAILURE

    monkeypatch.setattr(DeltaLake, "append", failing)
    answers = [handler("ingestion", "append")(_sqs({"source": "signups", "records": []}, {"wrong": TEXT}))]
    answers.append(handler("serving", "log")(_sqs({"model": "signup", "rows": [{"key": TEXT}]})))
    monkeypatch.setattr("smallbox.serving.answering.unknown_vectors", failing)
    answers.append(handler("serving", "predict")(_request("/models/signup/predict", {"instances": [GOOD]})))
    assert answers[-1]["statusCode"] == 500
    told = _told(capsys, answers)
    _check(told)
    assert "ValueError at test_personal.py" in told


@pytest.mark.parametrize("path", TASKS)
def test_a_task_fails_without_foreign_text(
    personal: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """What Lambda prints and Step Functions keeps of a failed task is its type and place."""

    def failing(*_: Any, **__: Any) -> None:
        raise FAILURE

    run = handler(*path.split("/"))
    for owner, name in ((Project, "model"), (LiveViewStore, "read"), (DeltaLake, "files"), (IncidentBook, "close")):
        monkeypatch.setattr(owner, name, failing)
    with pytest.raises(SmallboxError) as failed:
        run({"model": "signup", "step": "plan", "document": {"views": ["site"]}} | STEPS.get(path, {}))
    assert "ValueError at test_personal.py" in failed.value.message
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
    _check(_told(capsys, failed.value.message))


def test_every_handler_goes_through_an_entry_that_is_tested_here() -> None:
    """A handler is an entry of the API, a consumer of a queue, or a task: the tests above prove each of the three.

    The tasks are exactly those that the test above fails one by one.
    """
    files = sorted((ROOT / "functions").glob("*/*/handler.py"))
    assert len(files) > len(TASKS)
    for file in files:
        code = file.read_text()
        path = f"{file.parent.parent.name}/{file.parent.name}"
        assert ("@as_task" in code) == (path in TASKS), path
        assert (
            "@as_task" in code
            or "handler = Api()" in code
            or "handler = api.Api()" in code
            or "return consume(" in code
        ), path
