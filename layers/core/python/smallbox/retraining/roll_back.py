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
    """The decision about the first incident that asks to roll back and has not done so; ``None`` without one.

    The champion is rolled back only if the definition allows it, the incident began on the day on which the champion
    took over or later, no canary runs, and there is a champion to go back to.
    """
    asking = [incident for incident in incidents if incident.remedy == "roll back" and not _has_rolled_back(incident)]
    if not asking or routing is None:
        return None
    incident = asking[0]
    obstacle = _obstacle(rule, routing, incident, model)
    if obstacle is None:
        return RollbackDecision(incident, is_due=True, why=f"incident {incident.id}: {incident.sentence}")
    return RollbackDecision(incident, is_due=False, why=f"incident {incident.id} asks for it, but {obstacle}")


def _has_rolled_back(incident: Incident) -> bool:
    return any(entry.event == "rollback" for entry in incident.story)


def _obstacle(rule: Release, routing: Routing, incident: Incident, model: str) -> str | None:
    if routing.challenger is not None:
        return f"version {routing.challenger} is in a canary, which is decided first"
    if incident.opened < day_of(routing.since):
        return f"it began before version {routing.champion} took over"
    if routing.previous is None:
        return f"there is no champion before version {routing.champion}"
    if not rule.roll_back:
        by_hand = f"`smallbox release {model} roll-back --why TEXT`"
        return f"the definition does not allow it (Release(roll_back=True)); by hand: {by_hand}"
    return None
