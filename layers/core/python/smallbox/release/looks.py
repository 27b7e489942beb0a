"""The looks at a release: what was known at each, and what was done. With the history they are its record."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.ports import Documents
from smallbox.times import Micros, format_moment

RELEASE_EVENTS: Final = frozenset(
    {"champion", "shadow", "challenger", "step", "promote", "roll_back", "undecided", "hold", "resume", "retired"}
)
"""The events of a model's history that belong to the release of a version."""


RUNGS: Final = ("shadow", "canary")
"""Where a release that a person starts may begin."""

NEWEST: Final = "newest"
"""In the place of a version: that of the running release, else of the last."""

OFF_POLICY: Final = "off-policy"
"""What the command line asks for to have a version judged on shuffled lists."""

USUAL_DAYS: Final = 28
"""How far back shuffled lists are judged."""


class Looks:
    """The looks at the release of one version, in the metrics table.

    A look has ``at``, ``rung`` (``shadow`` or ``canary``), ``share``, ``action``, ``why`` and ``evidence``.

    Args:
        metrics: the metrics table.
        model: the model's name.
        version: the version that is released.
    """

    def __init__(self, metrics: Documents, model: str, version: int) -> None:
        self._metrics = metrics
        self._partition = f"release#{model}#{version:06d}"

    def all(self) -> Sequence[Mapping[str, Any]]:
        """The looks, oldest first."""
        return self._metrics.query(self._partition, "look#")

    def keep(self, at: Micros, look: Mapping[str, Any]) -> None:
        """Store a look; one of the same moment is replaced."""
        moment = format_moment(at)
        self._metrics.put(self._partition, f"look#{moment}", {"at": moment, **look})


def events_of(history: Sequence[Mapping[str, Any]], version: int) -> list[Mapping[str, Any]]:
    """The events of a version's release, oldest first."""
    return [event for event in history if event["event"] in RELEASE_EVENTS and event.get("version") == version]
