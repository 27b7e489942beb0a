"""Proves of the drills' made-up world: faults begin on their day, and its quiet days vary beyond sampling noise."""

import numpy as np
import pandas as pd
import pytest

from smallbox.cli.drills import senders
from smallbox.cli.drills.definition import deliveries, orders, weather
from smallbox.cli.drills.table import DRILLS
from smallbox.cli.drills.town import QUIET, Conditions, records_of

SOURCES = {one.name: one for one in (orders, deliveries, weather)}


def test_a_day_is_the_same_every_time() -> None:
    """A day of the same conditions is equal to the bit, so a drill can be run again."""
    for name, rows in records_of(60).by_source.items():
        pd.testing.assert_frame_equal(rows, records_of(60).by_source[name])


@pytest.mark.parametrize("name", ["orders", "deliveries", "weather"])
def test_a_record_has_the_fields_of_its_contract(name: str) -> None:
    """What is sent has exactly the declared fields, beside the moment at which it is sent."""
    assert set(records_of(3).by_source[name].columns) - {"at"} == set(SOURCES[name].fields)


def test_days_vary_beyond_sampling_noise() -> None:
    """The mean log distance of a day moves more than its own standard error explains, and its volume has a weekday."""
    days = [records_of(day).orders for day in range(70)]
    means = np.array([np.log(one["distance"].dropna()).mean() for one in days])
    errors = np.array([np.log(one["distance"].dropna()).std() / np.sqrt(len(one)) for one in days])
    assert means.std() > 1.3 * np.sqrt((errors**2).mean())
    rows = np.array([len(one) for one in days])
    is_weekend = np.arange(70) % 7 >= 5
    assert 1.1 < rows[is_weekend].mean() / rows[~is_weekend].mean() < 1.4


def test_a_moved_prior_keeps_what_late_orders_are_like() -> None:
    """The odds of a late delivery are three times as high on as many orders; each class keeps its distances."""
    before, after = (
        [(day.orders.merge(day.deliveries, on="order_id")) for day in (records_of(n, c) for n in range(30))]
        for c in (QUIET, Conditions(late_kept=3.0))
    )
    quiet, moved = pd.concat(before), pd.concat(after)
    odds = [one["late"].mean() / (1 - one["late"].mean()) for one in (quiet, moved)]
    assert odds[1] / odds[0] == pytest.approx(3.0, rel=0.1)
    assert len(moved) == pytest.approx(len(quiet), rel=0.1)
    for label in (True, False):
        ours, theirs = (np.log(one.loc[one["late"] == label, "distance"].dropna()) for one in (quiet, moved))
        assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * ours.std() / np.sqrt(len(ours) / 4))


@pytest.mark.parametrize("name", [name for name, one in DRILLS.items() if one.sent is not senders.honest])
def test_a_sender_changes_something_and_not_the_truth(name: str) -> None:
    """A fault of a sender gives other records, and leaves those that it was given as they were."""
    day, untouched = records_of(61), records_of(61)
    sent = DRILLS[name].sent(day)
    pairs = [(sent.asked, day.asked), *((sent.by_source[one], day.by_source[one]) for one in day.by_source)]
    assert any(not ours.equals(theirs) for ours, theirs in pairs)
    for one in day.by_source:
        pd.testing.assert_frame_equal(day.by_source[one], untouched.by_source[one])
