"""The references by day of versions, and the layouts that they give to the profiles of what they answer."""

from collections.abc import Callable

from smallbox.errors import NotFound
from smallbox.ports import Blobs
from smallbox.profiles.layout import ProfileLayout
from smallbox.profiles.store import ProfileStore
from smallbox.profiles.stored import ReferenceDays
from smallbox.registry.store import Registry
from smallbox.registry.version import Version


class VersionLayouts:
    """Layouts with the bins of a version's reference by day. A version is immutable, so a process reads each once.

    Args:
        registry: has the versions.
        blobs: has their references.
    """

    def __init__(self, registry: Registry, blobs: Blobs) -> None:
        self._registry = registry
        self._blobs = blobs
        self._known: dict[str, ProfileLayout | None] = {}

    def of(
        self, store: ProfileStore, name: str, model: str, number: int, wanted: Callable[[str], bool]
    ) -> ProfileLayout | None:
        """The layout of a subject of a version; ``None`` for a version that has no reference by day, or is unknown.

        Args:
            store: keeps the layout beside the profiles.
            name: the subject's name.
            model: the model's name.
            number: the version's.
            wanted: which columns of the reference the subject has.
        """
        if name not in self._known:
            reference = self._reference(model, number)
            self._known[name] = (
                None if reference is None else store.layout_or(name, lambda: reference.layout.only(wanted))
            )
        return self._known[name]

    def _reference(self, model: str, number: int) -> ReferenceDays | None:
        try:
            return reference_of(self._blobs, self._registry.get(model, number))
        except NotFound:
            return None


def reference_of(blobs: Blobs, version: Version) -> ReferenceDays | None:
    """The reference by day of a version; ``None`` when an earlier release trained it."""
    return ReferenceDays.from_bytes(blobs.get(version.reference_key)) if version.reference_key else None
