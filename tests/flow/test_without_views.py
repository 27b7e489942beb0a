"""Proves that a model without views lives as any other: it trains, serves, is checked, and is shown to people."""

import io
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from smallbox.cli import status
from smallbox.cli import tables as people
from smallbox.cli.output import Block, write
from smallbox.console.browse import BrowseTask
from smallbox.define.project import project_of
from smallbox.registry.live_sources import LiveSources
from smallbox.times import DAY, HOUR, format_moment, to_datetime
from tests.fakes.small import deliveries, late_parcel, parcels
from tests.fakes.world import World

START = 15_000 * DAY


def _frames(rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parcels half an hour apart, and their deliveries two hours later: heavy ones are late."""
    random = np.random.default_rng(0)
    weight = random.normal(size=rows)
    sent_at = [to_datetime(START + n * HOUR // 2) for n in range(rows)]
    ids = [f"p{n}" for n in range(rows)]
    sent = pd.DataFrame({"parcel_id": ids, "sent_at": sent_at, "depot": "d", "weight": weight})
    late = random.random(rows) < 1 / (1 + np.exp(-3 * weight))
    arrived = [at + pd.Timedelta(hours=2) for at in sent_at]
    outcome = {"parcel_id": ids, "delivered_at": arrived, "depot": "d", "delay": 0.0, "late": late}
    return sent, pd.DataFrame(outcome)


def test_a_model_without_views_goes_round_the_loop() -> None:
    """With ``views`` left out, it predicts from what the caller sends alone."""
    model = replace(late_parcel, views=())
    world = World(project_of([model], [parcels, deliveries]))
    midnight = START + 30 * DAY
    sent, delivered = _frames(30 * 48)
    world.drop("parcels", sent, midnight)
    world.drop("deliveries", delivered, midnight)
    training = world.train(model.name, midnight)
    assert training["accepted"], training["verdict"]["why"]
    asked = {"parcel_id": "new", "sent_at": format_moment(midnight), "weight": 2.0, "depot": "d"}
    (heavy,) = world.predict(model.name, [asked], midnight, "a")
    (light,) = world.predict(model.name, [{**asked, "parcel_id": "other", "weight": -2.0}], midnight, "b")
    assert heavy["score"] > 0.5 > light["score"]
    closed = world.close_day(model.name, midnight + DAY)
    assert closed["feedback"]["labelled"] == 0
    live = LiveSources(world.documents)
    browser = BrowseTask(world.project, world.registry, world.contracts, live, world.metrics)
    report = browser.metrics(model.name, closed["day"])
    versions = {**browser.versions(model.name), **browser.history(model.name)}
    standing = {**browser.status(), "queues": {}, "dead_letters": {"events": 0}}
    assert "late_parcel version 1: accepted" in _read(people.training(training))
    assert "training: " in _read(people.day_blocks(closed))
    assert "volume:parcels" in _read(people.report(report))
    assert "champion" in _read(people.models(versions))
    assert "1, since 2011-02-25 00:00" in _read(status.status_blocks(standing))


def _read(blocks: Iterable[Block]) -> str:
    """What the command prints of a document."""
    stream = io.StringIO()
    write(blocks, stream)
    return stream.getvalue()
