"""Proves that one poor message never costs another one its place."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from smallbox.aws.batch import consume
from smallbox.errors import Unavailable
from smallbox.messages.encoded import Message


def _event(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": str(i), "body": body} for i, body in enumerate(bodies)]}


def _failed(answer: dict[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_messages_of_a_group_are_processed_together() -> None:
    """Messages of one group arrive in one call, so that they can be one commit."""
    seen: list[Sequence[Message]] = []
    answer = consume(
        _event(*(json.dumps({"source": s, "n": n}) for n, s in enumerate("aba"))),
        lambda m: str(m["source"]),
        seen.append,
    )
    assert [[m["n"] for m in group] for group in seen] == [[0, 2], [1]]
    assert _failed(answer) == []


def test_a_message_that_cannot_be_read_fails_alone() -> None:
    """A message that is not JSON, or names no group, is returned to the queue; the others are processed."""
    seen: list[Sequence[Message]] = []
    answer = consume(_event("{", '{"source": "a"}', "{}"), lambda m: str(m["source"]), seen.append)
    assert [len(group) for group in seen] == [1]
    assert _failed(answer) == ["0", "2"]


def test_a_group_that_fails_fails_alone() -> None:
    """When one group's work raises, ours or a bug, only its messages are tried again."""

    def process(messages: Sequence[Message]) -> None:
        if messages[0]["source"] == "a":
            raise Unavailable("the lake did not answer")
        if messages[0]["source"] == "b":
            raise ZeroDivisionError

    answer = consume(_event(*(f'{{"source": "{s}"}}' for s in "abca")), lambda m: str(m["source"]), process)
    assert sorted(_failed(answer)) == ["0", "1", "3"]


@pytest.mark.parametrize("error", [ZeroDivisionError(), Unavailable("the lake did not take the write")])
def test_a_bad_message_fails_alone_in_its_group(error: Exception) -> None:
    """Of ten messages of one group the bad one is tried again, whatever it raises; the nine others are done."""
    done: list[int] = []

    def process(messages: Sequence[Message]) -> None:
        if any(message["n"] == 6 for message in messages):
            raise error
        done.extend(message["n"] for message in messages)

    answer = consume(_event(*(json.dumps({"n": n}) for n in range(10))), lambda _: "a", process)
    assert _failed(answer) == ["6"]
    assert sorted(done) == [0, 1, 2, 3, 4, 5, 7, 8, 9]


def test_a_store_that_does_not_answer_is_not_asked_message_by_message() -> None:
    """Of a hundred messages all wait for the next try after three calls."""
    sizes: list[int] = []

    def process(messages: Sequence[Message]) -> None:
        sizes.append(len(messages))
        raise Unavailable("the lake did not answer")

    answer = consume(_event(*(json.dumps({"n": n}) for n in range(100))), lambda _: "a", process)
    assert len(_failed(answer)) == 100
    assert sizes == [100, 50, 50]
