"""The records of a source's files, ordered by when they became known."""

import json
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallbox.cli.replay.span import Span
from smallbox.define.source import Source
from smallbox.ingestion.contract import contract_of
from smallbox.ingestion.field_checks import Broken, test_of
from smallbox.records import Rejection
from smallbox.times import Micros


class Timeline:
    """JSON texts sorted by a timestamp; the sort is stable."""

    def __init__(self, lines: Sequence[str], at: Sequence[Micros]) -> None:
        moments = np.asarray(at, np.int64)
        order = np.argsort(moments, kind="stable")
        self.at = moments[order]
        self._lines = [lines[position] for position in order]

    def __len__(self) -> int:
        return len(self._lines)

    def between(self, start: Micros, end: Micros) -> Sequence[str]:
        """The texts with timestamps in ``(start, end]``."""
        first, last = np.searchsorted(self.at, [start, end], side="right")
        return self._lines[first:last]

    def until(self, end: Micros) -> Sequence[str]:
        """The texts with timestamps up to and including ``end``."""
        return self._lines[: np.searchsorted(self.at, end, side="right")]


@dataclass(frozen=True, slots=True)
class Recording:
    """The records of one source, ordered in time.

    Attributes:
        source: the source.
        known: the records by when they became known, up to the end of the replay.
        asked: the requests to predict, by event time: valid records of the replayed days; empty unless the source is
            the model's request source.
        refused: the number of requests in the replayed days that violate the contract.
        later: the number of records left out: they became known after the end.
        times: the first and the last event time; ``None`` without records.
    """

    source: Source
    known: Timeline
    asked: Timeline
    refused: int
    later: int
    times: tuple[Micros, Micros] | None


def lay_out(source: Source, rows: Iterable[Any], span: Span, required: Collection[str] | None = None) -> Recording:
    """Order unvalidated rows in time.

    A row without a readable event time is sent with the history: the contract rejects it there, and it is quarantined.

    Args:
        source: the source of the rows.
        rows: the rows as read from the files.
        span: the days of the replay.
        required: the required fields of a request; ``None`` if the source is not the model's request source.
    """
    time_of, contract = _time_reader(source), contract_of(source)
    known: list[tuple[Micros, str]] = []
    asked: list[tuple[Micros, str]] = []
    times: list[Micros] = []
    refused = later = 0
    for row in rows:
        time = time_of(row)
        known_at = span.start if time is None else span.known_at(source, time)
        times += [] if time is None else [time]
        line = as_line(row)
        if known_at <= span.end:
            known.append((known_at, line))
        else:
            later += 1
        if required is not None and time is not None and span.start <= time < span.end:
            if isinstance(contract.check_values(row, 0, required), Rejection):
                refused += 1
            else:
                asked.append((time, line))
    bounds = (min(times), max(times)) if times else None
    return Recording(source, _timeline(known), _timeline(asked), refused, later, bounds)


def _timeline(entries: Sequence[tuple[Micros, str]]) -> Timeline:
    return Timeline([line for _, line in entries], [at for at, _ in entries])


def _time_reader(source: Source) -> Callable[[Any], Micros | None]:
    read = test_of(source.fields[source.time])

    def time_of(row: Any) -> Micros | None:
        try:
            found = read(row.get(source.time)) if isinstance(row, dict) else None
        except Broken:
            return None
        return found if isinstance(found, int) else None

    return time_of


def as_line(row: Any) -> str:
    """A row as strict JSON: timestamps as text; NaN and infinities as text too, which contracts reject.

    >>> as_line({"a": 1.5, "b": None}), as_line({"a": float("inf")})
    ('{"a": 1.5, "b": null}', '{"a": "inf"}')
    """
    try:
        return json.dumps(row, default=_as_text, allow_nan=False)
    except ValueError:
        infinite = {n: str(v) for n, v in row.items() if isinstance(v, float) and not math.isfinite(v)}
        return json.dumps({**row, **infinite}, default=_as_text)


def _as_text(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
