"""Whether an incident rolls back the champion, and what a person is told about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from smallbox.define.rules import Release
from smallbox.monitoring.incident import Incident
from smallbox.registry.routing import Routing
from smallbox.times import day_of


@dataclass(frozen=True, slots=True)
class RollbackDecision:
    """What an incident whose remedy is `roll back` asks for.

    Attributes:
        incident: the incident.
        is_due: whether the champion is rolled back now.
        why: the reason, one sentence.
    """

    incident: Incident
    is_due: bool
    why: str


def decide_rollback(
    rule: Release, routing: Routing | None, incidents: Sequence[Incident], model: str
) -> RollbackDecision | None:
    """The decision about the first incident whose remedy is `roll back`; ``None`` without one.

    The champion is rolled back only if the definition allows it, the incident began on the day on which the champion
    took over or later, no canary runs, and there is a champion to go back to.
    """
    asking = [incident for incident in incidents if incident.remedy == "roll back"]
    if not asking or routing is None:
        return None
    incident = asking[0]
    obstacle = _obstacle(rule, routing, incident)
    if obstacle is None:
        return RollbackDecision(incident, is_due=True, why=f"incident {incident.id}: {incident.sentence}")
    why = (
        f"incident {incident.id} asks for it, but {obstacle}; by hand: `smallbox release {model} roll-back --why TEXT`"
    )
    return RollbackDecision(incident, is_due=False, why=why)


def _obstacle(rule: Release, routing: Routing, incident: Incident) -> str | None:
    if not rule.roll_back:
        return "the definition does not allow it (Release(roll_back=True))"
    if routing.challenger is not None:
        return f"version {routing.challenger} is in a canary"
    if incident.opened < day_of(routing.since):
        return f"it began before version {routing.champion} took over"
    if routing.previous is None:
        return f"there is no champion before version {routing.champion}"
    return None
