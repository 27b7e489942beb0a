"""Proves which versions are kept able to answer: those that do, and those that could by one write."""

from collections.abc import Sequence

import pytest

from smallbox.registry.live_versions import live_versions, waiting
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.registry.version import Status
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import late_parcel
from tests.fakes.versions import add_version

NAME = late_parcel.name


def _registry(statuses: Sequence[Status], routing: Routing | None) -> Registry:
    registry = Registry(FakeDocuments())
    for status in statuses:
        add_version(registry, late_parcel, status=status)
    if routing is not None:
        registry.route(NAME, routing)
    return registry


@pytest.mark.parametrize(
    ("statuses", "routing", "live"),
    [
        ([], None, []),
        (["refused", "undecided"], None, []),
        (["registered"], None, [1]),
        (["champion"], Routing(1), [1]),
        (["champion", "registered", "registered"], Routing(1), [1, 3]),
        (["champion", "challenger"], Routing(1, challenger=2), [1, 2]),
        (["champion", "challenger", "registered"], Routing(1, challenger=2), [1, 2, 3]),
        (["retired", "champion"], Routing(2, previous=1), [2, 1]),
        (["champion", "rolled_back"], Routing(1, previous=2), [1, 2]),
        (["retired", "retired", "champion"], Routing(3, previous=2), [3, 2]),
        (["retired", "champion", "challenger", "registered"], Routing(2, challenger=3, previous=1), [2, 3, 1, 4]),
        (["champion", "refused", "undecided"], Routing(1), [1]),
        (["champion", "registered", "rolled_back"], Routing(1), [1]),
        (["champion", "registered", "refused"], Routing(1), [1, 2]),
        (["retired", "champion"], Routing(1), [1, 2]),
    ],
    ids=[
        "none", "never released", "first one waits", "champion", "only the newest waits", "challenger",
        "one waits behind a canary", "champion before", "rolled back", "champion before that one", "all four",
        "refused and undecided", "older than a rolled back one", "older than a refused one", "release failed halfway",
    ],
)  # fmt: skip
def test_live_are_champion_challenger_the_one_before_and_the_one_that_waits(
    statuses: list[Status], routing: Routing | None, live: list[int]
) -> None:
    """Each once, the champion first, and no others: neither refused, nor undecided, nor retired longer ago."""
    assert [version.number for version in live_versions(_registry(statuses, routing), NAME)] == live


def test_a_version_that_serves_does_not_wait() -> None:
    """The challenger is the newest accepted version, and is no longer to be released."""
    routing = Routing(1, challenger=2)
    assert waiting(_registry(["champion", "challenger"], routing), NAME, routing) is None
