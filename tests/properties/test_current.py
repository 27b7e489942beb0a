"""The law of ``current``: whatever is appended and wherever a run is killed, it is ``latest`` of the log."""

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Source, number, text, timestamp
from smallbox.define.project import Project
from smallbox.ingestion.upkeep import UpkeepTask
from smallbox.lake.history import valid_at
from smallbox.lake.names import current_table, records_table
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Lake
from smallbox.records import Record
from smallbox.times import Micros, format_moment
from tests.fakes.edges import FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_sources

FIELDS = {"id": text(), "at": timestamp(), "x": number(nullable=True)}
SOURCES = (Source("s", "id", "at", FIELDS), Source("s", "id", "at", FIELDS | {"y": number(nullable=True)}))
"""A source before and after its contract gains a field: half the appends know of it."""
LOG, CURRENT = records_table(SOURCES[0]), current_table(SOURCES[0])
LONG = "é" * 90
"""Keys that begin alike, longer than what Parquet's statistics keep of a text."""

WRITES = ("upsert", "compact", "vacuum")
LAST = 9


class KilledError(BaseException):
    """The process is gone: nothing that runs in it can catch this."""


class Mortal:
    """A lake whose process dies just before or just after one of its writes."""

    def __init__(self, lake: Lake, step: int, *, is_after: bool) -> None:
        self._lake = lake
        self._step = step
        self._is_after = is_after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._lake, name)
        return self._or_die(method) if name in WRITES else method

    def _or_die(self, write: Any) -> Any:
        def mortal(*arguments: Any) -> Any:
            self._step -= 1
            if self._step == 0 and not self._is_after:
                raise KilledError
            write(*arguments)
            if self._step == 0:
                raise KilledError

        return mortal


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A version of one of a few keys; all moments are few, so that ties and repetitions are common."""
    known_at, received_at = (draw(st.integers(1, LAST)) for _ in range(2))
    x = float(draw(st.integers(0, 2)))
    key = draw(st.sampled_from(["a", "b", LONG + "1", LONG + "2"]))
    return Record("s", key, 1, known_at, received_at, {"id": key, "at": 1, "x": x})


def said(x: float, received_at: Micros) -> Record:
    """A version of one key, known at once."""
    return Record("s", "b", 1, 1, received_at, {"id": "b", "at": 1, "x": x})


HIDDEN = [("append", [said(1.0, 1)], SOURCES[0]), ("append", [said(0.0, 1), said(1.0, 2)], SOURCES[0])]
"""A version arrives together with a repetition of the one that stands."""

appends = st.tuples(st.just("append"), st.lists(records(), min_size=1, max_size=6), st.sampled_from(SOURCES))
runs = st.tuples(st.just("upkeep"), st.integers(0, LAST), st.none())
kills = st.tuples(st.just("killed"), st.integers(0, LAST), st.tuples(st.integers(1, 7), st.booleans()))
histories = st.lists(st.one_of(appends, runs, kills), max_size=14)


def live(lake: Lake, history: Sequence[Any]) -> None:
    """Let a history happen; hold the law after every run that ends and is not for a moment that is over."""
    project = Project({"s": SOURCES[0]}, {}, {})
    for kind, what, how in [*history, ("upkeep", LAST, None)]:
        if kind == "append":
            lake.append(LOG, records_to_table(how, what))
            continue
        before = lake.progress(CURRENT)
        mortal = Mortal(lake, how[0], is_after=how[1]) if kind == "killed" else lake
        with suppress(KilledError):
            UpkeepTask(project, live_sources(project), mortal, FakeQueue()).run({"as_of": format_moment(what)}, LAST)
        if kind == "upkeep" and (before is None or what >= before.as_of):
            hold(lake, what)


def hold(lake: Lake, as_of: Micros) -> None:
    """``current`` is what the whole log says as of a moment, and has each key once."""
    log, current = lake.read(LOG), lake.read(CURRENT)
    if log is None:
        assert current is None
        return
    assert current is not None
    rows = current.to_pylist()
    assert len({row["key"] for row in rows}) == len(rows)
    expected = valid_at(log, as_of).to_pylist()
    assert by_key({name: row.get(name) for name in log.column_names} for row in rows) == by_key(expected)


def by_key(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rows by their key."""
    return {row["key"]: row for row in rows}


@settings(max_examples=300)
@example(HIDDEN)
@given(histories)
def test_current_is_the_latest_of_the_log(history: Sequence[Any]) -> None:
    """Duplicates, corrections, late knowledge and runs killed at any step: ``current`` equals ``latest`` of the log."""
    live(FakeLake(), history)


@settings(max_examples=25)
@given(histories)
def test_current_is_the_latest_of_a_delta_log(history: Sequence[Any]) -> None:
    """The same on Delta, in slices of a row or two, with files removed as soon as they are replaced."""
    with tempfile.TemporaryDirectory() as folder:
        live(DeltaLake(folder, options={}, retention_hours=0, slice_rows=1), history)
