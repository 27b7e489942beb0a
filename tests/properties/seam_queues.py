"""What holds the workers of :mod:`tests.properties.seam`: queues, and runs of the backfill's state machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smallbox.errors import Conflict
from smallbox.features.live_views import LiveViewStore
from smallbox.messages.encoded import Message
from smallbox.times import Micros
from tests.fakes.actors import Actor


@dataclass(eq=False)
class Waiting:
    """A message in a queue."""

    content: Message
    is_delayed: bool = False
    holders: int = 0


class Inbox:
    """A queue: at least once, in any order, and gone only when it was worked."""

    def __init__(self) -> None:
        self.messages: list[Waiting] = []
        self.worked: list[Waiting] = []

    def send(self, messages: Sequence[Message], delay: Micros = 0, within: Micros | None = None) -> None:
        """The ``Queue`` port."""
        self.messages += [Waiting(message, is_delayed=delay > 0) for message in messages]

    def free(self) -> list[Waiting]:
        """The messages that nobody holds and that wait no longer."""
        return [one for one in self.messages if not one.holders and not one.is_delayed]


@dataclass(eq=False)
class Worker:
    """An actor with the messages that it holds.

    Attributes:
        queue: where they came from.
        held: its messages.
        actor: what works them.
        begun: when it began.
        live: its process's memory of the live views.
    """

    queue: Inbox
    held: Sequence[Waiting]
    actor: Actor
    begun: Micros
    live: LiveViewStore


@dataclass
class Execution:
    """A run of the backfill's state machine; each task that dies or meets a conflict is run again."""

    asked: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] | None = None
    filled: dict[int, Any] = field(default_factory=dict)
    is_over: bool = False
    tasks: dict[str, tuple[Actor, Micros]] = field(default_factory=dict)


def is_over_well(actor: Actor) -> bool:
    """Whether it has done its work; a conflict is tried again, and any other error is a mistake."""
    if actor.error is not None and not isinstance(actor.error, Conflict):
        raise actor.error
    return actor.is_done and actor.error is None and not actor.is_killed


def take_result(execution: Execution, name: str, result: Any) -> None:
    """Keep what a task of an execution returned."""
    step, _, number = name.partition(" ")
    if step == "plan":
        execution.plan = result
    elif step == "fill":
        execution.filled[int(number)] = result
    else:
        execution.is_over = True


def next_tasks(execution: Execution) -> list[tuple[str, Mapping[str, Any]]]:
    """The tasks that can begin, by name, each with its document."""
    plan = execution.plan
    if execution.is_over:
        return []
    if plan is None:
        return [("plan", execution.asked)]
    left = [(f"fill {at}", part) for at, part in enumerate(plan["parts"]) if at not in execution.filled]
    if left:
        return left
    return [("publish", {**plan, "filled": [*execution.filled.values()]})]
