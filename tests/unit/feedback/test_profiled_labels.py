"""Proves that outputs, labels and losses are profiled by the join, and restated with it."""

import numpy as np
import pytest

from smallbox.documents.daily_run import DayDocument
from smallbox.feedback.join import JoinTask
from smallbox.feedback.profiled_labels import LabelProfiles
from smallbox.lake.names import predictions_table, records_table
from smallbox.monitoring.stored_days import labelled_day_profiles
from smallbox.profiles.profile import Profile
from smallbox.profiles.store import ProfileStore
from smallbox.registry.routing import first_champion
from smallbox.registry.store import Registry
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.lake import FakeLake
from tests.fakes.references import add_version_with_reference
from tests.unit.feedback.test_join_task import MODEL, PROJECT, Asked, log_of, records_of


def test_labels_and_losses_of_a_day_are_those_of_the_newest_join() -> None:
    """Pending rows are not counted; a label that comes a day later is, once, whatever joins ran before."""
    lake, blobs, registry = FakeLake(), FakeBlobs(), Registry(FakeDocuments())
    add_version_with_reference(registry, blobs)
    registry.route(MODEL, first_champion(1, 0))
    log = log_of([Asked("a", 1, 20), Asked("b", 2, 22), Asked("c", 2, 23)])
    channel = log.column_names.index("channel")
    lake.append(predictions_table(MODEL), log.set_column(channel, "channel", [["online"] * 3]))
    lake.append(records_table(PROJECT.sources["deliveries"]), records_of([("a", 21, True), ("b", 30, False)]))
    task = JoinTask(PROJECT, lake, registry, FakeDocuments(), LabelProfiles(registry, blobs))

    def joined(day: int) -> Profile:
        task.run({"model": MODEL, "as_of": format_moment(day * DAY)}, 9 * DAY)
        return labelled_day_profiles(ProfileStore(blobs), MODEL, 1, "online", [0])[0]

    assert joined(1).rows == 1
    for _ in range(2):
        both = joined(2)
        assert (both.rows, both.column("label").mean) == (2, 0.5)
        assert abs(both.column("label.loss").mean - np.mean([-np.log(0.25), -np.log(0.75)])) < 1e-6
        assert both.column("score").mean == 0.25


def test_a_join_whose_profiles_could_not_be_written_is_whole_when_it_is_tried_again() -> None:
    """It finds no change in rows that were written, so its profiles are written before them."""
    lake, blobs, registry = FakeLake(), FakeBlobs(), Registry(FakeDocuments())
    add_version_with_reference(registry, blobs)
    registry.route(MODEL, first_champion(1, 0))
    log = log_of([Asked("a", 1, 20)])
    online = log.set_column(log.column_names.index("channel"), "channel", [["online"]])
    lake.append(predictions_table(MODEL), online)
    lake.append(records_table(PROJECT.sources["deliveries"]), records_of([("a", 21, True)]))

    class Failing(LabelProfiles):
        def replace(self, *_: object) -> None:
            raise ConnectionError

    document: DayDocument = {"model": MODEL, "as_of": format_moment(DAY)}
    with pytest.raises(ConnectionError):
        JoinTask(PROJECT, lake, registry, FakeDocuments(), Failing(registry, blobs)).run(document, 9 * DAY)
    JoinTask(PROJECT, lake, registry, FakeDocuments(), LabelProfiles(registry, blobs)).run(document, 9 * DAY)
    (part,) = ProfileStore(blobs).parts(f"labelled/{MODEL}/1")
    assert [one.rows for one in ProfileStore(blobs).between(part, 0, DAY).values()] == [1]
