"""Proves that the breaker opens for a stalled stream and for a rate that jumps, and stays closed in quiet years."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from smallbox.feedback.label_breaker import MIN_BREAKER_DAYS, RELEARNT_AFTER, LabelDay, label_breaker
from smallbox.labels.stored import BreakerDocument
from smallbox.times import DAY, day_of, parse_day

START = parse_day("2013-01-01")


def quiet(seed: int, days: int, *, volume: float = 0.15, rate: float = 0.3, weekly: float = 0.3) -> list[LabelDay]:
    """Days whose number of labels and rate vary beyond sampling, with fewer labels at weekends, and a heavy tail."""
    random, found = np.random.default_rng(seed), []
    for at in range(days):
        slow = np.exp(volume * random.standard_t(5) - weekly * (at % 7 >= 5))
        known = int(random.poisson(200 * slow))
        log_odds = np.log(0.25 / 0.75) + rate * random.standard_t(5)
        share = random.binomial(known, 1 / (1 + np.exp(-log_odds))) / known if known else None
        deviation = 0.0 if share is None else float(np.sqrt(share * (1 - share)))
        found.append(LabelDay(day_of(START + at * DAY), known, 200.0, share, deviation, is_share=True))
    return found


def watched(days: Sequence[LabelDay]) -> list[BreakerDocument]:
    """The states, each day judged by the days before it as they were judged."""
    past, states = list[LabelDay](), list[BreakerDocument]()
    for one in days:
        state = label_breaker(past, one)
        states.append(state)
        past.append(replace(one, found=tuple(trip["kind"] for trip in state["trips"])))
    return states


def test_quiet_years_open_it_at_most_every_few_years() -> None:
    """12 years of days that differ, with weekends and heavy tails: at most one day in two years opens it."""
    opened = sum(state["open"] for seed in range(12) for state in watched(quiet(seed, 365)))
    assert opened <= 6


@pytest.mark.parametrize("known", [0, 10])
def test_a_stalled_stream_opens_it_and_stays_no_normal(known: int) -> None:
    """On its first day, for as long as it lasts, and it closes when the labels are back."""
    days = quiet(1, 60)
    stalled = [replace(one, known=known, mean=None) for one in days[40:55]]
    states = watched([*days[:40], *stalled, *days[55:]])
    assert not any(state["open"] for state in states[:40])
    assert all(state["open"] for state in states[40:55])
    assert not any(state["open"] for state in states[55:])
    assert states[40]["trips"][0]["kind"] == "labels_stalled"
    assert f"{known} labels became known on 2013-02-10" in states[40]["why"]


def test_few_predictions_are_no_stall() -> None:
    """Fewer labels because fewer predictions were made: what was due fell with them."""
    days = quiet(1, 41)
    assert not watched([*days[:40], replace(days[40], known=50, expected=50.0)])[-1]["open"]


@pytest.mark.parametrize("rate", [0.0, 0.95])
def test_a_rate_that_jumps_opens_it_until_it_is_the_new_normal(rate: float) -> None:
    """Nothing happens any more, or everything does: it opens at once, and a lasting change is learnt after a while."""
    days = quiet(5, 70, rate=0.1)
    jumped = [replace(one, known=200, mean=rate) for one in days[40:]]
    opened = [state["open"] for state in watched([*days[:40], *jumped])]
    assert not any(opened[:40])
    assert all(opened[40 : 40 + RELEARNT_AFTER])
    assert not any(opened[40 + RELEARNT_AFTER :])


def test_a_jump_of_numbers_is_judged_in_their_own_deviations() -> None:
    """Minutes that become seconds."""
    random = np.random.default_rng(4)
    days = [replace(d, mean=10 + random.normal(), deviation=8.0, is_share=False) for d in quiet(3, 40)]
    assert not any(state["open"] for state in watched(days))
    state = label_breaker(days, replace(days[0], day="2013-03-01", mean=600.0, deviation=480.0))
    assert [trip["kind"] for trip in state["trips"]] == ["labels_jumped"]


def test_without_history_it_does_not_judge_and_says_so() -> None:
    """Three of each weekday are needed."""
    states = watched(quiet(1, MIN_BREAKER_DAYS + 1))
    assert states[0]["why"] == "labels are not judged yet: 0 days of history of 21"
    assert states[-1]["why"] == ""
