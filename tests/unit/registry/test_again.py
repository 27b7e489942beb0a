"""Proves that a registry's task that ended with an error is made good by doing it again, wherever it ended."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define.frozen import signature_digest
from smallbox.define.project import project_of
from smallbox.documents.training_run import RegisteredRun
from smallbox.errors import Unavailable
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.register import RegisterTask
from smallbox.registry.store import Registry
from smallbox.release.by_hand import ByHandTask
from smallbox.release.start import StartTask
from smallbox.retraining.decide import DecideTask
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeWorkflow
from tests.fakes.small import deliveries, late_parcel

MODEL: Final = replace(late_parcel, views=())
PROJECT: Final = project_of([MODEL], [deliveries])
NAME: Final = MODEL.name
Task = Callable[[FakeDocuments], Mapping[str, Any]]


class Failing(FakeDocuments):
    """Documents of which one write fails: before it is done, or after, when only the answer is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.fails_at = -1
        self.is_done = False

    def _write(self, at: tuple[str, str], document: Mapping[str, Any], revision: int | None) -> None:
        fails = self.writes == self.fails_at
        self.writes += 1
        if not fails or self.is_done:
            super()._write(at, document, revision)
        if fails:
            raise Unavailable("the table did not answer")

    @property
    def stored(self) -> dict[tuple[str, str], str]:
        """All documents, without their revisions."""
        return dict(self._texts)


def _run(number: int) -> Any:
    """The document of a training run as it comes to the registry."""
    measured = {
        "rows": 1_000,
        "rarer_rows": 500,
        "loss": {"value": 0.4, "low": 0.38, "high": 0.42},
        "figures": {
            "auc": {"value": 0.9, "low": 0.88, "high": 0.92},
            "calibration_error": {"value": 0.01, "low": 0.0, "high": 0.03},
        },
    }
    better = {"value": -0.3, "low": -0.32, "high": -0.28}
    keys = dict.fromkeys(("onnx_key", "onnx_sha256", "pipeline_key", "profile_key"), f"{number}")
    return {
        "model": NAME,
        "as_of": format_moment(number * DAY),
        "reason": "asked for",
        "dataset": "d",
        "signature": signature_digest(MODEL),
        "data_versions": {},
        "columns": list(MODEL.columns.names),
        "dependencies": {},
        "metrics": measured,
        "baseline": {"outputs": [0.5], "loss": 0.7, "difference": better},
        "parity": {"largest": 0.0, "limit": 1e-4, "rows": 10},
        "champion": None,
        "labels": {"unlabelled_share": 0.0},
        "warnings": [],
        "artifacts": keys,
    }


def _registered(documents: FakeDocuments, number: int) -> RegisteredRun:
    return RegisterTask(PROJECT, Registry(documents), FakeBlobs()).run(_run(number))


def _released(documents: FakeDocuments, number: int) -> Mapping[str, Any]:
    start = StartTask(PROJECT, Registry(documents), LiveViewStore(documents))
    return start.run(_registered(documents, number), number * DAY)


def _first(documents: FakeDocuments) -> Mapping[str, Any]:
    """Register and release the first version."""
    return _released(documents, 1)


def _second(documents: FakeDocuments) -> Mapping[str, Any]:
    """Register a second version, which waits beside the first one."""
    _first(documents)
    return _released(documents, 2)


def _decided(documents: FakeDocuments) -> Mapping[str, Any]:
    """Decide that an old champion is trained anew."""
    _first(documents)
    end = 400 * DAY
    registry = Registry(documents)
    by_hand = ByHandTask(PROJECT, registry, LiveViewStore(documents))
    task = DecideTask(PROJECT, registry, FakeDocuments(), FakeWorkflow(), by_hand)
    return task.run({"model": NAME, "as_of": format_moment(end)}, end)


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("task", [_first, _second, _decided])
def test_a_task_that_failed_at_any_write_is_made_good_by_the_next_try(task: Task, is_done: bool) -> None:  # noqa: FBT001
    """Registering, releasing and deciding leave the same documents whichever one of their writes failed once."""
    whole = Failing()
    answer = task(whole)
    assert whole.writes > 2
    for write in range(whole.writes):
        documents = Failing()
        documents.fails_at, documents.is_done = write, is_done
        with pytest.raises(Unavailable):
            task(documents)
        again = task(documents)
        assert documents.stored == whole.stored, f"write {write} of {whole.writes}"
        assert {**again, "routing": None} == {**answer, "routing": None}


def test_a_version_that_was_replaced_does_not_lose_its_status() -> None:
    """A run that is done again after its version has moved on leaves the version where it is."""
    documents = FakeDocuments()
    registry = Registry(documents)
    _first(documents)
    registry.set_status(NAME, 1, "retired")
    _registered(documents, 1)
    assert registry.get(NAME, 1) == replace(registry.get(NAME, 1), status="retired")
