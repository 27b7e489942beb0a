"""Proves on the deployed stack that functions write profiles and look at freshness with their own grants."""

import pyarrow.compute as pc
import pytest

from smallbox.aws.blobs import S3Blobs
from smallbox.cli.demo import MODEL
from smallbox.cli.drills.stack_damage import look_at_freshness
from smallbox.cli.replay.evidence import lake_of
from smallbox.errors import Conflict
from smallbox.lake.names import predictions_table
from smallbox.monitoring.stored_days import day_profiles, labelled_day_profiles, source_day_profiles
from smallbox.ports import Between
from smallbox.profiles.store import ProfileStore
from smallbox.times import DAY, HOUR, day_of
from tests.deployed.conftest import START, Deployed

pytestmark = pytest.mark.deployed


def test_a_live_day_leaves_its_profiles(deployed: Deployed) -> None:
    """What a champion answered that day is profiled row by row, before and after the upkeep gathers it.

    So are the records that came, and the labels that settled.
    """
    begin, system = deployed.known_until, deployed.system
    champion = system.champion(MODEL)
    assert champion is not None
    assert deployed.live(begin, 1).counts.predictions > 0
    store = ProfileStore(S3Blobs(system.outputs["LakeBucket"], system.client("s3")))
    columns = ["id", "version", "channel"]
    rows = lake_of(system).read(predictions_table(MODEL), columns, Between("time", begin, begin + DAY))
    assert rows is not None
    own = rows.filter(pc.and_(pc.equal(rows["version"], champion), pc.equal(rows["channel"], "online")))
    for _ in range(2):
        (day,) = day_profiles(store, MODEL, champion, "online", [begin]).values()
        assert day.rows == pc.count_distinct(own["id"]).as_py() > 0
        system.upkeep()
    days = [begin - n * DAY for n in range(7)]
    assert source_day_profiles(store, "departures", days)
    assert source_day_profiles(store, "arrivals", [START - 3 * DAY]), "those of the dropped history"
    assert labelled_day_profiles(store, MODEL, champion, "online", days)


def test_the_hourly_look_opens_the_incident_of_a_stale_source(deployed: Deployed) -> None:
    """As of an hour at which the weather is older than it may be: told before the day is over, and once."""
    system, now = deployed.system, deployed.known_until
    assert look_at_freshness(system, now)[MODEL] == []
    for hours in (10, 11):
        (sentence,) = look_at_freshness(system, now + hours * HOUR)[MODEL]
        assert "freshness_hours:weather" in sentence
    listed = system.request("GET", f"/models/{MODEL}/incidents")["incidents"]
    (found,) = [one for one in listed if one["kind"] == "source_stale"]
    system.change_incident({"incident": found["id"], "action": "close", "why": "it was for a test", "by": "a test"})
    assert (found["cause"], found["state"], found["opened"]) == ("weather", "open", day_of(now))


def test_the_first_of_two_writers_of_an_object_wins(deployed: Deployed) -> None:
    """The condition is that of the store itself, so whoever comes second is told, and overwrites nothing."""
    blobs = S3Blobs(deployed.system.outputs["LakeBucket"], deployed.system.client("s3"))
    key = "profiles/predictions/nobody/1/layout"
    blobs.put_new(key, b"first")
    try:
        with pytest.raises(Conflict):
            blobs.put_new(key, b"second")
        assert blobs.get(key) == b"first"
    finally:
        blobs.delete(key)
