"""The live versions of a model: those that answer requests, or could answer them by one write."""

from collections.abc import Iterable, Sequence
from typing import Final

from smallbox.define.refusals import Reader
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.registry.version import Version

_NEVER_RELEASED: Final = frozenset({"refused", "undecided"})
_WAITING: Final = frozenset({"registered", "shadow", "champion", "challenger"})


def waiting(registry: Registry, model: str, routing: Routing | None) -> Version | None:
    """The newest version that the gate accepted, if it is still to be released; an older one is out of date.

    A version whose status says that it serves, while the routing does not, counts: its release failed halfway.
    """
    serving = () if routing is None else (*routing.versions, routing.shadow)
    released = [version for version in registry.versions(model) if version.status not in _NEVER_RELEASED]
    if not released or released[-1].number in serving or released[-1].status not in _WAITING:
        return None
    return released[-1]


def older_waiting(registry: Registry, model: str, newest: Version, routing: Routing) -> Sequence[Version]:
    """The accepted versions that waited for a release before a newer one did: they are out of date."""
    serving = (*routing.versions, routing.shadow, routing.previous)
    return [
        version
        for version in registry.versions(model)
        if version.status == "registered" and version.number < newest.number and version.number not in serving
    ]


def readers(registry: Registry, models: Iterable[str]) -> list[Reader]:
    """What the live versions of these models read: a change of a contract must not break them."""
    return [version_reads(registry, version) for model in models for version in live_versions(registry, model)]


def version_reads(registry: Registry, version: Version) -> Reader:
    """What a version reads: its frozen signature has the fields that are read of each source, and no others.

    Raises:
        NotFound: when the signature is not stored.
    """
    signature = registry.frozen(version.model, version.signature)
    label = signature["label"]
    fields = {label["source_name"]: {label["on"], label["value"]}}
    for source in (signature["request"], *(view["source"] for view in signature["views"])):
        fields.setdefault(source["name"], set()).update(source["fields"])
    named = {name: frozenset(read) for name, read in fields.items()}
    return Reader(f"{version.model} version {version.number}", named, version.model, signature["request"]["name"])


def live_versions(registry: Registry, model: str) -> Sequence[Version]:
    """Those that answer or are in a shadow, the champion before, and the accepted version that waits for its release.

    What they read must be there: their views are kept up to date, and the contracts of their sources may not break
    them.
    """
    routing = registry.routing(model)
    numbers = [] if routing is None else [*routing.versions, routing.shadow, routing.previous]
    found = [registry.get(model, number) for number in dict.fromkeys(numbers) if number is not None]
    last = waiting(registry, model, routing)
    return found if last is None or last in found else [*found, last]
