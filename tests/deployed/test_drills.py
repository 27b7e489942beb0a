"""Proves that `smallbox drill` works on local stacks of its own: a fault of a source, and one of the system itself."""

import pytest

from smallbox.cli.drills.checkout import drilled_there

pytestmark = [pytest.mark.deployed, pytest.mark.drilled]


@pytest.mark.parametrize("name", ["stale_weather", "failing_model_file"])
def test_a_drill_on_a_stack_raises_its_incident_in_time(name: str) -> None:
    """Deployed, trained, lived for 24 days and broken: what must come does, and no other incident opens."""
    (result,) = drilled_there(name)["results"]
    assert result["came"] is not None, result
    assert result["others"] == []
