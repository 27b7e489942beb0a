"""Proves that every logged row gets into the queue, however long the texts of a request are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define import text
from smallbox.errors import TooLarge
from smallbox.messages.encoded import text_of
from smallbox.messages.predictions import SHORT, LoggedPredictions, failed_request, is_failed
from smallbox.messages.split import MESSAGE_BYTES
from smallbox.request_sizes import INSTANCE_LIMIT
from smallbox.times import HOUR, Moment
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel, parcels


def _log(lengths: list[int], columns: int = 1) -> LoggedPredictions:
    texts = {f"t{n}": ["\U0001f4e6" * length for length in lengths] for n in range(columns)}
    ids, scores = [f"r-{number}" for number in range(len(lengths))], [0.5] * len(lengths)
    return LoggedPredictions(
        "m",
        {"id": ids, "score": scores, "weight": scores, **texts, "entity_e": ids},
        dict.fromkeys([*texts, "entity_e"], "text"),
        [*texts],
    )


def _rows(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of messages, in their order."""
    return [
        dict(zip(message["columns"], row, strict=True))
        for message in messages
        for row in zip(*message["columns"].values(), strict=True)
    ]


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_every_row_is_in_a_message_that_fits(lengths: list[int]) -> None:
    """Whatever the lengths of the rows: all are there, whole and in order, and no message is over the limit."""
    log = _log(lengths)
    messages = log.messages()
    assert all(len(text_of(message).encode()) <= MESSAGE_BYTES for message in messages)
    assert _rows(messages) == _rows([{"columns": log.columns}])


def test_a_row_that_is_too_long_alone_is_logged_with_short_texts() -> None:
    """Its id, score, number and entity are logged whole, its texts by their first letters; other rows stay whole."""
    log = _log([1, 256, 1], columns=100)
    whole, logged = _rows([{"columns": log.columns}]), _rows(log.messages())
    assert [logged[0], logged[2]] == [whole[0], whole[2]]
    assert logged[1] == {**whole[1], **{f"t{n}": "\U0001f4e6" * SHORT for n in range(100)}}
    with pytest.raises(TooLarge):
        _log([256], columns=1_000).messages()


def test_the_largest_request_that_is_valid_is_logged() -> None:
    """As many instances as a request may have, each text as long as a contract lets it be: every row is queued."""
    extra = {f"note_{n}": text(nullable=True) for n in range(10)}
    request = replace(parcels, fields={**parcels.fields, **extra})
    model = replace(late_parcel, request=request, inputs=(*late_parcel.inputs, *extra), fallback=0.5)
    serving = Serving(model)
    instance = {"depot": "north", "weight": 1.0, **dict.fromkeys(extra, "\U0001f4e6" * 256)}
    instances = [{"parcel_id": f"p{n}", **instance} for n in range(INSTANCE_LIMIT)]
    serving.predict(instances, Moment(HOUR))
    assert [key for message in serving.log.messages for key in message["columns"]["key"]] == [
        i["parcel_id"] for i in instances
    ]
    assert all(len(text_of(message).encode()) <= MESSAGE_BYTES for message in serving.log.messages)


def test_the_mark_of_a_canary_is_in_the_first_message_alone() -> None:
    """However many messages the rows take: a request is counted once. Without a canary no message has a mark."""
    log = replace(_log([4_000] * 60), canary={"challenger": 2})
    first, *others = log.messages()
    assert others
    assert first["canary"] == {"challenger": 2}
    assert not [message for message in others if "canary" in message]
    assert not [message for message in _log([1]).messages() if "canary" in message]
    assert is_failed(failed_request("m", {"challenger": 2}))
    assert not is_failed(first)
