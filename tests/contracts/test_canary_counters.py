"""Proves that every store of counters adds up what it is given, and keeps canaries and minutes apart."""

from smallbox.release_ports import CanaryCounters
from smallbox.times import DAY, MINUTE

NOW = 20_000 * DAY


def test_counters_of_a_minute_add_up(canary_counters: CanaryCounters) -> None:
    """Two additions to one minute are its sum; a counter that only one of them names keeps its value."""
    canary_counters.add("m", 2, NOW, {"challenger.asked.1": 3, "challenger.failed.1": 1})
    canary_counters.add("m", 2, NOW, {"challenger.asked.1": 4, "champion.asked.30": 1})
    expected = {"challenger.asked.1": 7, "challenger.failed.1": 1, "champion.asked.30": 1}
    assert canary_counters.read("m", 2, 0) == [expected]


def test_minutes_are_read_in_order_from_a_moment_on(canary_counters: CanaryCounters) -> None:
    """Whatever the order in which they were counted; the first minute read begins at the moment or later."""
    for minute in (3, 0, 12, 1):
        canary_counters.add("m", 2, NOW + minute * MINUTE, {"n": minute + 1})
    assert canary_counters.read("m", 2, NOW + 1) == [{"n": 2}, {"n": 4}, {"n": 13}]


def test_other_canaries_have_counters_of_their_own(canary_counters: CanaryCounters) -> None:
    """Neither those of another challenger nor those of another model are read."""
    canary_counters.add("m", 2, NOW, {"n": 1})
    assert canary_counters.read("m", 22, 0) == canary_counters.read("mm", 2, 0) == []


def test_a_busy_minute_has_many_counters(canary_counters: CanaryCounters) -> None:
    """Hundreds of counters are added at once."""
    many = {f"challenger.asked.{at}": at + 1 for at in range(450)}
    canary_counters.add("m", 2, NOW, many)
    assert canary_counters.read("m", 2, NOW) == [many]
