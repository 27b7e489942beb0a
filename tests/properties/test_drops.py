"""Dropped files: however they are cut, whoever dies, and whatever is delivered again, the same comes of them."""

import dataclasses
import json
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from smallbox.define.project import Project
from smallbox.ingestion.file_parts import Sizes
from smallbox.lake.history import valid_at
from smallbox.lake.names import records_table
from smallbox.times import DAY, SECOND
from tests.properties.dropped import PROJECTS, STORED_AT, WHOLE, Dropping, Outcome, files, sizes

projects = st.sampled_from(sorted(PROJECTS, key=str)).map(PROJECTS.__getitem__)
deliveries = st.lists(
    st.fixed_dictionaries(
        {
            "position": st.integers(0, 9),
            "crash_after": st.sampled_from([0, 1, 2, 3, 5, 8, 13, None]),
            "again": st.booleans(),
        }
    ),
    max_size=12,
)


def _without_parts(outcome: Outcome) -> Outcome:
    reports: dict[str, Any] = {
        key: {name: value for name, value in report.items() if name != "parts"}
        for key, report in outcome.reports.items()
    }
    return dataclasses.replace(outcome, reports=reports)


def _dropped(project: Project, sizes: Sizes, file: tuple[str, bytes]) -> Dropping:
    system = Dropping(project, sizes)
    system.store(f"drop/things/file.{file[0]}", file[1])
    return system


@given(project=projects, file=files(), sizes=sizes, deliveries=deliveries)
@settings(max_examples=200)
def test_workers_that_die_and_repeat_change_nothing(
    project: Project, file: tuple[str, bytes], sizes: Sizes, deliveries: list[dict[str, Any]]
) -> None:
    """A file cut into parts comes to what the same file loaded whole comes to, and none of its parts stays.

    Report, quarantine, lake and rebuild are the same in any order, with deaths before any write and messages delivered
    twice.
    """
    whole = _dropped(project, WHOLE, file)
    whole.drain()
    system = _dropped(project, sizes, file)
    for delivery in deliveries:
        if system.queue.messages:
            system.deliver(**delivery)
    system.drain()
    outcome = system.outcome()
    event(f"parts: {next(iter(outcome.reports.values())).get('parts')}")
    assert _without_parts(outcome) == _without_parts(whole.outcome())
    assert outcome.parts == frozenset()


@given(project=projects, file=files(), sizes=sizes, later=st.sampled_from([0, DAY]))
@settings(max_examples=60)
def test_the_same_file_dropped_twice_changes_no_value(
    project: Project, file: tuple[str, bytes], sizes: Sizes, later: int
) -> None:
    """Every key keeps its value, as of now and as of any moment before.

    With ``known_after`` the log reads the same to the last column; without it rows of a later drop are versions of
    their own, known since then, that say the same.
    """
    system = _dropped(project, sizes, file)
    system.drain()
    once = system.outcome()
    before = {at: _values(system, project, at) for at in (STORED_AT, STORED_AT + later, STORED_AT + 2 * DAY)}
    system.store(f"drop/things/file.{file[0]}", file[1], STORED_AT + later)
    system.drain()
    again = system.outcome()
    assert {at: _values(system, project, at) for at in before} == before
    if project.source("things").known_after is not None or not later:
        assert again.rows == once.rows
    counts = [[(r.get("accepted"), r.get("rejected")) for r in o.reports.values()] for o in (once, again)]
    assert counts[0] == counts[1]


names = st.sampled_from(["a", "b", "a_b", "a/b", "b/a", "a.b", "ä", "x" * 200, "x" * 199 + "y", "a.3"])


@given(
    dropped=st.lists(st.tuples(names, st.integers(1, 8)), min_size=1, max_size=6), sizes=sizes, deliveries=deliveries
)
@settings(max_examples=100)
def test_the_rejects_of_all_drops_are_there(
    dropped: list[tuple[str, int]], sizes: Sizes, deliveries: list[dict[str, Any]]
) -> None:
    """Whatever files are named, whichever key is dropped again, whoever dies and repeats: each bad row waits, once.

    Each drop is taken before the next one of its key is stored; its parts may be loaded after.
    """
    system = Dropping(PROJECTS["1h"], sizes)
    for number, (name, bad) in enumerate(dropped):
        content = "".join(f'{{"id": "{number}-{row}", "size": 9}}\n' for row in range(bad))
        system.store(f"drop/things/{name}.jsonl", content.encode(), STORED_AT + number * SECOND)
        system.deliver(len(system.queue.messages) - 1, again=True)
        system.deliver(len(system.queue.messages) - 1)
    for delivery in deliveries:
        if system.queue.messages:
            system.deliver(**delivery)
    system.drain()
    found = [
        json.loads(line)["record"]["id"] for file in system.outcome().quarantine.values() for line in file.splitlines()
    ]
    assert sorted(found) == sorted(f"{number}-{row}" for number, (_, bad) in enumerate(dropped) for row in range(bad))


def _values(system: Dropping, project: Project, as_of: int) -> list[Any]:
    table = system.lake.read(records_table(project.source("things")))
    if table is None:
        return []
    known = valid_at(table, as_of).select(["key", "time", "digest", "note", "size"])
    return sorted(known.to_pylist(), key=lambda row: str(row["key"]))
