"""Proves the book of incidents: one incident for a cause, told once, closed when it is quiet."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.errors import Conflict, InvalidInput, NotFound
from smallbox.monitoring.check_findings import findings_of
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.incident import Incident, StoryEntry
from smallbox.monitoring.incidents import IncidentBook, opened_on
from smallbox.monitoring.notices import notice_of
from smallbox.monitoring.report import Check
from smallbox.times import DAY, day_of
from tests.fakes.documents import FakeDocuments

MODEL = "late_parcel"
LOSS = Finding("loss", "log loss", "incident", "log loss is 0.9", "retrain", effect=0.2)
NULLS = Finding("missing_values", "weight", "incident", "weight is missing", "mend the source", cause="parcels")
SILENT = Finding("source_silent", "parcels", "incident", "no parcel came", "mend the source", cause="parcels")
MOVED = Finding("covariate_shift", "weight", "notice", "weight moved", "nothing")
BY_LETTER = {"l": LOSS, "n": NULLS, "s": SILENT, "m": MOVED}


def _record(book: IncidentBook, number: int, *findings: Finding) -> Sequence[Incident]:
    return book.record(MODEL, findings, day_of(number * DAY), (number + 1) * DAY)


def _all(documents: FakeDocuments) -> list[Any]:
    return list(documents.query(f"model#{MODEL}", "incident#"))


def test_findings_of_one_cause_are_one_incident() -> None:
    """It is opened once, goes on the next day with what is new, and says what to do by the worst finding."""
    book = IncidentBook(FakeDocuments())
    (opened,) = _record(book, 1, NULLS, SILENT)
    assert opened.id == "late_parcel-1970-01-02-missing_values-parcels"
    (found,) = _record(book, 2, replace(SILENT, effect=0.1))
    assert (found.id, found.state, found.opened, found.updated) == (opened.id, "open", "1970-01-02", "1970-01-03")
    assert (found.subjects, found.effect) == (("weight", "parcels"), 0.1)
    assert [entry.event for entry in found.story] == ["opened", "finding", "finding"]
    assert found.sentence == "no parcel came; to do: mend the source"


def test_a_notice_opens_nothing() -> None:
    """A true change without effect stands in the report alone."""
    assert _record(IncidentBook(FakeDocuments()), 1, MOVED) == []


def test_it_closes_after_three_quiet_days_and_a_relapse_is_another() -> None:
    """A finding in between starts the count again; the day that closes it is told, the days after are not."""
    book = IncidentBook(FakeDocuments())
    for number in (1, 4):
        _record(book, number, LOSS)
        assert [one.state for one in _record(book, number + 1)] == ["open"]
        assert [one.state for one in _record(book, number + 2)] == ["open"]
    (closed,) = _record(book, 7)
    assert (closed.state, closed.story[-1].link) == ("closed", "1970-01-08")
    assert "3 days in a row" in closed.story[-1].sentence
    assert _record(book, 8) == []
    (relapse,) = _record(book, 9, LOSS)
    assert relapse.id != closed.id


def test_days_that_were_not_checked_are_not_quiet() -> None:
    """Nobody knows whether the cause was there."""
    book = IncidentBook(FakeDocuments())
    _record(book, 1, LOSS)
    assert [one.state for one in _record(book, 30)] == ["open"]


@given(st.lists(st.sets(st.sampled_from("lnsm")), min_size=1, max_size=8), st.data())
def test_checking_a_day_again_changes_nothing(days: list[set[str]], data: st.DataObject) -> None:
    """After any days, checking some of them again, in any order and whatever is found now, leaves every byte."""
    once, again = FakeDocuments(), FakeDocuments()
    for number, letters in enumerate(days):
        found = [BY_LETTER[letter] for letter in sorted(letters)]
        for documents in (once, again):
            _record(IncidentBook(documents), number, *found)
        for earlier in data.draw(st.lists(st.integers(0, number), max_size=3)):
            known = [BY_LETTER[letter] for letter in sorted(days[earlier])]
            _record(IncidentBook(again), earlier, *known)
    assert _all(again) == _all(once)


@given(st.lists(st.sets(st.sampled_from("lns")), min_size=1, max_size=8))
def test_a_cause_has_at_most_one_incident_that_is_not_closed(days: list[set[str]]) -> None:
    """However causes come and go; and every finding of the last day belongs to one."""
    book = IncidentBook(FakeDocuments())
    for number, letters in enumerate(days):
        _record(book, number, *(BY_LETTER[letter] for letter in sorted(letters)))
        causes = [one.cause for one in book.unresolved(MODEL)]
        assert len(causes) == len(set(causes))
        assert {BY_LETTER[letter].cause or BY_LETTER[letter].kind for letter in letters} <= set(causes)


def test_what_failed_between_two_writes_is_finished_by_the_next_try() -> None:
    """A check that stopped after one of two incidents opens the other when it is tried again, and only that one."""

    class Stopping(FakeDocuments):
        swaps = 0

        def swap(self, partition: str, sort: str, document: Any, revision: int) -> None:
            self.swaps += 1
            if self.swaps == 2:
                raise Conflict("another writer")
            super().swap(partition, sort, document, revision)

    documents = Stopping()
    with pytest.raises(Conflict):
        _record(IncidentBook(documents), 1, LOSS, SILENT)
    assert len(_all(documents)) == 1
    assert len(_record(IncidentBook(documents), 1, LOSS, SILENT)) == 2


def test_another_writer_between_read_and_write_loses_nothing() -> None:
    """A person acknowledges while a check goes on: both changes stand."""

    class Racing(FakeDocuments):
        race = False

        def swap(self, partition: str, sort: str, document: Any, revision: int) -> None:
            if self.race:
                self.race = False
                IncidentBook(self).acknowledge(opened.id, "ann", "I look", 5 * DAY)
            super().swap(partition, sort, document, revision)

    documents = Racing()
    (opened,) = _record(IncidentBook(documents), 1, LOSS)
    documents.race = True
    (found,) = _record(IncidentBook(documents), 2, LOSS)
    assert (found.state, found.updated) == ("acknowledged", "1970-01-03")
    assert [entry.event for entry in found.story] == ["opened", "acknowledged", "finding"]


def test_a_person_acknowledges_and_closes_with_a_reason() -> None:
    """Both stand in the story once; a closed one cannot be acknowledged, and the same day does not open it again."""
    book = IncidentBook(FakeDocuments())
    (opened,) = _record(book, 1, LOSS)
    with pytest.raises(InvalidInput, match="why"):
        book.acknowledge(opened.id, "ann", " ", 0)
    for _ in range(2):
        book.acknowledge(opened.id, "ann", "I look into it", 2 * DAY)
    assert [one.state for one in book.unresolved(MODEL)] == ["acknowledged"]
    closed = book.close(opened.id, "ann", "a new tariff", 2 * DAY)
    assert [entry.sentence for entry in closed.story[1:]] == ["ann: I look into it", "ann: a new tariff"]
    with pytest.raises(InvalidInput, match="closed"):
        book.acknowledge(opened.id, "bob", "late", 3 * DAY)
    assert opened_on(_record(book, 1, LOSS), "1970-01-02") == []
    assert [one.opened for one in _record(book, 2, LOSS) if not one.is_closed] == ["1970-01-03"]
    with pytest.raises(NotFound):
        book.close("late_parcel-1970-01-01-loss", "ann", "there is none", 0)


def test_only_what_a_day_opened_rings() -> None:
    """An incident that goes on does not ring again, and one that is acknowledged does not ring at all."""
    book = IncidentBook(FakeDocuments())
    first = _record(book, 1, LOSS)
    assert [one.id for one in opened_on(first, "1970-01-02")] == ["late_parcel-1970-01-02-loss"]
    assert opened_on(_record(book, 2, LOSS), "1970-01-03") == []
    book.acknowledge(first[0].id, "ann", "I look", 3 * DAY)
    assert opened_on(_record(book, 1, LOSS), "1970-01-02") == []


def test_a_link_is_added_once() -> None:
    """A task that is tried again tells its line once."""
    book = IncidentBook(FakeDocuments())
    (opened,) = _record(book, 1, LOSS)
    entry = StoryEntry("1970-01-03T00:00:00Z", "training", "a training was started", "arn")
    assert book.link(opened.id, entry) == book.link(opened.id, entry)
    assert book.get(opened.id).story[-1] == entry


def test_a_long_story_keeps_its_beginning_and_its_decisions() -> None:
    """A year of daily findings does not outgrow a document."""
    book, now = IncidentBook(FakeDocuments()), 0
    (opened,) = _record(book, 0, LOSS)
    entry = StoryEntry("1970-01-02T00:00:00Z", "training", "a training was started", "arn")
    book.link(opened.id, entry)
    for now in range(1, 366):
        _record(book, now, replace(LOSS, sentence=f"log loss on day {now}"))
    story = book.get(opened.id).story
    assert len(story) == 200
    assert (story[0].event, story[1], story[-1].sentence) == ("opened", entry, f"log loss on day {now}")


def test_the_message_says_what_to_do() -> None:
    """People read the finding, the effect, and the commands, not an alarm's JSON."""
    (opened,) = _record(IncidentBook(FakeDocuments()), 1, LOSS)
    subject, text = notice_of(opened)
    assert subject == "Smallbox: incident late_parcel-1970-01-02-loss"
    assert text.startswith("log loss is 0.9; to do: retrain\n")
    assert "Expected rise of the mean loss: 0.2" in text
    assert "smallbox incidents acknowledge late_parcel-1970-01-02-loss --why TEXT" in text


@pytest.mark.parametrize(
    ("kind", "name", "value", "found"),
    [
        ("data", "volume:parcels", 1.0, ("source_silent", "parcels", "mend the source", "parcels")),
        ("data", "volume:parcels", 9.0, ("source_flooded", "parcels", "mend the source", "parcels")),
        ("data", "freshness_hours:parcels", 9.0, ("source_stale", "parcels", "mend the source", "parcels")),
        ("data", "quarantined:parcels", 9.0, ("records_rejected", "parcels", "mend the source", "parcels")),
        ("features", "skew:weight", 9.0, ("feature_skew", "weight", "mend the system", "")),
        ("features", "batch:skew:weight", 9.0, ("feature_skew", "weight", "mend the system", "")),
        ("features", "sent:weight", 9.0, ("request_skew", "weight", "mend the caller", "")),
        ("features", "lead_hours", 9.0, ("request_skew", "lead_hours", "mend the caller", "")),
        ("features", "off_time", 9.0, ("request_skew", "off_time", "mend the caller", "")),
        ("predictions", "degraded:states", 9.0, ("fallbacks", "states", "mend the system", "")),
        ("features", "lost:version_2", 9.0, ("lost_definition", "version_2", "mend the system", "")),
        ("predictions", "fallback", 9.0, ("fallbacks", "fallback", "mend the system", "")),
        ("predictions", "degraded:store", 9.0, ("fallbacks", "store", "mend the system", "")),
        ("accuracy", "loss", 9.0, ("loss", "loss", "retrain", "change")),
        ("accuracy", "batch:auc", 9.0, ("guardrail", "auc", "retrain", "change")),
        ("accuracy", "coverage", 9.0, ("label_coverage", "coverage", "mend the source", "")),
    ],
)
def test_a_breached_check_is_a_finding(kind: Any, name: str, value: float, found: tuple[str, ...]) -> None:
    """Its name says the kind, the subject and the remedy; one that is not breached is nothing."""
    check = Check(kind, name, value, 5.0, breached=True, rows=900)
    (finding,) = findings_of([check, replace(check, breached=False)], "1970-01-02")
    assert (finding.kind, finding.subject, finding.remedy, finding.cause) == found
    assert (finding.severity, finding.sentence) == ("incident", check.sentence)
