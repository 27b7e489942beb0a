"""Whether a version can be compared with the champion, and what to do when it cannot."""

from smallbox.registry.signatures import label_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version


def why_incomparable(registry: Registry, version: Version, champion: Version) -> str:
    """Why the two cannot be compared, one sentence; empty when they can."""
    if champion.is_outdated:
        return f"{outdated(champion)}; {_by_hand(version)}"
    if label_of_version(registry, version) == label_of_version(registry, champion):
        return ""
    return (
        f"version {version.number} predicts another label than version {champion.number}, or has another objective, so "
        f"nothing can compare them; {_by_hand(version)}"
    )


def outdated(champion: Version) -> str:
    """That this release cannot load the champion."""
    return f"version {champion.number}, the champion, was exported by an earlier release, which this one cannot load"


def _by_hand(version: Version) -> str:
    return f"`smallbox release promote {version.model} {version.number} --why TEXT` makes it champion"
