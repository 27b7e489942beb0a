"""Proves that a program which does what the page on calling the API says is understood, and when to look for it."""

import pyarrow.compute as pc
import pytest

from smallbox.cli.local import url_by_path
from smallbox.cli.replay.evidence import lake_of
from smallbox.cli.wait import wait
from smallbox.errors import Unavailable
from tests.deployed.conftest import Deployed
from tests.fakes.pages import calling_example

pytestmark = pytest.mark.deployed


def test_the_example_of_the_page_works(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its event is accepted and, when ``smallbox wait`` returns, in the lake; its flight is predicted."""
    monkeypatch.setenv("SMALLBOX_API", url_by_path(deployed.system.stack))
    for name, value in deployed.system.stack.environment().items():
        monkeypatch.setenv(name, value)
    names = calling_example()
    assert names["sent"] == {"accepted": 1, "rejected": []}
    (prediction,) = names["predicted"]["predictions"]
    assert set(prediction) == {"id", "score", "version", "arm", "missing", "prediction_id"}
    assert prediction["arm"] == "champion"
    assert wait(deployed.system, 60)["dead_letters"] == 0
    keys = lake_of(deployed.system).read("records/departures", ["key"])["key"]  # type: ignore[index]
    assert pc.any(pc.equal(keys, names["flight"]["flight_id"])).as_py()


def test_waiting_ends_when_the_time_is_over(deployed: Deployed) -> None:
    """A message that is not worked off in time is an error that names its queue."""
    sqs, url = deployed.system.client("sqs"), deployed.system.outputs["EventsDeadQueue"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    with pytest.raises(Unavailable, match="EventsDeadQueue did not drain within 0 s"):
        deployed.system.drain(["EventsDeadQueue"], 0.1)
    sqs.purge_queue(QueueUrl=url)
    assert deployed.system.dead_letters() == 0
