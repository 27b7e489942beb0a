"""Proves that every scored file is in the log once, whole or in parts, whoever fails and whatever is dropped again."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow.parquet as pq
import pytest

from smallbox.error_codes import policy_of
from smallbox.errors import Conflict, NotReady
from smallbox.ingestion.file_parts import Sizes
from smallbox.ingestion.readers import Limits
from smallbox.lake.names import records_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Between
from smallbox.registry.routing import Routing
from smallbox.serving.score import ScoreTask
from smallbox.times import DAY, SECOND, format_moment
from tests.fakes.edges import FakeBlobs, FakeWorkflow
from tests.fakes.serving import Serving
from tests.fakes.small import deliveries, late_parcel
from tests.unit.serving.two_definitions import ARMS, DELIVERED, INSTANCES, KEYS, NEW, NOW, canary_of_both, of_arm

KEY: Final = f"score/{late_parcel.name}/in/today.jsonl"
OUT: Final = f"score/{late_parcel.name}/out/today.jsonl"
PAIRS: Final = Sizes(batch=Limits(rows=2, bytes=10**6), part=Limits(rows=2, bytes=10**6))
"""Two rows a part."""


class Scoring:
    """A deployed model, and what its function that scores files reads and writes."""

    def __init__(self, serving: Serving, sizes: Sizes = Sizes()) -> None:  # noqa: B008 - immutable
        self.serving, self.machine = serving, FakeWorkflow()
        self.inbox = serving.inbox = FakeBlobs(2 * DAY)
        self.task = ScoreTask(serving.project, serving.lake, serving.loader, self.inbox, self.machine, sizes)

    def drop(self, rows: Sequence[Mapping[str, Any]], key: str = KEY) -> None:
        """Store a file of rows, and take its event."""
        self.inbox.put(key, "\n".join(map(json.dumps, rows)).encode())
        self.task.take(key)

    def parts(self) -> list[Mapping[str, Any]]:
        """The parts of the latest execution."""
        return list(self._started()["parts"])

    def finish(self) -> None:
        """The last step of the latest execution."""
        self.task.run("finish", self._started(), 0)

    def fail(self) -> None:
        """The step of the latest execution when a part failed for good."""
        self.task.run("refuse", self._started(), 0)

    def _started(self) -> Mapping[str, Any]:
        return list(self.machine.started.values())[-1]

    def score_all(self) -> None:
        """Every step of the latest execution."""
        for part in self.parts():
            self.task.run("part", part, 0)
        self.finish()

    def report(self) -> Any:
        """The report of the file."""
        return json.loads(self.inbox.get(f"{OUT}/report.json"))

    def logged(self) -> list[str]:
        """The keys in the log."""
        found = PredictionLog(self.serving.lake).read(self.serving.model.name, Between("time", 0, 200 * DAY))
        return sorted(found["key"].to_pylist())

    def outputs(self) -> dict[str, bytes]:
        """What stands in the folder of predictions, by name."""
        return {key.rpartition("/")[2]: self.inbox.get(key) for key in self.inbox.list(f"{OUT}/")}


def _parcels(names: str) -> list[dict[str, Any]]:
    return [{"parcel_id": n, "sent_at": "1970-01-01T12:00:00Z", "depot": "a", "weight": 1} for n in names]


def _scoring(sizes: Sizes = Sizes()) -> Scoring:  # noqa: B008 - immutable
    serving = Serving(late_parcel)
    serving.route(serving.register(late_parcel))
    return Scoring(serving, sizes)


@pytest.fixture
def scoring() -> Scoring:
    """A scorer of a model with a champion; files of more than two rows are cut."""
    return _scoring(PAIRS)


def test_a_second_file_under_one_key_is_logged_too() -> None:
    """A file that is replaced by another of the same name leaves the rows of both in the log, its own predictions."""
    scoring = _scoring()
    scoring.drop(_parcels("abc"))
    scoring.drop(_parcels("def"))
    assert scoring.logged() == list("abcdef")
    assert set(scoring.outputs()) == {"predictions.parquet", "report.json", "_SUCCESS"}


@pytest.mark.parametrize("sizes", [Sizes(), PAIRS], ids=["whole", "in parts"])
def test_the_same_file_dropped_again_changes_nothing(sizes: Sizes) -> None:
    """A later upload of the same content writes no row and no byte, though the model has another champion since."""
    scoring = _scoring(sizes)
    scoring.drop(_parcels("abcde"))
    if scoring.machine.started:
        scoring.score_all()
    once, version = dict(scoring.inbox.objects), scoring.serving.lake.version("predictions/late_parcel")
    scoring.inbox.now += DAY
    scoring.serving.registry.route("late_parcel", Routing(scoring.serving.register(late_parcel), revision=1))
    executions = len(scoring.machine.started)
    scoring.drop(_parcels("abcde"))
    assert scoring.inbox.objects == once
    assert scoring.serving.lake.version("predictions/late_parcel") == version
    assert len(scoring.machine.started) == executions
    assert scoring.logged() == list("abcde")


def test_a_large_file_is_scored_part_by_part(scoring: Scoring) -> None:
    """What comes of it is what comes of the file as a whole: log, predictions and report; no part stays."""
    rows = _parcels("abcdefg")
    rows[3]["weight"] = "heavy"
    scoring.drop(rows)
    assert len(scoring.parts()) == 4
    assert "_SUCCESS" not in scoring.outputs()
    scoring.score_all()
    whole = _scoring()
    whole.drop(rows)
    names = [f"predictions-{number:05d}-of-00004.parquet" for number in range(4)]
    assert set(scoring.outputs()) == {*names, "report.json", "_SUCCESS"}
    answers = [row for name in names for row in pq.read_table(io.BytesIO(scoring.outputs()[name])).to_pylist()]
    assert answers == pq.read_table(io.BytesIO(whole.outputs()["predictions.parquet"])).to_pylist()
    logs = [s.serving.lake.read("predictions/late_parcel") for s in (scoring, whole)]
    assert logs[0].sort_by("id").equals(logs[1].sort_by("id"))  # type: ignore[union-attr]
    assert {**scoring.report(), "parts": 1} == whole.report()
    (rejection,) = scoring.report()["rejections"]
    assert (rejection["index"], rejection["line"], rejection["field"], rejection["rule"]) == (3, 4, "weight", "type")
    assert scoring.inbox.list("parts/") == []


class _FailingOnce(FakeBlobs):
    """The answers of one part cannot be written the first time."""

    def put(self, key: str, content: bytes) -> None:
        if key.endswith("predictions-00001-of-00003.parquet") and not self.objects.get("failed"):
            self.objects["failed"] = b"yes"
            raise Conflict("somebody else writes")
        super().put(key, content)


@pytest.fixture
def failing() -> Iterator[Scoring]:
    """Three parts, of which the second fails once."""
    scoring = _scoring(PAIRS)
    failing = _FailingOnce(2 * DAY)
    scoring.inbox = scoring.task._inbox = failing
    scoring.drop(_parcels("abcdef"))
    yield scoring
    assert failing.objects["failed"]


def test_a_part_that_fails_is_scored_again_alone(failing: Scoring) -> None:
    """The others are not written again, and a row that was logged before the failure is read once."""
    first, second, third = failing.parts()
    failing.task.run("part", first, 0)
    with pytest.raises(Conflict):
        failing.task.run("part", second, 0)
    failing.task.run("part", third, 0)
    failing.inbox.now += SECOND
    before = dict(failing.inbox._stored_at)
    failing.task.run("part", second, 0)
    failing.finish()
    written = {key for key, at in failing.inbox._stored_at.items() if before.get(key) != at}
    assert {key for key in written if "predictions" in key} == {f"{OUT}/predictions-00001-of-00003.parquet"}
    assert (failing.report()["scored"], failing.logged()) == (6, list("abcdef"))


def test_a_file_of_which_a_part_failed_for_good_is_completed_by_dropping_it_again(failing: Scoring) -> None:
    """Its report says what to do; the second execution scores only what the first one did not."""
    first, second, _ = failing.parts()
    failing.task.run("part", first, 0)
    with pytest.raises(Conflict):
        failing.task.run("part", second, 0)
    failing.fail()
    assert "2 of 3 parts" in failing.report()["error"]["message"]
    assert "drop the same file again" in failing.report()["error"]["message"]
    version = failing.serving.lake.version("predictions/late_parcel")
    failing.inbox.now += SECOND
    failing.drop(_parcels("abcdef"))
    assert len(failing.machine.started) == 2
    failing.score_all()
    assert failing.serving.lake.version("predictions/late_parcel") == (version or 0) + 2
    assert (failing.report()["scored"], failing.logged()) == (6, list("abcdef"))


def test_a_release_in_the_meantime_changes_no_part(scoring: Scoring) -> None:
    """All parts of a file are answered by the versions that served when it was cut."""
    scoring.drop(_parcels("abcd"))
    first, second = scoring.parts()
    scoring.task.run("part", first, 0)
    scoring.serving.registry.route("late_parcel", Routing(scoring.serving.register(late_parcel), revision=1))
    scoring.task.run("part", second, 0)
    log = scoring.serving.lake.read("predictions/late_parcel")
    assert log is not None
    assert set(log["version"].to_pylist()) == {1}


@pytest.mark.parametrize("sizes", [Sizes(), PAIRS], ids=["whole", "in parts"])
def test_a_file_that_breaks_off_is_not_scored_at_all(sizes: Sizes) -> None:
    """Its report names the error, there is no ``_SUCCESS``, no row is logged, and no part stays."""
    scoring = _scoring(sizes)
    scoring.inbox.put(KEY.replace("jsonl", "csv"), b'parcel_id,sent_at\na,1\nb,1\nc,1\n"d')
    scoring.task.take(KEY.replace("jsonl", "csv"))
    (name,) = [key for key in scoring.inbox.objects if "/in/" not in key]
    assert json.loads(scoring.inbox.get(name))["error"]["code"] == "malformed_body"
    assert scoring.serving.lake.version("predictions/late_parcel") is None
    assert not scoring.machine.started


def test_each_row_of_a_file_is_scored_by_the_definition_of_its_own_version() -> None:
    """Of champion and challenger; the predictions keep the order of the file, and the log has the columns of both."""
    scoring = Scoring(canary_of_both())
    canary = scoring.serving
    canary.lake.append(records_table(deliveries), records_to_table(deliveries, DELIVERED))
    scoring.inbox.now = NOW + DAY
    scoring.drop([{**one, "sent_at": format_moment(NOW)} for one in INSTANCES])
    report = scoring.report()
    assert (report["scored"], report["rejected"]) == (len(KEYS), 0)
    answers = pq.read_table(io.BytesIO(scoring.outputs()["predictions.parquet"])).to_pylist()
    assert [(one["key"], one["arm"]) for one in answers] == list(zip(KEYS, ARMS, strict=True))
    assert {one["score"] for one in of_arm("champion", answers)} == {2006}
    scored = [one["score"] for one in of_arm("challenger", answers)]
    assert scored == [one["pieces"] + 9 for one in of_arm("challenger", INSTANCES)]
    log = PredictionLog(canary.lake).read(NEW.name, Between("time", NOW, NOW + 1)).to_pylist()
    assert [row["id"] for row in log] == [f"{KEY}@{report['tag']}-{n}" for n in range(len(KEYS))]
    assert {(row["weight_in_tons"], row["depot_count"]) for row in of_arm("champion", log)} == {(2.0, None)}
    assert {(row["weight_in_tons"], row["depot_count"]) for row in of_arm("challenger", log)} == {(None, 2.0)}


def test_a_file_waits_for_a_challenger_that_cannot_be_loaded() -> None:
    """A file has no fallback: nothing of it is written or logged, and it is tried again."""
    scoring = Scoring(canary_of_both())
    scoring.inbox.now = NOW + DAY
    scoring.serving.blobs.delete(scoring.serving.registry.get(NEW.name, 2).onnx_key)
    with pytest.raises(NotReady) as failed:
        scoring.drop([{**one, "sent_at": format_moment(NOW)} for one in INSTANCES])
    assert policy_of(failed.value).delivery == "retry"
    assert list(scoring.inbox.objects) == [KEY]
    assert scoring.serving.lake.version(f"predictions/{NEW.name}") is None


@pytest.mark.parametrize("rows", [[{"parcel_id": 1}], []], ids=["a bad row", "no row"])
def test_a_file_without_a_good_row_has_a_report_and_no_predictions(rows: list[dict[str, Any]]) -> None:
    """No version answers then, and the predictions are an empty file."""
    scoring = _scoring()
    scoring.drop(rows)
    assert (scoring.report()["scored"], scoring.report()["rejected"]) == (0, len(rows))
    answers = pq.read_table(io.BytesIO(scoring.outputs()["predictions.parquet"]))
    assert (answers.num_rows, answers.column_names) == (0, ["key", "time", "score", "version", "arm"])


def test_an_output_is_no_request(scoring: Scoring) -> None:
    """The trigger's wildcard matches outputs of a folder ``in`` too; they are ignored."""
    scoring.task.take(f"score/{late_parcel.name}/out/in/today.jsonl/report.json")
    assert scoring.inbox.objects == {}
