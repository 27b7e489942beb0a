"""A window and the tiles that cover it, computed by the rule that both engines use."""

from typing import Final

from docs.pictures.svg import GREY, INK, Drawing
from smallbox.define import FeatureView, Source, count, text, timestamp
from smallbox.features.windows.window_edges import end_of, start_of, windows
from smallbox.times import HOUR, MINUTE, Micros, format_moment, parse_moment

WIDTH: Final = 1000
HEIGHT: Final = 575
TILE_HEIGHT: Final = 40
COARSE: Final = ("#dbe7fd", "#1d4ed8")
FINE: Final = ("#ffe8cc", "#b45309")
OPEN: Final = ("#ffffff", "#b91c1c")
"""Fill and edge of a tile that is not closed."""

_source = Source("arrivals", "id", "at", {"id": text(), "at": timestamp(), "origin": text()})
VIEW: Final = FeatureView("origin", entity="origin", source=_source, features={"arrivals_12h": count("12h")})
TILE: Final = VIEW.tile_micros
AS_OF: Final = parse_moment("2013-03-02T10:52:00Z")
END: Final = end_of(VIEW, AS_OF)
START: Final = start_of(windows(VIEW)[0], END)
LAST_HOUR: Final = END // HOUR * HOUR
"""Where the coarse tiles end and the fine ones begin."""

TILES: Final = (
    ("window", "its tile size", "starts on", "longer than declared by"),
    ("below 12 hours", "the fine tile", "a fine tile", "nothing"),
    ("12 hours to below 10 days", "an hour", "a whole hour", "less than an hour"),
    ("10 days and more", "a day", "midnight UTC", "less than a day"),
)


class Axis:
    """Where moments lie in the picture: ``first`` at ``left``, an hour ``hour`` wide."""

    def __init__(self, first: Micros, left: float, hour: float) -> None:
        self._first, self._left, self._hour = first, left, hour

    def at(self, moment: Micros) -> float:
        """The x of a moment."""
        return self._left + (moment - self._first) / HOUR * self._hour

    def tiles(self, d: Drawing, span: range, y: float, colours: tuple[str, str]) -> None:
        """A row of tiles, as long as the step of the span."""
        for moment in span:
            width = self.at(moment + span.step) - self.at(moment)
            d.box(self.at(moment), y, width, TILE_HEIGHT, fill=colours[0], edge=colours[1], round_=0, thick=1.2)

    def clock(self, d: Drawing, span: range, y: float) -> None:
        """The line of the axis with the hours and minutes of its marks."""
        d.line((self.at(span.start) - 15, y), (self.at(span.stop) + 5, y), colour=INK)
        for moment in span:
            d.line((self.at(moment), y - 4), (self.at(moment), y + 4), colour=INK)
            d.text(self.at(moment), y + 20, _clock(moment), size=12, anchor="middle")


WHOLE: Final = Axis(START, 60, 66)
NEAR: Final = Axis(LAST_HOUR, 60, 850)


def _clock(moment: Micros) -> str:
    return format_moment(moment)[11:16]


def _label(d: Drawing, x: float, y: float, words: str, colours: tuple[str, str]) -> None:
    """Words over a row of tiles, on a ground that hides the edges behind them."""
    d.box(x, y + 8, 175, TILE_HEIGHT - 16, fill=colours[0], edge="none", round_=3)
    d.text(x + 6, y + 25, words, bold=True, colour=colours[1])


def _window(d: Drawing, y: float) -> None:
    WHOLE.tiles(d, range(START, LAST_HOUR, HOUR), y, COARSE)
    WHOLE.tiles(d, range(LAST_HOUR, END, TILE), y, FINE)
    WHOLE.clock(d, range(START, AS_OF + HOUR, HOUR), y + TILE_HEIGHT + 12)
    hours, length = (LAST_HOUR - START) // HOUR, (END - START) // MINUTE
    d.text(WHOLE.at(START), y - 10, f"start {_clock(START)}: on a whole hour", bold=True)
    _label(d, WHOLE.at(START) + 10, y, f"{hours} tiles of an hour", COARSE)
    d.text(WHOLE.at(END), y - 10, f"counted: {length // 60} h {length % 60} min", anchor="end", bold=True)


def _last_hour(d: Drawing, y: float) -> None:
    """The last hour of the window, larger."""
    top = y - 72
    for near, far in ((WHOLE.at(LAST_HOUR), NEAR.at(LAST_HOUR)), (WHOLE.at(END), NEAR.at(END))):
        d.line((near, top), (far, y), colour=GREY, thick=1, dashed=True)
    NEAR.tiles(d, range(LAST_HOUR, END, TILE), y, FINE)
    NEAR.tiles(d, range(END, END + TILE, TILE), y, OPEN)
    NEAR.clock(d, range(LAST_HOUR, LAST_HOUR + HOUR + 1, TILE), y + TILE_HEIGHT + 12)
    fine = (END - LAST_HOUR) // TILE
    _label(d, NEAR.at(LAST_HOUR) + 10, y, f"{fine} tiles of {TILE // MINUTE} minutes", FINE)
    below = y + TILE_HEIGHT + 62
    d.line((NEAR.at(END), y - 14), (NEAR.at(END), below), colour=INK, thick=2)
    d.text(NEAR.at(END) - 6, below - 4, f"end {_clock(END)}: the last closed fine tile", anchor="end", bold=True)
    d.line((NEAR.at(AS_OF), y - 14), (NEAR.at(AS_OF), below), colour=OPEN[1], thick=2)
    d.text(NEAR.at(AS_OF) + 6, below - 4, f"as_of {_clock(AS_OF)}", bold=True, colour=OPEN[1])
    late = f"Events after {_clock(END)} are in an open tile. They do not count yet: the staleness."
    d.text(WIDTH - 40, below + 22, late, anchor="end", size=13, colour=OPEN[1])


def _table(d: Drawing, y: float) -> None:
    for row, cells in enumerate(TILES):
        for at, cell in enumerate(cells):
            d.text(40 + (0, 260, 450, 640)[at], y + row * 24, cell, bold=row == 0, colour=INK if row else GREY)
    d.line((40, y + 7), (WIDTH - 40, y + 7), colour=GREY, thick=1)


def draw() -> str:
    """The picture."""
    d = Drawing(WIDTH, HEIGHT, "A window of 12 hours, asked at 10:52, and the tiles that cover it")
    title = f'count("12h") asked at {_clock(AS_OF)}, fine tiles of 5 minutes, known_after="0s"'
    d.text(40, 36, title, size=16, bold=True)
    _window(d, 85)
    _last_hour(d, 240)
    d.text(40, 412, "end = as_of - known_after, rounded down to a fine tile")
    d.text(40, 434, "start = end rounded down to the window's own tile size, minus the window")
    _table(d, 480)
    return d.svg()
