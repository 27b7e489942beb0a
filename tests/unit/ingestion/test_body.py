"""Bodies of requests."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.errors import InvalidInput, MalformedBody, SmallboxError, TooLarge, UnsupportedType
from smallbox.ingestion.http_body import parse_events, parse_json
from smallbox.request_sizes import BODY_LIMIT


def test_one_object_is_an_array_of_one() -> None:
    """A single record needs no brackets, and no content type."""
    assert parse_events(b'{"a": 1}', None) == parse_events('[{"a": 1}]', "Application/JSON;charset=utf-8") == [{"a": 1}]


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"a=1", "application/x-www-form-urlencoded", UnsupportedType),
        (b"", "application/json", MalformedBody),
        (b"3", None, MalformedBody),
        (b'[{"a": NaN}]', None, MalformedBody),
        (b'{"a": -Infinity}', None, MalformedBody),
        (b"\xff\xfe", None, MalformedBody),
        (b"[" * 100_000, None, MalformedBody),
        (b"[" * 30 + b"]" * 30, None, MalformedBody),
        (b"9" * 5000, None, MalformedBody),
        (b"[" + b"1," * 500 + b"1]", None, TooLarge),
        (b"[" + b" " * BODY_LIMIT + b"]", None, TooLarge),
        (b'[{"a": 1, "b": {"c": 1, "c": 1}}]', None, MalformedBody),
    ],
)
def test_a_bad_body_is_the_callers_fault(body: bytes, content_type: str | None, error: type[InvalidInput]) -> None:
    """What is not a body of records is refused with the error that says why."""
    with pytest.raises(error):
        parse_events(body, content_type)


def test_twenty_levels_are_the_most() -> None:
    """JSON of 20 levels is read, and of 21 it is not."""
    assert parse_json("[" * 20 + "1" + "]" * 20)
    with pytest.raises(MalformedBody, match="20 levels"):
        parse_json('{"a":' * 21 + "1" + "}" * 21)


@settings(max_examples=300)
@given(body=st.binary() | st.text(st.characters(exclude_categories=())), content_type=st.none() | st.text())
def test_no_bytes_are_our_fault(body: bytes | str, content_type: str | None) -> None:
    """Arbitrary bytes and types give a list or one of our errors, never another."""
    try:
        assert isinstance(parse_events(body, content_type), list)
    except SmallboxError as error:
        assert isinstance(error, InvalidInput)  # noqa: PT017 - both outcomes are allowed
