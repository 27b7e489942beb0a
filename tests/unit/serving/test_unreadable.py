"""Proves that a version that cannot be loaded is our fault in every answer, is heard of, and loses no file to score."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.error_codes import error_body, policy_of
from smallbox.errors import SmallboxError, Unavailable
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.loader import ModelLoader
from smallbox.registry.routing import first_champion
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.serving.predict import PredictTask
from smallbox.serving.score import ScoreTask
from smallbox.times import HOUR, Moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeFallbackLog, FakeQueue, FakeWorkflow
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import late_parcel
from tests.fakes.versions import VERSION

KEY: Final = "models/late_parcel/0123/model.onnx"
JUNK: Final = b"no model at all"
INSTANCE: Final = {"parcel_id": "p", "depot": "north", "weight": 2.5}
REGISTERED: Final = replace(VERSION, status="champion", onnx_key=KEY, onnx_sha256=hashlib.sha256(JUNK).hexdigest())


class _Refusing(FakeBlobs):
    """A bucket that may not be read."""

    def get(self, key: str) -> bytes:
        raise Unavailable(f"S3 did not answer for {key!r}: AccessDenied of GetObject", key=key)


Fault = Callable[[Registry], FakeBlobs]


def _file_missing(registry: Registry) -> FakeBlobs:
    registry.add(REGISTERED)
    return FakeBlobs()


def _file_damaged(registry: Registry) -> FakeBlobs:
    blobs = _file_missing(registry)
    blobs.put(KEY, b"other bytes")
    return blobs


def _file_that_no_runtime_loads(registry: Registry) -> FakeBlobs:
    blobs = _file_missing(registry)
    blobs.put(KEY, JUNK)
    return blobs


def _file_refused(registry: Registry) -> FakeBlobs:
    registry.add(REGISTERED)
    return _Refusing()


def _document_missing(registry: Registry) -> FakeBlobs:
    return FakeBlobs()


FAULTS: Final = (_file_missing, _file_damaged, _file_that_no_runtime_loads, _file_refused, _document_missing)


def _loader(fault: Fault) -> ModelLoader:
    registry = Registry(FakeDocuments())
    blobs = fault(registry)
    registry.route(late_parcel.name, first_champion(1, 0))
    return ModelLoader(registry, blobs, Signatures(project_of([late_parcel]), registry, blobs))


def _ask(model: Model, fault: Fault, fallbacks: FakeFallbackLog) -> Any:
    live = LiveViewStore(FakeDocuments())
    predictor = PredictTask(
        project_of([model]), FakeOnlineStore(), live, _loader(fault), FakeQueue(), fallbacks, lambda: 0
    )
    return predictor.predict(model.name, {"instances": [INSTANCE] * 2}, Moment(HOUR), HOUR, "request")


@pytest.mark.parametrize("fault", FAULTS)
def test_without_a_fallback_it_is_a_5xx_that_names_no_store(fault: Fault) -> None:
    """The answer is a 503, which the alarm of the API counts, and says neither bucket nor key."""
    with pytest.raises(SmallboxError) as failed:
        _ask(late_parcel, fault, FakeFallbackLog())
    assert policy_of(failed.value).status == 503
    assert "model.onnx" not in str(error_body(failed.value))
    assert "0123" not in str(error_body(failed.value))


@pytest.mark.parametrize("fault", FAULTS)
def test_with_a_fallback_it_is_answered_and_told(fault: Fault) -> None:
    """The fallback answers, and the log of fallbacks names which model, how many, and why."""
    fallbacks = FakeFallbackLog()
    answer = _ask(replace(late_parcel, fallback=0.3), fault, fallbacks)
    assert [p["arm"] for p in answer["predictions"]] == ["fallback"] * 2
    ((model, answers, why),) = fallbacks.kept
    assert (model, answers) == (late_parcel.name, 2)
    assert policy_of(why).status == 503


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_to_score_waits_for_the_version(fault: Fault) -> None:
    """The error is one to try again, so that the message comes back and ends, at last, where an alarm sees it."""
    inbox, key = FakeBlobs(HOUR), f"score/{late_parcel.name}/in/f.jsonl"
    inbox.put(key, b'{"parcel_id": "p", "sent_at": "1970-01-01T00:00:00Z", "depot": "north", "weight": 2.5}')
    scorer = ScoreTask(project_of([late_parcel]), FakeLake(), _loader(fault), inbox, FakeWorkflow())
    with pytest.raises(SmallboxError) as failed:
        scorer.take(key)
    assert policy_of(failed.value).delivery == "retry"
    assert list(inbox.objects) == [key]
