"""Proves that every scored file is in the log once: other content under a key too, the same content not twice."""

import io
import json
from typing import Final

import pytest

from smallbox.define.project import project_of
from smallbox.lake.predictions import PredictionLog
from smallbox.ports import Between
from smallbox.serving.score import ScoreTask
from smallbox.times import DAY
from tests.fakes.edges import FakeBlobs
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel

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
