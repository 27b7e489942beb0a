"""Which sources live views read: their records are forwarded to the online store, whatever the definition says."""

from typing import Final

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
        document = self._documents.get(LIVE_PARTITION, LIVE_KEY) or {"views": []}
        return frozenset(live["view"]["source"]["name"] for live in document["views"])
