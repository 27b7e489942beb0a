"""Proves that nothing a caller sends to the intake is answered as our fault, and that every record is answered."""

import base64
import json
import string
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.handlers.conftest import event, handler

ANSWERS = {202, 400, 404, 413, 415}
FIELDS = ("observation_id", "observed_at", "origin", "temperature", "humidity", "wind_speed")
GOOD: Mapping[str, Any] = json.loads(event("api_collect")["body"])[0]
MOMENTS = (
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "2013-03-01T08:00:00", "2013-W09-5T08Z", "20130301T080000+0000", "2013-03-01T24:00:00Z", "2013-03-01T08:00:60Z",
    "2013-03-01T08:00:00+99:99", "2013-03-01T08:00:00+23:59:59.999999", "2013-03-01\u2028T08:00:00Z", "\ud800", "now",
)  # fmt: skip

texts = st.text(st.characters(exclude_categories=()), max_size=20)
numbers = st.sampled_from([10**400, -(10**13), 1e308, -0.0, 5e-324, 2**63, 0.1 + 0.2, True])
scalars = st.none() | numbers | st.integers() | st.floats(allow_nan=False) | texts | st.sampled_from(MOMENTS)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=10
)
odd_keys = st.sampled_from(["JFK-1", "", "a|b", "a/../b", "\x00", "\ud800", "😀" * 256, "x" * 257, "'; --", "\u202e"])


@st.composite
def near_valid(draw: st.DrawFn) -> dict[str, Any]:
    """A sound record with some fields changed, left out or added."""
    record = {**GOOD, "observation_id": draw(odd_keys | st.sampled_from(["JFK-2", "JFK-3"]))}
    changes = st.dictionaries(st.sampled_from(FIELDS) | texts, scalars | documents, max_size=2)
    record |= draw(changes)
    for name in draw(st.sets(st.sampled_from(FIELDS), max_size=1)):
        del record[name]
    return record


literals = st.sampled_from(
    [
        '{"observation_id":"a","observation_id":"b"}', '[{"temperature":1e999}]', '{"temperature":-1e999}',
        '{"temperature":0.1000000000000000000000000000001}', "[" * 50 + "]" * 50, '{"a":' * 2000 + "1" + "}" * 2000,
        "9" * 5000, "[1,]", "NaN", '[{"humidity":Infinity}]', "[]", "{}", "null", '"text"', "\ufeff[]",
        "[" + ",".join(["{}"] * 501) + "]", " " * 4_000_001, '{"observation_id":"\\ud800"}', "{'a':1}", "\x00",
    ]
)  # fmt: skip


def weighed(*choices: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """One of some strategies, each as often as its weight says."""
    return st.sampled_from([strategy for weight, strategy in choices for _ in range(weight)]).flatmap(lambda s: s)


bodies = weighed(
    (1, st.binary(max_size=60)),
    (2, literals.map(str.encode)),
    (2, documents.map(lambda document: json.dumps(document).encode())),
    (6, st.lists(near_valid(), max_size=6).map(lambda records: json.dumps(records).encode())),
    (1, st.lists(near_valid() | documents, max_size=4).map(lambda records: json.dumps(records).encode())),
)
plain_texts = st.text(string.printable, max_size=30)
content_types = weighed(
    (8, st.just("application/json")),
    (2, st.sampled_from(["APPLICATION/JSON ;x", "", ";", "text/csv", "application/"])),
    (1, plain_texts),
)
moments = st.sampled_from([*MOMENTS, "2013-03-01T10:00:00Z"])
queries = weighed(
    (6, st.just({"as_of": "2013-03-01T10:00:00Z"})),
    (2, st.just(None)),
    (3, st.dictionaries(st.just("as_of") | plain_texts, moments | texts, max_size=2)),
)
sources = weighed(
    (10, st.just("weather")), (1, st.sampled_from(["wether", "", "%00", "weather/x", "../weather"])), (1, plain_texts)
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """An event of API Gateway: mostly a sound route with an odd body, sometimes odd elsewhere."""
    request = deepcopy(event("api_collect"))
    body = draw(bodies)
    flag = draw(st.sampled_from(["text", "text", "text", "base64", "base64", "not base64"]))
    request["isBase64Encoded"] = flag != "text"
    coded = base64.b64encode(body).decode() if flag == "base64" else body.decode(errors="replace")
    request["body"] = draw(st.sampled_from([coded] * 9 + [None]))
    request["headers"] = {**draw(st.dictionaries(texts, texts, max_size=1)), "content-type": draw(content_types)}
    request["queryStringParameters"] = draw(queries)
    path = "/events/" + draw(sources)
    request["rawPath"] = request["requestContext"]["http"]["path"] = path
    return request


def sent(request: Mapping[str, Any]) -> list[Any]:
    """The records of a request that was accepted as a whole."""
    raw = request["body"] or ""
    document = json.loads(base64.b64decode(raw) if request["isBase64Encoded"] else raw)
    return [document] if isinstance(document, dict) else document


def taken_again(records: list[Any], rejected: set[int]) -> int:
    """How many accepted records repeat one before them: such are taken once."""
    good = [record for index, record in enumerate(records) if index not in rejected]
    return len(good) - len({record["observation_id"] for record in good})


def test_nothing_that_is_sent_is_our_fault(aws: dict[str, str]) -> None:
    """Whatever body, headers, query, path and encoding: documented JSON, no 5xx, no record unanswered."""
    collect = handler("ingestion", "collect")

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(request=requests())
    def answered(request: dict[str, Any]) -> None:
        answer = collect(request)
        assert answer["statusCode"] in ANSWERS, answer
        assert answer["headers"]["Content-Type"] == "application/json"
        body = json.loads(answer["body"])
        answer["body"].encode()
        if answer["statusCode"] != 202:
            assert set(body["error"]) == {"code", "message", "details"}
            assert body["error"]["message"]
            return
        assert set(body) == {"accepted", "rejected"}
        records, indices = sent(request), [rejection["index"] for rejection in body["rejected"]]
        assert indices == sorted(set(indices))
        assert body["accepted"] + len(indices) == len(records) - taken_again(records, set(indices))
        for rejection in body["rejected"]:
            assert set(rejection) == {"index", "field", "rule", "value", "message"}
            assert rejection["rule"]
            assert len(rejection["message"]) < 1000

    answered()
