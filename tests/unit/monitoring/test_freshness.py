"""Proves the hourly look: a stale source rings within the hour, once, and the daily check does what it always did."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from smallbox.define.project import project_of
from smallbox.ingestion.contract import check_all
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.monitoring.check_findings import findings_of
from smallbox.monitoring.check_rules import freshness_checks
from smallbox.monitoring.freshness import FreshnessTask
from smallbox.monitoring.incident import Incident
from smallbox.monitoring.incidents import IncidentBook, opened_on
from smallbox.registry.routing import first_champion
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, Micros, day_of, format_moment, parse_day
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeMeter, FakeNotices
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, late_parcel, parcels
from tests.fakes.versions import add_version

START = parse_day("2026-03-01")
NOON = START + 12 * HOUR
watched = replace(parcels, freshness="2h")
model = replace(late_parcel, request=watched)


class _Hours:
    """A model whose parcels came at some moments, and the looks at it."""

    def __init__(self, *times: Micros) -> None:
        self.lake, self.metrics = FakeLake(), FakeDocuments()
        self.meter, self.notices, self.registry = FakeMeter(), FakeNotices(), Registry(FakeDocuments())
        self.book = IncidentBook(self.metrics)
        self.deliver(*times)
        number = add_version(self.registry, model).number
        self.registry.route(model.name, first_champion(number, START))

    def deliver(self, *times: Micros) -> None:
        rows = [{"parcel_id": f"p{time}", "sent_at": format_moment(time)} for time in times]
        records, _ = check_all(watched, rows, START + 9 * DAY)
        if records:
            self.lake.append(records_table(watched), records_to_table(watched, records))

    def look(self, now: Micros) -> list[str]:
        project = project_of([model], [watched, deliveries])
        task = FreshnessTask(project, self.lake, self.registry, self.metrics, self.meter, self.notices)
        return task.run(now)[model.name]

    def check(self, day: Micros, *, is_stale: bool) -> Sequence[Incident]:
        """What the daily check records of a day's freshness."""
        checks = freshness_checks(watched, None, 0) if is_stale else []
        return self.book.record(model.name, findings_of(checks, day_of(day)), day_of(day), day + DAY)

    @property
    def incidents(self) -> Sequence[Incident]:
        return self.book.incidents(model.name)


def test_a_fresh_source_is_let_alone() -> None:
    """Its age is below the limit: no incident, no figure, no message."""
    hours = _Hours(NOON)
    assert hours.look(NOON + HOUR) == []
    assert (hours.incidents, hours.notices.told) == ([], [])


def test_a_stale_source_is_told_once() -> None:
    """Within the hour, by the daily check's cause; the hours after and the daily check of the day tell nothing more."""
    hours = _Hours(NOON)
    for late in (3, 4, 5):
        assert len(hours.look(NOON + late * HOUR)) == 1
    (opened,) = hours.incidents
    assert (opened.kind, opened.cause, opened.checked) == ("source_stale", "parcels", "")
    assert len(hours.notices.told) == 1
    (same,) = hours.check(START, is_stale=True)
    assert (same.id, same.checked, same.quiet) == (opened.id, "2026-03-01", 0)
    assert opened_on([same], "2026-03-01") == []


def test_the_daily_check_closes_what_delivers_again() -> None:
    """The hourly look closes nothing; three quiet days do, the day that opened it among them."""
    hours = _Hours(NOON)
    hours.look(NOON + 3 * HOUR)
    hours.deliver(NOON + 4 * HOUR)
    assert hours.look(NOON + 5 * HOUR) == []
    states = [hours.check(START + n * DAY, is_stale=False)[0].state for n in range(3)]
    assert states == ["open", "open", "closed"]


@pytest.mark.parametrize("is_stale", [True, False])
def test_the_check_of_the_day_before_may_come_after_the_look(is_stale: bool) -> None:  # noqa: FBT001
    """It neither makes the incident quiet nor takes it back to an earlier day, and it opens no other."""
    hours = _Hours(START + DAY)
    hours.look(START + DAY + 3 * HOUR)
    (found,) = hours.check(START, is_stale=is_stale)
    assert (found.opened, found.updated, found.quiet) == ("2026-03-02", "2026-03-02", 0)


def test_a_look_after_the_daily_check_adds_one_line_a_day() -> None:
    """The incident of the check goes on; the look marks no day as checked."""
    hours = _Hours(START)
    (opened,) = hours.check(START, is_stale=True)
    for late in (3, 4):
        hours.look(START + DAY + late * HOUR)
    (after,) = hours.incidents
    assert (after.id, after.checked, after.updated) == (opened.id, opened.checked, opened.updated)
    assert [entry.link for entry in after.story] == ["2026-03-01", "hourly look of 2026-03-02"]


@pytest.mark.parametrize("times", [(), (NOON,)])
def test_no_record_is_a_sentence(times: tuple[Micros, ...]) -> None:
    """Neither a source that never delivered nor a clock ten years ahead is a crash."""
    (sentence,) = _Hours(*times).look(NOON + 3653 * DAY)
    assert "parcels" in sentence
