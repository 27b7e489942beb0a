"""The circuit breaker of the labels: whether a day's labels may be learnt and judged by.

A stalled stream teaches a model that nothing ever happens, and a wrong one that everything does. So when far fewer
labels come than the predictions and the delay curve let expect, or when what they say jumps, the breaker opens:
trainings and decisions about quality wait, with its reason.

The limits come from how the days themselves differ, not from the number of labels: a day's ``log(known / expected)``
and mean label are compared with those of earlier days, of the same weekday where there are three, in units of their
robust spread (the median absolute deviation, Hampel, JASA 69, 1974).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.arrays import Floats, Ints, np
from smallbox.labels.stored import BreakerDocument, Trip
from smallbox.times import DAY, parse_day

MIN_BREAKER_DAYS: Final = 21
"""Days of history before it judges: three of each weekday."""

BREAKER_DAYS: Final = 56
"""How many earlier days it compares with."""

RELEARNT_AFTER: Final = 14
"""After this many days in a row that jumped, they are the new normal."""

_STALLED_Z: Final = 6.0
_JUMPED_Z: Final = 6.0
_STALLED_SHARE: Final = 1 / 3
_JUMPED_ODDS: Final = 2.0
_JUMPED_DEVIATIONS: Final = 0.5
_MIN_EXPECTED: Final = 20.0
_MIN_LABELS: Final = 20
_LEAST_SPREAD: Final = 0.05
_SAME_WEEKDAY: Final = 3
_MAD: Final = 1.4826


@dataclass(frozen=True, slots=True)
class LabelDay:
    """The labels that became known on one day.

    Attributes:
        day: ``YYYY-MM-DD``.
        known: how many.
        expected: how many the predictions and the delay curve let expect; ``None`` before there is a curve.
        mean: the mean label; ``None`` where labels are texts, or there are none.
        deviation: the standard deviation of the labels.
        is_share: whether the labels are yes or no, so that the mean is a share.
        found: the kinds of what the breaker found on it.
    """

    day: str
    known: int
    expected: float | None
    mean: float | None
    deviation: float
    is_share: bool
    found: tuple[str, ...] = ()


def label_breaker(past: Sequence[LabelDay], today: LabelDay) -> BreakerDocument:
    """Judge a day's labels by the days before it.

    Args:
        past: earlier days in order, with what was found on them.
        today: the day.
    """
    earlier = [one for one in past if one.day < today.day][-BREAKER_DAYS:]
    trips = [one for one in (_stalled(earlier, today), _jumped(earlier, today)) if one]
    days = sum(_volume(one) is not None for one in earlier)
    few = f"labels are not judged yet: {days} days of history of {MIN_BREAKER_DAYS}"
    why = "; ".join(one["sentence"] for one in trips) or (few if days < MIN_BREAKER_DAYS else "")
    return {"day": today.day, "open": bool(trips), "why": why, "trips": trips}


def _stalled(earlier: Sequence[LabelDay], today: LabelDay) -> Trip | None:
    usual = _usual([one for one in earlier if "labels_stalled" not in one.found], today, _volume)
    seen = _volume(today)
    if usual is None or seen is None or today.expected is None:
        return None
    centre, spread = usual
    expected = today.expected * math.exp(centre)
    error = math.hypot(spread, 1 / math.sqrt(max(expected, 1.0)))
    if expected < _MIN_EXPECTED or today.known > _STALLED_SHARE * expected or seen > centre - _STALLED_Z * error:
        return None
    said = f"{today.known} labels became known on {today.day}; about {expected:.0f} were due"
    return {"kind": "labels_stalled", "sentence": said, "seen": today.known, "usual": expected, "spread": spread}


def _jumped(earlier: Sequence[LabelDay], today: LabelDay) -> Trip | None:
    usual = _usual(_of_one_normal(earlier), today, _level)
    seen = _level(today)
    if usual is None or seen is None or today.mean is None:
        return None
    centre, spread = usual
    sampling = (0.5 if today.is_share else today.deviation) / math.sqrt(today.known)
    expected = math.sin(centre) ** 2 if today.is_share else centre
    if abs(seen - centre) <= _JUMPED_Z * math.hypot(spread, sampling) or _is_small(today, expected):
        return None
    what = "rate" if today.is_share else "mean"
    said = f"the {what} of the {today.known} labels that became known on {today.day} is {today.mean:.3g}; usual is "
    said += f"{expected:.3g}"
    return {"kind": "labels_jumped", "sentence": said, "seen": today.mean, "usual": expected, "spread": spread}


def _of_one_normal(earlier: Sequence[LabelDay]) -> Sequence[LabelDay]:
    """The days to compare with: those that did not jump; after so many in a row that did, these and later ones."""
    begins, length = 0, 0
    for at, one in enumerate(earlier):
        length = length + 1 if "labels_jumped" in one.found else 0
        begins = at + 1 - length if length >= RELEARNT_AFTER else begins
    return [
        one
        for at, one in enumerate(earlier[begins:])
        if at < RELEARNT_AFTER * (begins > 0) or "labels_jumped" not in one.found
    ]


def _volume(one: LabelDay) -> float | None:
    """How far the number of labels is from what was expected, as a logarithm."""
    return None if one.expected is None else math.log((one.known + 0.5) / (one.expected + 0.5))


def _level(one: LabelDay) -> float | None:
    """The mean label; of yes or no the arcsine of its root, which varies alike for every rate."""
    if one.mean is None or one.known < _MIN_LABELS:
        return None
    return math.asin(math.sqrt(min(max(one.mean, 0.0), 1.0))) if one.is_share else one.mean


def _is_small(today: LabelDay, expected: float) -> bool:
    """Whether a jump is too small to spoil a model, however sure it is."""
    if not today.is_share:
        return abs((today.mean or 0.0) - expected) <= _JUMPED_DEVIATIONS * today.deviation
    odds = [(share * today.known + 0.5) / ((1 - share) * today.known + 0.5) for share in (today.mean or 0.0, expected)]
    return abs(math.log(odds[0] / odds[1])) <= math.log(_JUMPED_ODDS)


def _usual(
    earlier: Sequence[LabelDay], today: LabelDay, figure: Callable[[LabelDay], float | None]
) -> tuple[float, float] | None:
    """The centre and the spread of a figure over earlier days; ``None`` when there are too few."""
    found = [(_weekday(one.day), value) for one in earlier if (value := figure(one)) is not None]
    is_relearnt = any("labels_jumped" in one.found for one in earlier)
    if len(found) < (RELEARNT_AFTER if is_relearnt else MIN_BREAKER_DAYS):
        return None
    days, values = np.array([day for day, _ in found]), np.array([value for _, value in found])
    others = (np.arange(len(found)) != at for at in range(len(found)))
    # against the other days: a day is half of the median of a few, so its own distance from that says too little
    residuals = np.array([v - _centre(days[o], values[o], d) for o, (d, v) in zip(others, found, strict=True)])
    spread = _MAD * float(np.median(np.abs(residuals)))
    return _centre(days, values, _weekday(today.day)), max(spread, _LEAST_SPREAD)


def _centre(days: Ints, values: Floats, day: int) -> float:
    same = values[days == day]
    return float(np.median(same if len(same) >= _SAME_WEEKDAY else values))


def _weekday(day: str) -> int:
    return (parse_day(day) // DAY + 3) % 7
