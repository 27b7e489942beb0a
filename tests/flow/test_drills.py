"""Proves by drills, in event time, that each fault opens its incident in time, and no other of the same severity.

The real tasks run in one process over fakes. What only a deployed stack can show is in the deployed tests.
"""

import pytest

from smallbox.cli.drills.drill import Drill
from smallbox.cli.drills.drive import begin, run_drill
from smallbox.cli.drills.table import DRILLS
from tests.fakes.drill_site import InProcessSite


@pytest.fixture(scope="module")
def begun() -> InProcessSite:
    """Eight weeks of history, a first version, and 24 quiet days; every drill goes on from a copy."""
    site = InProcessSite()
    begin(site)
    return site


def _kinds(drill: Drill) -> set[str]:
    return {*drill.expected.names, *drill.along}


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_raises_what_it_must_and_nothing_else(begun: InProcessSite, name: str) -> None:
    """What the table of drills expects comes within its days, and no other incident opens and no other alarm rings."""
    drill, site = DRILLS[name], begun.copy()
    result = run_drill(drill, site)
    assert result.came is not None, result
    may_ring = {*drill.rings, *drill.expected.names} | ({"Fallback"} if "fallbacks" in _kinds(drill) else set())
    assert set(site.alarms()) <= may_ring
    assert (result.others, result.silent) == ((), ())
