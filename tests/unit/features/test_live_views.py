"""Proves how views join, become ready, leave, are dropped and join again, and that no change by others is lost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import FeatureView, count, mean
from smallbox.define.attributes import View
from smallbox.define.project import Project
from smallbox.errors import Conflict, NotReady, TooLarge
from smallbox.features.live_views import (
    GRACE,
    MAX_DOCUMENT_BYTES,
    MAX_VIEWS_OF_SOURCE,
    LiveViews,
    LiveViewStore,
    check_ready,
    id_of,
)
from smallbox.features.online.apply import apply_records
from smallbox.features.stream import StreamTask
from smallbox.ports import Documents
from smallbox.records import Record, Value
from smallbox.registry.live_sources import LIVE_KEY, LIVE_PARTITION
from smallbox.times import HOUR, Micros
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeQueue
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import deliveries

short = FeatureView("depot", "depot", deliveries, {"n": count("3h")})
longer = FeatureView("depot", "depot", deliveries, {"n": count("10h")})
other = FeatureView("other", "depot", deliveries, {"m": count("3h")})
Needs = Mapping[str, Sequence[View]]


def refresh(documents: Documents, now: Micros, *views: View) -> LiveViews:
    """A process lets these views join, and all others leave."""
    return LiveViewStore(documents).refresh(lambda: {"definition": views}, now)


def publish(documents: Documents, live: LiveViews) -> LiveViews:
    """A process makes ready what was filling."""
    return LiveViewStore(documents).publish([(id_of(one.view), one.since) for one in live.filling()])


def test_a_view_joins_becomes_ready_leaves_is_dropped_and_joins_again() -> None:
    """The whole life of a view; the second time it is another one."""
    documents = FakeDocuments()
    joined = refresh(documents, 0, short)
    assert joined.not_ready([short]) == ["depot"]
    assert publish(documents, joined).not_ready([short]) == []
    leaving = refresh(documents, HOUR, other)
    assert leaving.by_id[id_of(short)].leaving_since == HOUR
    assert leaving.not_ready([short]) == [], "it is kept, and may be read"
    assert len(leaving.of_source("deliveries")) == 2
    assert id_of(short) in refresh(documents, HOUR + GRACE, other).by_id
    assert id_of(short) not in refresh(documents, HOUR + GRACE + 1, other).by_id
    again = refresh(documents, 9 * HOUR, short, other)
    assert again.not_ready([short]) == ["depot"]
    assert again.by_id[id_of(short)].since > joined.by_id[id_of(short)].since


def test_a_view_that_is_needed_again_in_time_never_left() -> None:
    """It stays ready, and live since the same revision."""
    documents = FakeDocuments()
    ready = publish(documents, refresh(documents, 0, short)).by_id[id_of(short)]
    refresh(documents, HOUR)
    back = refresh(documents, HOUR + GRACE, short).by_id[id_of(short)]
    assert (back.is_ready, back.since, back.leaving_since) == (True, ready.since, None)


def test_a_refresh_that_changes_nothing_writes_nothing() -> None:
    """Neither with views that stay nor with views that are still leaving."""
    documents = FakeDocuments()
    refresh(documents, 0, short, other)
    before = refresh(documents, HOUR, other).revision
    assert refresh(documents, HOUR + GRACE, other).revision == before
    assert publish(documents, LiveViews()).revision == before


def test_a_view_says_who_needs_it() -> None:
    """All of them, once each; nobody while it is leaving; two versions of a view are two views."""
    store = LiveViewStore(FakeDocuments())
    needs: Needs = {"definition": [longer, other], "late version 1": [short, other], "late version 2": [longer]}
    live = store.refresh(lambda: needs, 0).by_id
    assert {id_: one.needed_by for id_, one in live.items()} == {
        id_of(longer): ("definition", "late version 2"),
        id_of(other): ("definition", "late version 1"),
        id_of(short): ("late version 1",),
    }
    assert store.refresh(lambda: {"definition": [longer]}, 0).by_id[id_of(short)].needed_by == ()


def test_views_leave_and_join_one_by_one() -> None:
    """A view that stays keeps its revision and its readiness, whatever others do."""
    documents = FakeDocuments()
    kept = publish(documents, refresh(documents, 0, short)).by_id[id_of(short)]
    for now, views in enumerate([(longer,), (), (longer, other), (other,)]):
        live = refresh(documents, now * 2 * HOUR, short, *views)
        assert (live.by_id[id_of(short)].since, live.by_id[id_of(short)].is_ready) == (kept.since, True)
        assert all(id_of(view) in live.by_id for view in views)


def test_only_what_was_planned_becomes_ready() -> None:
    """Not a view that joined later, one that left and joined again, or one that is gone; a leaving one may be."""
    documents = FakeDocuments()
    planned = refresh(documents, 0, short, other)
    refresh(documents, HOUR, longer, other)
    assert publish(documents, planned).not_ready([short, longer, other]) == ["depot"]
    refresh(documents, 3 * HOUR, other)
    assert id_of(short) not in publish(documents, planned).by_id
    refresh(documents, 3 * HOUR, short, other)
    assert publish(documents, planned).not_ready([short, other]) == ["depot"]


class _Interrupted(FakeDocuments):
    """Another process changes the document just before each of the next writes."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], object]] = []
        self._is_interrupted = False

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        if self.meanwhile and not self._is_interrupted:
            self._is_interrupted = True
            self.meanwhile.pop(0)()
            self._is_interrupted = False
        super().swap(partition, sort, document, revision)


def test_a_stale_refresh_drops_nothing_that_is_needed() -> None:
    """It had read what was needed before; the view became needed; it is told, and asks again."""
    documents = _Interrupted()
    publish(documents, refresh(documents, 0, short, other))
    refresh(documents, 0, other)
    needs: dict[str, Sequence[View]] = {"definition": [other]}

    def needed_again() -> None:
        needs["late version 1"] = [short]
        LiveViewStore(documents).refresh(lambda: needs, 5 * HOUR)

    documents.meanwhile.append(needed_again)
    live = LiveViewStore(documents).refresh(lambda: dict(needs), 5 * HOUR)
    assert not documents.meanwhile
    one = live.by_id[id_of(short)]
    assert (one.needed_by, one.leaving_since) == (("late version 1",), None)


def test_concurrent_changes_are_all_made() -> None:
    """A refresh that meets a publication, and a publication that meets a refresh, are tried again."""
    documents = _Interrupted()
    joined = refresh(documents, 0, short)
    documents.meanwhile.append(lambda: publish(documents, joined))
    assert refresh(documents, 0, short, other).not_ready([short, other]) == ["other"]
    filling = refresh(documents, 0, short, other)
    documents.meanwhile.append(lambda: refresh(documents, 0, short, other, longer))
    assert publish(documents, filling).not_ready([short, other, longer]) == ["depot"]


def test_contention_without_end_is_a_conflict() -> None:
    """It is raised after some attempts, and nothing of this change is there."""
    documents = _Interrupted()
    refresh(documents, 0, longer)
    others = [[short], [short, longer]] * 20
    documents.meanwhile += [lambda views=views: refresh(documents, 0, *views) for views in others]  # type: ignore[misc]
    with pytest.raises(Conflict, match="changed by others"):
        refresh(documents, 0, short, other, longer)
    assert id_of(other) not in LiveViewStore(documents).read().by_id


def test_a_process_keeps_its_view_objects() -> None:
    """What is remembered of a view, by the object, is not lost when others join or leave, or when it becomes ready."""
    documents = FakeDocuments()
    store = LiveViewStore(documents)
    first = store.refresh(lambda: {"definition": [short, other]}, 0)
    (seen,) = [view for view in first.of_source("deliveries") if view.name == "depot"]
    publish(documents, first)
    for views in ([short], [short, longer, other], [short, longer]):
        live = LiveViewStore(documents)
        live.refresh(lambda views=views: {"definition": views}, 9 * HOUR)  # type: ignore[misc]
        now = store.read()
        assert now.by_id[id_of(short)].view is seen
        assert now is store.read(), "one revision is thawed once"


def _written_by_another_release(documents: FakeDocuments, view: View) -> None:
    """As if states of this view were packed otherwise by the release that wrote the document."""
    document = documents.get(LIVE_PARTITION, LIVE_KEY)
    assert document is not None
    views = [{**one, "version": "other"} if one["view"]["name"] == view.name else one for one in document["views"]]
    documents.swap(LIVE_PARTITION, LIVE_KEY, {"views": views}, document["revision"])


def test_a_view_of_another_release_joins_again() -> None:
    """Its states cannot be read, and cannot be kept: the next refresh replaces it, and it is filled."""
    documents = FakeDocuments()
    before = publish(documents, refresh(documents, 0, short, other))
    _written_by_another_release(documents, short)
    live = LiveViewStore(documents).read()
    assert live.not_ready([short, other]) == ["depot"]
    with pytest.raises(NotReady, match="depot: another release"):
        publish(documents, before)
    after = refresh(documents, 0, short, other)
    assert [one.view.name for one in after.filling()] == ["depot"]
    assert after.by_id[id_of(short)].since > before.by_id[id_of(short)].since
    document = documents.get(LIVE_PARTITION, LIVE_KEY)
    assert document is not None
    assert sorted(one["version"] for one in document["views"]) == sorted(version for _, version in after.by_id)


def test_a_view_of_another_release_is_gone_when_nothing_needs_it() -> None:
    """Nobody can keep it for an hour, so the other release, should it return, must not find it ready."""
    documents = FakeDocuments()
    publish(documents, refresh(documents, 0, short, other))
    _written_by_another_release(documents, short)
    assert not refresh(documents, 0, other).unknown
    assert refresh(documents, 0, other).of_source("deliveries")


def test_a_worker_waits_while_another_release_keeps_the_states() -> None:
    """Else it marked a record that the other release's states lack; its message stays in the queue."""
    documents, store = FakeDocuments(), FakeOnlineStore()
    publish(documents, refresh(documents, 0, short))
    _written_by_another_release(documents, short)
    project = Project({"deliveries": deliveries}, {}, {})
    task = StreamTask(project, LiveViewStore(documents), store, FakeQueue(), FakeQueue(), lambda _: None)
    with pytest.raises(NotReady, match="another release"):
        task.apply([{"source": "deliveries", "records": []}], 0)
    assert not store.marked


def test_whoever_routes_wants_a_view_that_stays() -> None:
    """A view that is about to be dropped may be read, and no request may be routed to it any more."""
    documents = FakeDocuments()
    publish(documents, refresh(documents, 0, short))
    live = refresh(documents, 0)
    check_ready(live, [short])
    assert live.not_kept([short], GRACE // 2) == []
    assert live.not_kept([short, other], GRACE // 2 + 1) == ["depot", "other"]
    with pytest.raises(NotReady, match="the history of other is not computed yet"):
        check_ready(live, [short, other])


def _of_ten_features(number: int) -> FeatureView:
    source = replace(deliveries, name=f"source_{number % 40}")
    features = {f"feature_{n}_{number}": mean("delay", f"{n + 1}h") for n in range(10)}
    return FeatureView(f"view_{number}", "depot", source, features)


def test_a_big_project_fits_into_the_document_and_a_bigger_one_is_refused() -> None:
    """Two hundred views of ten features have room; what has none is refused before anything is written."""
    documents = FakeDocuments()
    many = [_of_ten_features(n) for n in range(600)]
    live = refresh(documents, 0, *many[:200])
    assert len(live.by_id) == 200
    limit = MAX_DOCUMENT_BYTES // 1000
    with pytest.raises(TooLarge, match=rf"600 live views need \d+ KB, and their document holds {limit} KB"):
        refresh(documents, 0, *many)
    assert LiveViewStore(documents).read().revision == live.revision


def test_a_record_changes_no_more_views_than_a_transaction_holds() -> None:
    """A source with as many live views as fit beside a marker is fine; one more is refused, and said so."""
    documents, store = FakeDocuments(), FakeOnlineStore()
    views = [FeatureView(f"v{n}", "depot", deliveries, {f"n{n}": count("3h")}) for n in range(MAX_VIEWS_OF_SOURCE + 1)]
    live = refresh(documents, 0, *views[:-1])
    values: dict[str, Value] = {"depot": "north", "delay": 1.0, "late": False, "delivered_at": 0, "parcel_id": "k"}
    record = Record("deliveries", "k", 0, 0, 0, values)
    apply_records(deliveries, live.of_source("deliveries"), [record], store, now=0, pause=lambda _: None)
    assert len(store.states) == MAX_VIEWS_OF_SOURCE
    with pytest.raises(TooLarge, match=f"source deliveries would have {MAX_VIEWS_OF_SOURCE + 1} live views"):
        refresh(documents, 0, *views)
