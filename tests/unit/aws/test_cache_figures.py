"""Proves that hit rates are published once a minute, each request counted once."""

import json
from typing import Any

import pytest

from smallbox.aws.cache_figures import EVERY, CacheFigures
from smallbox.times import MINUTE


class _Cache:
    asked = 0
    remembered = 0


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_was_counted_since_is_published_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line comes after a minute; the next has only what was added; nothing comes in between."""
    cache = _Cache()
    figures = CacheFigures({"States": cache})
    figures.publish(0)
    cache.asked, cache.remembered = 10, 4
    figures.publish(EVERY - 1)
    assert _lines(capsys) == []
    figures.publish(EVERY)
    cache.asked = 13
    figures.publish(EVERY + MINUTE)
    first, second = _lines(capsys)
    assert (first["StatesAsked"], first["StatesRemembered"]) == (10, 4)
    assert (second["StatesAsked"], "StatesRemembered" in second) == (3, False)
    named = [metric["Name"] for metric in first["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert named == ["StatesAsked", "StatesRemembered"]
