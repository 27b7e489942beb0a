"""The body of a request to the list of what it holds, not yet checked."""

import json
from typing import Any, Final, NoReturn

from smallbox.errors import MalformedBody, TooLarge, UnsupportedType

EVENT_LIMIT: Final = 500
"""How many records a body may hold."""

_DEPTH_LIMIT: Final = 20
_JSON: Final = "application/json"


def parse_events(body: bytes | str, content_type: str | None) -> list[Any]:
    """The records of a body: one object, or an array of up to ``EVENT_LIMIT``.

    >>> parse_events('{"id": "a"}', "application/json; charset=utf-8")
    [{'id': 'a'}]

    Raises:
        UnsupportedType: when the body does not say that it is JSON; saying nothing counts as JSON.
        MalformedBody: when it is not JSON, neither an object nor an array, or nested like no record is.
        TooLarge: when it holds too many records.
    """
    if content_type and content_type.partition(";")[0].strip().lower() != _JSON:
        raise UnsupportedType(f"send {_JSON}", content_type=content_type)
    document = parse_json(body)
    events = [document] if isinstance(document, dict) else document
    if not isinstance(events, list):
        raise MalformedBody("send one JSON object or an array of them")
    if len(events) > EVENT_LIMIT:
        raise TooLarge(f"{len(events)} records; send at most {EVENT_LIMIT} at once", limit=EVENT_LIMIT)
    return events


def parse_json(text: bytes | str) -> Any:
    """Strict JSON in UTF-8: no ``NaN``, no ``Infinity``, not nested deeper than 20 levels.

    Raises:
        MalformedBody: when it is not.
    """
    try:
        document = json.loads(text if isinstance(text, str) else text.decode(), parse_constant=_refuse)
    except RecursionError:
        raise MalformedBody(f"the JSON is nested deeper than {_DEPTH_LIMIT} levels") from None
    except ValueError as error:
        raise MalformedBody(f"the body is not JSON: {str(error)[:200]}") from None
    if _is_deeper(document, _DEPTH_LIMIT):
        raise MalformedBody(f"the JSON is nested deeper than {_DEPTH_LIMIT} levels")
    return document


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number; send null where there is none")


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)
