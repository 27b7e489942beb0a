"""Which sources live views read: their records are forwarded to the online store, whatever the definition says."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.ports import Documents

LIVE_PARTITION: Final = "live"
LIVE_KEY: Final = "views"
"""Where the document of the live views is; see :mod:`smallbox.features.live_views`."""


class LiveSources:
    """Reads the document of the live views, without the views themselves.

    Ask after the records are in the lake: a view that joins later finds them there.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def names(self) -> frozenset[str]:
        """The sources that live views read."""
        return frozenset(live["view"]["source"]["name"] for live in self._views())

    def standing(self) -> list[dict[str, Any]]:
        """For people: each live view's name, version, source and state, and who needs it."""
        return [
            {
                "view": live["view"]["name"],
                "version": live["version"],
                "source": live["view"]["source"]["name"],
                "state": _state(live),
                "needed_by": ", ".join(live["needed_by"]) or "nothing",
            }
            for live in self._views()
        ]

    def _views(self) -> Sequence[Mapping[str, Any]]:
        document = self._documents.get(LIVE_PARTITION, LIVE_KEY)
        views: Sequence[Mapping[str, Any]] = () if document is None else document["views"]
        return views


def _state(live: Mapping[str, Any]) -> str:
    if live["leaving_since"] is not None:
        return "leaving"
    return "ready" if live["is_ready"] else "filling"
