"""A seeded market day by day, from the numbers that ``python benchmarks/feedback_loop.py --picture`` stored."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from docs.pictures.svg import GREY, INK, PALE, Drawing

NUMBERS: Final = Path(__file__).with_suffix(".json")
WIDTH: Final = 900
HEIGHT: Final = 600
LEFT, RIGHT, TALL = 70, 860, 190
TOPS: Final[Mapping[str, int]] = {"coverage": 90, "gini": 350}
TITLES: Final = {
    "coverage": "Coverage: the share of the catalogue that is shown on the day",
    "gini": "Gini coefficient of the exposures of the day: 0 is even, 1 is one item alone",
}
COLOURS: Final = {"loop": "#b91c1c", "exploration": "#1d4ed8", "good model": "#1e6b33"}
NAMES: Final = {
    "loop": "it learns from its own clicks",
    "exploration": "it learns from random rows too",
    "good model": "a good model",
}


def _x(day: int, days: int) -> float:
    return LEFT + (RIGHT - LEFT) * (day - 1) / (days - 1)


def _y(figure: str, value: float) -> float:
    return TOPS[figure] + TALL * (1 - value)


def _panel(d: Drawing, figure: str, days: int) -> None:
    d.text(LEFT, TOPS[figure] - 10, TITLES[figure], bold=True)
    for value in (0.0, 0.5, 1.0):
        d.line((LEFT, _y(figure, value)), (RIGHT, _y(figure, value)), colour=PALE, thick=1)
        d.text(LEFT - 10, _y(figure, value) + 5, f"{value:g}", size=12, anchor="end")
    for day in (1, *range(10, days + 1, 10)):
        d.text(_x(day, days), TOPS[figure] + TALL + 18, str(day), size=12, anchor="middle", colour=GREY)


def _line(d: Drawing, figure: str, name: str, values: Sequence[float]) -> None:
    points = ((_x(day, len(values)), _y(figure, value)) for day, value in enumerate(values, 1))
    d.line(*points, colour=COLOURS[name], thick=2)


def _mark(d: Drawing, day: int | None, days: int, words: str) -> None:
    """A day on both panels; ``None``: it did not come."""
    if day is None:
        return
    x = _x(day, days)
    for top in TOPS.values():
        d.line((x, top), (x, top + TALL), colour=INK, dashed=True)
    d.text(x + 5, TOPS["coverage"] + TALL - 8, f"day {day}: {words}", size=13)


def _legend(d: Drawing, names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        x = LEFT + at * 275
        d.line((x, 44), (x + 24, 44), colour=COLOURS[name], thick=3)
        d.text(x + 30, 49, NAMES[name])


def draw() -> str:
    """The picture."""
    numbers: Any = json.loads(NUMBERS.read_text())
    markets, days = numbers["markets"], numbers["days"]
    d = Drawing(WIDTH, HEIGHT, "What three models show of a catalogue, day by day, and when the detector rings")
    said = f"The same market, {numbers['rows']:,} rows a day, a tenth of them random, seed {numbers['seed']}"
    d.text(LEFT, 26, said, bold=True)
    _legend(d, list(markets))
    for figure in TOPS:
        _panel(d, figure, days)
        for name, market in markets.items():
            _line(d, figure, name, market[figure])
    _mark(d, markets["loop"]["rang"], days, "the detector rings")
    _mark(d, markets["loop"]["half_gone"], days, "half is gone")
    others = ("exploration", "good model")
    rang = any(markets[name]["rang"] is not None for name in others)
    ended = "It rang for another one as well." if rang else "It never rings for the other two."
    d.text(LEFT, HEIGHT - 14, f"Days since the model serves. {ended}", size=13, colour=GREY)
    return d.svg()
