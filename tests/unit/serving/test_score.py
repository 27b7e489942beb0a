"""Proves that every scored file is in the log once: other content under a key too, the same content not twice."""

import io
import json
from typing import Final

import pyarrow.parquet as pq
import pytest

from smallbox.define.project import project_of
from smallbox.error_codes import policy_of
from smallbox.errors import NotReady
from smallbox.lake.names import records_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Between
from smallbox.serving.score import ScoreTask
from smallbox.times import DAY, format_moment
from tests.fakes.edges import FakeBlobs
from tests.fakes.serving import Serving
from tests.fakes.small import deliveries, late_parcel
from tests.unit.serving.two_definitions import ARMS, DELIVERED, INSTANCES, KEYS, NEW, NOW, canary_of_both, of_arm

KEY: Final = f"score/{late_parcel.name}/in/today.jsonl"
PROJECT: Final = project_of([late_parcel])


@pytest.fixture
def scorer() -> ScoreTask:
    """A scorer of a model with a champion."""
    serving = Serving(late_parcel)
    serving.route(serving.register(late_parcel))
    return ScoreTask(PROJECT, serving.lake, serving.loader, serving.inbox)


def _score(scorer: ScoreTask, names: str) -> None:
    """Score a file of parcels of these names through the store, which gives its tag."""
    inbox = FakeBlobs()
    rows = [{"parcel_id": n, "sent_at": "1970-01-01T12:00:00Z", "depot": "a", "weight": 1} for n in names]
    inbox.put(KEY, "\n".join(json.dumps(row) for row in rows).encode())
    content = io.BytesIO()
    scorer.score(KEY, content, inbox.download(KEY, content).tag, 2 * DAY)


def _logged(scorer: ScoreTask) -> list[str]:
    found = PredictionLog(scorer._lake).read(late_parcel.name, Between("time", 0, DAY))
    return sorted(found["key"].to_pylist())


def test_a_second_file_under_one_key_is_logged_too(scorer: ScoreTask) -> None:
    """A file that is replaced by another of the same name leaves the rows of both in the log."""
    _score(scorer, "abc")
    _score(scorer, "def")
    assert _logged(scorer) == list("abcdef")


def test_the_same_content_scored_again_is_logged_once(scorer: ScoreTask) -> None:
    """A message that comes twice, or a file that is dropped again, adds nothing."""
    for _ in range(2):
        _score(scorer, "abc")
    assert _logged(scorer) == list("abc")


def test_each_row_of_a_file_is_scored_by_the_definition_of_its_own_version() -> None:
    """Of champion and challenger; the predictions keep the order of the file, and the log has the columns of both."""
    canary = canary_of_both()
    scorer = ScoreTask(canary.project, canary.lake, canary.loader, canary.inbox)
    canary.lake.append(records_table(deliveries), records_to_table(deliveries, DELIVERED))
    rows = [{**one, "sent_at": format_moment(NOW)} for one in INSTANCES]
    report = scorer.score(KEY, io.BytesIO("\n".join(map(json.dumps, rows)).encode()), "tag", NOW + DAY)
    assert report is not None
    assert (report.scored, report.rejected) == (len(KEYS), 0)
    answers = pq.read_table(io.BytesIO(canary.inbox.get(f"{report.folder}/predictions.parquet"))).to_pylist()
    assert [(one["key"], one["arm"]) for one in answers] == list(zip(KEYS, ARMS, strict=True))
    assert {one["score"] for one in of_arm("champion", answers)} == {2006}
    scored = [one["score"] for one in of_arm("challenger", answers)]
    assert scored == [one["pieces"] + 9 for one in of_arm("challenger", INSTANCES)]
    log = PredictionLog(canary.lake).read(NEW.name, Between("time", NOW, NOW + 1)).to_pylist()
    assert [row["id"] for row in log] == [f"{KEY}@tag-{n}" for n in range(len(KEYS))]
    assert {(row["weight_in_tons"], row["depot_count"]) for row in of_arm("champion", log)} == {(2.0, None)}
    assert {(row["weight_in_tons"], row["depot_count"]) for row in of_arm("challenger", log)} == {(None, 2.0)}


def test_a_file_waits_for_a_challenger_that_cannot_be_loaded() -> None:
    """A file has no fallback: nothing of it is written or logged, and it is tried again."""
    canary = canary_of_both()
    canary.blobs.delete(canary.registry.get(NEW.name, 2).onnx_key)
    scorer = ScoreTask(canary.project, canary.lake, canary.loader, canary.inbox)
    rows = [{**one, "sent_at": format_moment(NOW)} for one in INSTANCES]
    with pytest.raises(NotReady) as failed:
        scorer.score(KEY, io.BytesIO("\n".join(map(json.dumps, rows)).encode()), "tag", NOW + DAY)
    assert policy_of(failed.value).delivery == "retry"
    assert canary.inbox.objects == {}
    assert canary.lake.version(f"predictions/{NEW.name}") is None


def test_a_file_without_a_good_row_has_a_report_and_no_predictions() -> None:
    """No version answers then, and the predictions are an empty file."""
    canary = canary_of_both()
    scorer = ScoreTask(canary.project, canary.lake, canary.loader, canary.inbox)
    report = scorer.score(KEY, io.BytesIO(b'{"parcel_id": 1}'), "tag", NOW)
    assert report is not None
    assert (report.scored, report.rejected) == (0, 1)
    answers = pq.read_table(io.BytesIO(canary.inbox.get(f"{report.folder}/predictions.parquet")))
    assert (answers.num_rows, answers.column_names) == (0, ["key", "time", "score", "version", "arm"])
