"""Parses a request body into a list of unvalidated records."""

import json
from typing import Any, Final, NoReturn

from smallbox.errors import MalformedBody, UnsupportedType
from smallbox.request_sizes import check_body_size, check_event_count

_CONTAINERS: Final = (dict, list)
_DEPTH_LIMIT: Final = 20
_SHOWN: Final = 80
_JSON: Final = "application/json"


def parse_events(body: bytes | str, content_type: str | None) -> list[Any]:
    """Parse a body into records: one JSON object, or an array of up to ``EVENT_LIMIT`` items.

    >>> parse_events('{"id": "a"}', "application/json; charset=utf-8")
    [{'id': 'a'}]

    Raises:
        UnsupportedType: when the content type is not JSON; no content type counts as JSON.
        MalformedBody: when the body is not JSON, is neither an object nor an array, or is nested too deep.
        TooLarge: when it has too many bytes or records.
    """
    if content_type and content_type.partition(";")[0].strip().lower() != _JSON:
        raise UnsupportedType(f"send {_JSON}", content_type=content_type)
    check_body_size(len(body))
    document = parse_json(body)
    events = [document] if isinstance(document, dict) else document
    if not isinstance(events, list):
        raise MalformedBody("send one JSON object or an array of them")
    check_event_count(len(events))
    return events


def parse_json(text: bytes | str) -> Any:
    """Parse strict JSON in UTF-8: no ``NaN``, no ``Infinity``, no duplicate names in an object, at most 20 levels deep.

    Raises:
        MalformedBody: when the text is not strict JSON.
    """
    try:
        text = text if isinstance(text, str) else text.decode()
        document = json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
    except RecursionError:
        raise MalformedBody(f"the JSON is nested deeper than {_DEPTH_LIMIT} levels") from None
    except ValueError as error:
        raise MalformedBody(f"the body is not JSON: {str(error)[:200]}") from None
    if isinstance(document, _CONTAINERS) and _is_deeper(document, _DEPTH_LIMIT):
        raise MalformedBody(f"the JSON is nested deeper than {_DEPTH_LIMIT} levels")
    return document


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number; send null for a missing number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise MalformedBody(f"an object names {name[:_SHOWN]!a} twice; send each field once")
    return found


def _is_deeper(value: Any, levels: int) -> bool:
    if levels == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(_is_deeper(item, levels - 1) for item in inner if isinstance(item, _CONTAINERS))
