"""Proves that every logged row gets into the queue, however long the texts of a request are."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define import text
from smallbox.define.project import project_of
from smallbox.errors import TooLarge
from smallbox.features.online.ready import publish
from smallbox.features.online.states import version_of
from smallbox.messages.encoded import text_of
from smallbox.messages.predictions import SHORT, pack_predictions
from smallbox.messages.split import MESSAGE_BYTES
from smallbox.registry.loader import ModelLoader
from smallbox.registry.store import Registry
from smallbox.serving.predict import PredictTask
from smallbox.serving.requests import MOST_INSTANCES
from smallbox.times import HOUR, Moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeJournal, FakeQueue
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import late_parcel, parcels


def _row(number: int, letters: int, columns: int = 1) -> dict[str, Any]:
    texts = {f"t{n}": "\U0001f4e6" * letters for n in range(columns)}
    return {"id": f"r-{number}", "score": 0.5, "inputs": {"weight": 1.0, **texts}, "sent": {}, "entities": {"e": "x"}}


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_every_row_is_in_a_message_that_fits(letters: list[int]) -> None:
    """Whatever the lengths of the rows: all are there, whole and in order, and no message is over the limit."""
    rows = [_row(number, length) for number, length in enumerate(letters)]
    messages = pack_predictions("m", rows)
    assert all(len(text_of(message).encode()) <= MESSAGE_BYTES for message in messages)
    assert [row for message in messages for row in message["rows"]] == rows


def test_a_row_that_is_too_long_alone_is_logged_with_short_texts() -> None:
    """Its score, key and numbers are logged as ever, its texts by their first letters; other rows stay whole."""
    rows = [_row(0, 1), _row(1, 256, columns=100), _row(2, 1)]
    first, cut, last = (row for message in pack_predictions("m", rows) for row in message["rows"])
    assert [first, last] == [rows[0], rows[2]]
    assert cut["inputs"] == {"weight": 1.0, **{f"t{n}": "\U0001f4e6" * SHORT for n in range(100)}}
    assert {**cut, "inputs": None} == {**rows[1], "inputs": None}
    with pytest.raises(TooLarge):
        pack_predictions("m", [_row(0, 256, columns=1_000)])


def test_the_largest_request_that_is_valid_is_logged() -> None:
    """As many instances as a request may have, each text as long as a contract lets it be: every row is queued."""
    extra = {f"note_{n}": text(nullable=True) for n in range(10)}
    request = replace(parcels, fields={**parcels.fields, **extra})
    model = replace(late_parcel, request=request, inputs=(*late_parcel.inputs, *extra), fallback=0.5)
    project, store, log = project_of([model]), FakeOnlineStore(), FakeQueue()
    publish(store, {name: version_of(view) for name, view in project.views.items()}, lambda _: None)
    shelf = ModelLoader(Registry(FakeDocuments()), FakeBlobs())
    instance = {"depot": "north", "weight": 1.0, **dict.fromkeys(extra, "\U0001f4e6" * 256)}
    instances = [{"parcel_id": f"p{n}", **instance} for n in range(MOST_INSTANCES)]
    predictor = PredictTask(project, store, shelf, log, FakeJournal())
    predictor.predict(model.name, {"instances": instances}, Moment(HOUR), HOUR, "request")
    assert [row["key"] for message in log.messages for row in message["rows"]] == [i["parcel_id"] for i in instances]
    assert all(len(text_of(message).encode()) <= MESSAGE_BYTES for message in log.messages)
