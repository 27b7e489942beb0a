"""Proves of a drill's days: every record is sent once, when it became known, and asked before it is known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from smallbox.cli.drills.drill import Drill
from smallbox.cli.drills.drive import STEP, Days
from smallbox.cli.drills.site import AlarmName, BrokenPart, Rung
from smallbox.cli.drills.table import DRILLS
from smallbox.cli.drills.town import BEGIN, records_of
from smallbox.times import DAY, Micros

FIRST, LAST = 60, 63


class RecordingSite:
    """A site that keeps what it was given; a shop with a greater number has a greater score."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Micros]] = []
        self.asked: list[tuple[str, str, Micros]] = []

    def drop(self, source: str, rows: pd.DataFrame, as_of: Micros) -> None:
        raise AssertionError("no part of a day")

    def train(self, as_of: Micros) -> None:
        raise AssertionError("no part of a day")

    def send(self, source: str, rows: pd.DataFrame, as_of: Micros) -> None:
        key = "observation_id" if source == "weather" else "order_id"
        assert rows["at"].between(as_of - STEP, as_of - 1).all(), "sent at the end of its step"
        self.sent += [(source, one, as_of) for one in rows[key]]

    def predict(self, rows: pd.DataFrame, as_of: Micros) -> Sequence[Mapping[str, Any]]:
        assert rows["at"].between(as_of, as_of + STEP - 1).all(), "asked at the start of its step"
        self.asked += [(key, shop, as_of) for key, shop in zip(rows["order_id"], rows["shop"], strict=True)]
        return [{"score": int(shop.removeprefix("shop"))} for shop in rows["shop"]]

    def close_day(self, midnight: Micros) -> Sequence[Rung]:
        return ()

    def releases(self) -> Sequence[str]:
        return ()

    def look(self, now: Micros) -> Sequence[Rung]:
        raise AssertionError("no part of a usual day")

    def alarms(self) -> Sequence[AlarmName]:
        return ()

    def damage(self, part: BrokenPart, now: Micros) -> None:
        raise AssertionError("no part of a day")


def _lived(drill: Drill) -> RecordingSite:
    site = RecordingSite()
    days = Days(site, drill, FIRST + 1)
    for day in range(FIRST, LAST):
        days.live(day)
    return site


@pytest.mark.parametrize("name", ["quiet", "stale_weather", "prior_shift"])
def test_every_record_is_sent_once(name: str) -> None:
    """What became known on these days is sent, on none twice, whatever is wrong with it."""
    drill, site = DRILLS[name], _lived(DRILLS[name])
    assert set(Counter((source, key) for source, key, _ in site.sent).values()) == {1}
    days = [records_of(FIRST - 1), records_of(FIRST)]
    days += [drill.sent(records_of(day, drill.conditions)) for day in range(FIRST + 1, LAST)]
    start, end = BEGIN + FIRST * DAY, BEGIN + LAST * DAY
    due = sum(int(rows["at"].between(start, end - 1).sum()) for day in days for rows in day.by_source.values())
    assert len(site.sent) == due


def test_every_order_is_asked_once_before_its_record() -> None:
    """A request comes before the record of the same order."""
    site = _lived(DRILLS["quiet"])
    asked = {key: at for key, _, at in site.asked}
    recorded = {key: at for source, key, at in site.sent if source == "orders"}
    assert len(asked) == len(site.asked)
    assert asked.keys() == recorded.keys()
    assert all(asked[key] < recorded[key] for key in asked)
