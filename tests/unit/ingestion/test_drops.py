"""Proves what the report and the quarantine of a dropped file say, and as of when its rows are received."""

import json
import re
from typing import Any

import pytest

from smallbox.errors import Conflict, Unavailable
from smallbox.ingestion.file_parts import Sizes
from smallbox.ingestion.readers import Limits
from smallbox.lake.names import records_table
from smallbox.messages.rebuilds import rebuild_loaded
from smallbox.times import SECOND, format_moment
from tests.properties.dropped import PROJECTS, STORED_AT, WHOLE, Dropping

PROJECT = PROJECTS["1h"]
KEY = "drop/things/all.csv"
ROW = "{id},2013-02-01T00:00:00Z,,{size}\n"
HEAD = "id,at,note,size\n"
SMALL = Sizes(WHOLE.batch, Limits(3, 9_999))


def _file(rows: int, bad: int = -1) -> bytes:
    return (HEAD + "".join(ROW.format(id=f"k{n}", size=9 if n == bad else 1) for n in range(rows))).encode()


def _loaded(content: bytes, key: str = KEY, sizes: Sizes = SMALL) -> tuple[Dropping, dict[str, Any]]:
    system = Dropping(PROJECT, sizes)
    system.store(key, content)
    system.drain()
    report: dict[str, Any] = json.loads(system.blobs.get(f"reports/{key}.json"))
    return system, report


def test_a_large_file_has_one_report_over_its_parts() -> None:
    """Seven rows in parts of three: three parts, a row in quarantine, one request to rebuild what the others touch."""
    system, report = _loaded(_file(7, bad=5))
    assert report == {
        "key": KEY,
        "source": "things",
        "loaded_at": "2013-03-01T00:00:00Z",
        "accepted": 6,
        "rejected": 1,
        "parts": 3,
    }
    assert system.rebuild.messages == [rebuild_loaded("things", STORED_AT, -1)]
    assert system.asked() == {f"k{n}" for n in range(7) if n != 5}


def test_each_file_asks_for_what_it_brought() -> None:
    """Of two files, also of one moment, each names its own records, whatever else lies in the table."""
    system = Dropping(PROJECT, SMALL)
    for name in ("one", "two"):
        system.store(f"drop/things/{name}.csv", _file(4).replace(b"k", name.encode()))
        system.drain()
        assert system.asked() == {f"{name}{n}" for n in range(4)}
        system.rebuild.messages.clear()


def test_a_plan_of_the_version_before_asks_for_all_rows_of_its_moment() -> None:
    """A plan that was written before this deployment has no commit; its message names every row of that moment."""
    system = Dropping(PROJECT, SMALL)
    system.store(KEY, _file(7))
    system.deliver(0)
    (plan,) = [key for key in system.inbox.objects if key.endswith("plan.json")]
    written = json.loads(system.inbox.get(plan))
    del written["after"]
    system.inbox.put(plan, json.dumps(written).encode())
    system.drain()
    assert system.asked() == {f"k{n}" for n in range(7)}


def test_a_rejected_row_names_its_line() -> None:
    """The sixth row of the file is index 5 and stands on line 7, in whichever part it was found."""
    system, _ = _loaded(_file(7, bad=5))
    (key,) = system.blobs.list("quarantine/")
    rejection = json.loads(system.blobs.get(key))
    assert re.fullmatch(r"quarantine/things/2013-03-01/all\.csv-[0-9a-f]{32}/3\.1\.jsonl", key)
    assert (rejection["index"], rejection["line"], rejection["rule"]) == (5, 7, "maximum")


def test_rows_are_received_when_the_file_was_stored() -> None:
    """The moment is the store's, to the second, and no attempt's: a retry writes the same rows."""
    system, _ = _loaded(_file(1))
    assert _received(system) == {STORED_AT}


def test_a_folder_names_a_past_moment_for_rows_views_and_report() -> None:
    """``as_of=`` goes with the drop, up to the very second in which the file was stored."""
    for at in (STORED_AT - SECOND, STORED_AT + SECOND // 2):
        system, report = _loaded(_file(7), f"drop/things/as_of={format_moment(at)}/all.csv")
        assert _received(system) == {at}
        assert report["loaded_at"] == format_moment(at)
        assert system.rebuild.messages == [{**rebuild_loaded("things", at, -1), "as_of": at}]


def _received(system: Dropping) -> set[int]:
    table = system.lake.read(records_table(PROJECT.source("things")))
    assert table is not None
    return set(table["received_at"].to_pylist())


def test_a_file_that_breaks_off_says_what_was_loaded() -> None:
    """The rows before the break are in the lake and counted, the views are rebuilt, and the error names the line."""
    system, report = _loaded(_file(4, bad=0) + b'"torn')
    assert (report["accepted"], report["rejected"], report["parts"]) == (3, 1, 2)
    assert "in the row that begins at line 6" in report["error"]["message"]
    assert "of the rows before that 3 are loaded and 1 rejected" in report["error"]["message"]
    assert system.asked() == {"k1", "k2", "k3"}


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("drop/nothing/all.csv", "not_found"),
        ("drop/all.csv", "malformed_body"),
        ("drop/things/all.xlsx", "unsupported_type"),
        ("drop/things/as_of=2999-01-01T00:00:00Z/all.csv", "malformed_body"),
    ],
)
def test_a_file_that_cannot_be_loaded_has_the_reason_in_its_report(key: str, code: str) -> None:
    """It is not tried again, and nothing is rebuilt."""
    system, report = _loaded(_file(1), key)
    assert report["error"]["code"] == code
    assert system.rebuild.messages == []


def test_what_may_pass_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a service is raised, so that the queue brings the message back, and no report says otherwise."""

    def fail(*_: object) -> None:
        raise Unavailable("the lake did not take the write")

    system = Dropping(PROJECT, SMALL)
    monkeypatch.setattr(system.lake, "append", fail)
    system.store(KEY, _file(1))
    with pytest.raises(Unavailable):
        system.deliver(0)
    assert system.blobs.list("reports/") == []


def test_a_message_whose_parts_are_gone_is_not_lost() -> None:
    """It fails, and so ends in the dead-letter queue, instead of writing over a report."""
    system = Dropping(PROJECT, SMALL)
    message = {"key": KEY, "folder": "parts/0", "number": 0}
    with pytest.raises(Conflict, match="drop the file again"):
        system._drops.take_part(message)
    assert system.blobs.list("reports/") == []


def test_parts_go_to_the_queue_each_by_itself() -> None:
    """Any worker can take any part: after the first delivery one message a part waits, and no row is loaded yet."""
    system = Dropping(PROJECT, SMALL)
    system.store(KEY, _file(7))
    system.deliver(0)
    assert [message["number"] for message in system.queue.messages] == [0, 1, 2]
    assert system.lake.read(records_table(PROJECT.source("things"))) is None
