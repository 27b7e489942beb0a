"""Proves that the live views keep their law on every document store: the first of two writers wins, all reads agree."""

import json

import pytest

from smallbox.define import FeatureView, count, mean
from smallbox.errors import TooLarge
from smallbox.features.live_views import GRACE, MAX_DOCUMENT_BYTES, LiveView, LiveViewStore, id_of
from smallbox.ports import Documents
from tests.fakes.small import deliveries

short = FeatureView("depot", "depot", deliveries, {"n": count("3h"), "mean": mean("delay", "10h")})
longer = FeatureView("depot", "depot", deliveries, {"n": count("10h")})


def test_no_views_are_live_at_first(documents: Documents) -> None:
    """Before the first refresh there is no document, and nothing can be read."""
    live = LiveViewStore(documents).read()
    assert (live.revision, live.of_source("deliveries"), live.not_ready([short])) == (0, (), ["depot"])


def test_all_processes_read_the_same(documents: Documents) -> None:
    """A view joins, is filled, leaves and is dropped; another process sees each step as soon as it is written."""
    one, other = LiveViewStore(documents), LiveViewStore(documents)
    joined = one.refresh(lambda: {"definition": [short], "late version 1": [longer]}, 0)
    assert other.read().revision == joined.revision
    assert other.read().not_ready([short, longer]) == ["depot", "depot"]
    one.publish([(id_of(short), joined.by_id[id_of(short)].since)])
    assert other.read().not_ready([short, longer]) == ["depot"]
    assert [type(view) for view in other.read().of_source("deliveries")] == [FeatureView, FeatureView]
    other.refresh(lambda: {"definition": [longer]}, 1)
    assert one.read().by_id[id_of(short)].leaving_since == 1
    other.refresh(lambda: {"definition": [longer]}, GRACE + 2)
    assert set(one.read().by_id) == {id_of(longer)}


def test_of_two_changes_at_once_both_are_made(documents: Documents) -> None:
    """A refresh that meets another one reads again, also where there is no document yet."""
    store, asked = LiveViewStore(documents), []

    def needs() -> dict[str, list[FeatureView]]:
        asked.append(1)
        if len(asked) == 1:
            LiveViewStore(documents).refresh(lambda: {"definition": [longer]}, 0)
        return {"definition": [short, longer]}

    live = store.refresh(needs, 0)
    assert len(asked) == 2
    assert [live.by_id[id_of(view)].since for view in (longer, short)] == [1, 2]


def test_the_largest_document_is_stored(documents: Documents) -> None:
    """What is not refused has room in an item."""
    features = {f"feature_{n}": mean("delay", f"{n + 1}h") for n in range(40)}
    views = [FeatureView(f"view_{number}", "depot", deliveries, features) for number in range(10, 99)]
    size = len(json.dumps(LiveView(views[0], 1, is_ready=False, needed_by=("definition",)).as_json()))
    room = MAX_DOCUMENT_BYTES // (size + 2)
    store = LiveViewStore(documents)
    with pytest.raises(TooLarge, match="live views need"):
        store.refresh(lambda: {"definition": views[: room + 1]}, 0)
    store.refresh(lambda: {"definition": views[:room]}, 0)
    assert len(LiveViewStore(documents).read().by_id) == room
    assert size * room > MAX_DOCUMENT_BYTES * 0.95
