"""The page that a replay writes, with the figures of the README's demo table."""

import re
from collections.abc import Sequence
from typing import Final

from docs.pictures.svg import GREY, INK, PALE, Drawing
from infra.deployment import ROOT
from smallbox.stages import STAGES

WIDTH: Final = 1000
HEIGHT: Final = 1260
PAGE: Final = 600
"""The width of the page; what its parts say stands to the right of it."""

GREEN: Final = "#007000"
SERVED: Final = "#1f77b4"
RECOMPUTED: Final = "#c2570c"
FIRST: Final = 54
"""Where the first cell of a row of the weekly table begins."""
LAST: Final = 612
"""Where the last cell ends."""
LOSS: Final = 2
"""The column of the mean loss as served; the recomputed one is the next."""


def weeks() -> Sequence[Sequence[str]]:
    """The rows of the README's table by week, its head first."""
    table = re.search(r"^\| week from .*?\n\n", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    if table is None:
        raise LookupError("README.md has no table by week")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].strip().splitlines()]
    return [rows[0], *rows[2:]]


def _figure(pattern: str) -> str:
    found = re.search(pattern, (ROOT / "README.md").read_text())
    if found is None:
        raise LookupError(f"README.md has no {pattern}")
    return found[1]


def _evidence() -> dict[str, str]:
    """What the README tells of some stages; the report has a sentence for each."""
    predicted, served = _figure(r"([\d,]+) requests answered"), _figure(r"([\d,]+) feature values served")
    return {
        "features": f"{served} values served, 0 differ from batch",
        "serving": f"{predicted} of {predicted} requests predicted over HTTPS",
    }


def _note(d: Drawing, y: float, title: str, *lines: str) -> None:
    d.line((PAGE + 42, y - 5), (PAGE + 66, y - 5), colour=GREY, thick=1)
    d.text(PAGE + 74, y, title, bold=True)
    for at, line in enumerate(lines):
        d.text(PAGE + 74, y + 20 + 18 * at, line, size=13, colour=GREY)


def _heading(d: Drawing, y: float, words: str) -> None:
    d.text(50, y, words, size=18, bold=True)


def _verdicts(d: Drawing, y: float) -> None:
    evidence = _evidence()
    for at, stage in enumerate(STAGES):
        line = y + at * 24
        d.text(54, line, "worked", size=13, colour=GREEN)
        d.text(125, line, stage, size=13)
        if stage in evidence:
            d.text(215, line, evidence[stage], size=13)
        else:
            d.box(215, line - 9, 300 - 23 * (at % 4), 8, fill=PALE, edge="none", round_=3)
        d.line((50, line + 7), (PAGE + 20, line + 7), colour=PALE, thick=1)


def _lines(head: str) -> Sequence[str]:
    """A head of a column in at most two lines, broken at its space or behind its underscore."""
    return re.sub(r"(_)| ", r"\1\n", head, count=1).split("\n")


def _ends() -> Sequence[float]:
    """Where each column of the weekly table ends: the longer its words, the further from the one before."""
    widths = [max(len(words) + 2 for cell in column for words in _lines(cell)) for column in zip(*weeks(), strict=True)]
    room = (LAST - FIRST) / sum(widths)
    return [FIRST + room * sum(widths[: at + 1]) for at in range(len(widths))]


def _table(d: Drawing, y: float) -> None:
    head, *rows = weeks()
    for at, (end, words) in enumerate(zip(_ends(), head, strict=True)):
        for up, line in enumerate(reversed(_lines(words))):
            d.text(end if at else FIRST, y - 13 * up, line, size=11, anchor="end" if at else "start", bold=True)
        for down, cells in enumerate(rows, start=1):
            d.text(end if at else FIRST, y + 24 * down, cells[at], size=11, anchor="end" if at else "start")
    for row in range(len(rows) + 1):
        d.line((50, y + 24 * row + 7), (PAGE + 20, y + 24 * row + 7), colour=PALE, thick=1)


def _axes(d: Drawing, x: float, y: float, width: float, height: float) -> None:
    d.line((x, y), (x, y + height), (x + width, y + height), colour=INK, thick=1)


def _points(y: float, column: int) -> Sequence[tuple[float, float]]:
    """A column of figures by week, from its 0 at the lower edge of the axes to the largest loss near the upper."""
    rows = weeks()[1:]
    top = 1.3 * max(float(row[LOSS]) for row in rows)
    return [(160.0 + 160 * at, y + 100 - 100 * float(row[column]) / top) for at, row in enumerate(rows)]


def _losses(d: Drawing, y: float) -> None:
    _axes(d, 100, y, 480, 100)
    points = _points(y, LOSS)
    d.line(*points, colour=SERVED, thick=2)
    d.line(*_points(y, LOSS + 1), colour=RECOMPUTED, thick=2, dashed=True)
    for (px, py), row in zip(points, weeks()[1:], strict=True):
        d.dot(px, py, SERVED)
        d.text(px, py - 12, row[LOSS], size=12, anchor="middle")
        d.text(px, y + 118, row[0], size=12, anchor="middle")
    d.text(92, y + 12, "mean loss", size=12, anchor="end")
    d.line((400, y + 4), (428, y + 4), colour=SERVED, thick=2)
    d.text(434, y + 8, "as served", size=12)
    d.line((400, y + 22), (428, y + 22), colour=RECOMPUTED, thick=2, dashed=True)
    d.text(434, y + 26, "recomputed from the lake", size=12)


def _calibration(d: Drawing, y: float) -> None:
    _axes(d, 100, y, 110, 110)
    d.line((100, y + 110), (210, y), colour="#999999", thick=1)
    d.text(155, y + 128, "mean score", size=12, anchor="middle")
    d.text(92, y + 12, "share", size=12, anchor="end")
    d.text(92, y + 27, "late", size=12, anchor="end")
    d.text(235, y + 60, "ten points, each a tenth of the predictions", size=13, colour=GREY)


def _days(d: Drawing, y: float) -> None:
    _axes(d, 100, y, 480, 50)
    d.text(92, y + 12, "breaches", size=12, anchor="end")
    d.text(340, y + 30, "one bar per day, stacked by kind", size=13, anchor="middle", colour=GREY)
    for at, name in enumerate(("day", "breaches", "release", "retraining")):
        d.text((54, 140, 260, 440)[at], y + 82, name, size=12, bold=True)
    d.line((50, y + 89), (PAGE + 20, y + 89), colour=PALE, thick=1)
    _rows(d, y + 98, ((54, 60), (140, 70), (260, 150), (440, 150)))


def _rows(d: Drawing, y: float, cells: Sequence[tuple[float, float]]) -> None:
    """Two rows of a table whose words do not matter here."""
    for row in range(2):
        for x, width in cells:
            d.box(x, y + row * 20, width, 8, fill=PALE, edge="none", round_=3)


def _history(d: Drawing, y: float) -> None:
    for x, name in zip((54, 190, 320, 400), ("at", "event", "version", "why"), strict=True):
        d.text(x, y, name, size=12, bold=True)
    d.line((50, y + 7), (PAGE + 20, y + 7), colour=PALE, thick=1)
    _rows(d, y + 16, ((54, 110), (190, 90), (320, 20), (400, 200)))


NOTES: Final = (
    (
        105,
        "Did each stage do its work?",
        "The exit code of the command is 0",
        "only if all did. Grey bars stand for",
        "sentences with figures.",
    ),
    (
        345,
        "How good were the predictions?",
        "As served, and recomputed in batch",
        "from the lake. Equal figures mean:",
        "no training-serving skew.",
    ),
    (
        500,
        "When did it change?",
        "The report has one point per day, and",
        "lines where a canary began or ended.",
        "Here: the weekly figures.",
    ),
    (645, "Is a score a probability?", "On the diagonal, of requests scored 0.3", "three in ten are late."),
    (830, "What was decided, and why?", "Breaches, releases and retraining of", "each day with their reasons."),
    (
        1015,
        "Is the new version better?",
        "Both versions on the same requests.",
        "The band holds at every look.",
    ),
    (1145, "Who served, and since when?", "Trainings, verdicts, canaries and", "alarms in their order."),
)
"""The remarks beside the page: how far down, a question, and its answer by lines."""


def draw() -> str:
    """The picture."""
    d = Drawing(WIDTH, HEIGHT, "The report of a replay: verdicts, figures by week, calibration, days")
    d.box(20, 20, PAGE + 22, HEIGHT - 40, fill="#ffffff", edge=GREY, round_=4)
    d.text(50, 66, "Smallbox: late_arrival", size=26, bold=True)
    _verdicts(d, 100)
    _heading(d, 345, "Weeks")
    _table(d, 382)
    _losses(d, 490)
    _heading(d, 645, "Calibration of what was served")
    _calibration(d, 660)
    _heading(d, 830, "Days")
    _days(d, 848)
    _heading(d, 1015, "Releases")
    d.text(50, 1042, "Of each: the verdict, the paired loss with its band, and every look.", size=14)
    _heading(d, 1080, "Incidents")
    d.text(50, 1107, "Of each: its story, from the finding to its end.", size=14)
    _heading(d, 1145, "What happened to the model")
    _history(d, 1172)
    for top, *lines in NOTES:
        _note(d, top, *lines)
    return d.svg()
