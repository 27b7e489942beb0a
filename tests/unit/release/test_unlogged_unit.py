"""Proves that losses are not judged by units that the log does not have."""

from dataclasses import replace

from smallbox.define.release_rules import Canary, Release
from smallbox.registry.routing import Routing
from smallbox.release.arm_losses import arm_losses
from smallbox.times import DAY
from tests.unit.release.shadowed import GOOD, PLAIN, Shadowed


def _judged(unit: str) -> bool:
    model = replace(PLAIN, release=Release(shadow=None, canary=Canary(("50% for 1d",))))
    shadowed = Shadowed(GOOD, model)
    running = Routing(1, 2, 0.5, unit=unit, revision=1)
    shadowed.serving.registry.route(model.name, running)
    for day in range(4):
        shadowed.ask(day)
        shadowed.learn(day)
    return arm_losses(shadowed.serving.lake, model, running, 9 * DAY) is not None


def test_a_field_that_is_no_input_is_not_in_the_log() -> None:
    """Rows of one unit would count as independent ones; the key and an input are logged.

    A definition with such a unit is refused; the routing may still have one of a definition before.
    """
    assert _judged("parcel_id")
    assert _judged("weight")
    assert not _judged("sent_at")
