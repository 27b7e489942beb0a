"""The changes from one contract of a source to another, and which of them are compatible.

A change is compatible when every record that the old contract accepts is accepted by the new one and means the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from smallbox.documents.deployed_contracts import ContractDocument, ContractField
from smallbox.times import SECOND

ChangeKind = Literal[
    "added_optional",
    "added_required",
    "removed",
    "retyped",
    "tightened",
    "made_required",
    "widened",
    "unit_declared",
    "key_changed",
    "time_changed",
    "known_after_changed",
]
"""The kind of a change.

``retyped`` is another type or another unit. ``unit_declared`` is a unit that was missing before, or is left out now.
Marking a field as personal is ``tightened``: a version that reads it goes on copying its values to places where a
personal value must not be. Taking the mark away is ``widened``: it takes nothing from senders or readers.
"""

COMPATIBLE: Final[frozenset[ChangeKind]] = frozenset({"added_optional", "widened", "unit_declared"})
"""The compatible kinds of changes."""


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One change of a contract.

    Attributes:
        field: the field that changed; for key and time the new one; empty for ``known_after``.
        kind: what kind of change it is.
        what: what happened, as the rest of a sentence that begins with the field.
    """

    field: str
    kind: ChangeKind
    what: str

    @property
    def is_compatible(self) -> bool:
        """Whether old records are still accepted, and mean the same."""
        return self.kind in COMPATIBLE


def changes(before: ContractDocument, after: ContractDocument) -> list[ContractChange]:
    """Every change from one contract to another; empty when both have the same version."""
    old, new = before["fields"], after["fields"]
    found = list(_of_roles(before, after))
    for name, field in old.items():
        if name not in new:
            found.append(ContractChange(name, "removed", "was removed"))
            continue
        found += [ContractChange(name, kind, what) for kind, what in _of_field(field, new[name])]
    return found + [_added(name, field) for name, field in new.items() if name not in old]


def _added(name: str, field: ContractField) -> ContractChange:
    if field["nullable"]:
        return ContractChange(name, "added_optional", "was added; it may be null")
    return ContractChange(name, "added_required", "was added and may not be null")


def _of_roles(before: ContractDocument, after: ContractDocument) -> Iterator[ContractChange]:
    if before["key"] != after["key"]:
        yield ContractChange(after["key"], "key_changed", f"became the key, instead of {before['key']!r}")
    if before["time"] != after["time"]:
        yield ContractChange(after["time"], "time_changed", f"became the event time, instead of {before['time']!r}")
    if before["known_after"] != after["known_after"]:
        old, new = (_delay(document["known_after"]) for document in (before, after))
        yield ContractChange("", "known_after_changed", f"known_after changed from {old} to {new}")


def _delay(micros: int | None) -> str:
    return "None" if micros is None else f"{micros / SECOND:g} seconds"


_Found = Iterator[tuple[ChangeKind, str]]


def _of_field(old: ContractField, new: ContractField) -> _Found:
    if old["type"] != new["type"]:
        yield "retyped", f"was {old['type']} and is {new['type']} now"
        return
    if old["unit"] and new["unit"] and old["unit"] != new["unit"]:
        yield "retyped", f"had the unit {old['unit']!r} and has {new['unit']!r} now"
    elif old["unit"] != new["unit"]:
        yield "unit_declared", f"has the unit {new['unit']!r} now" if new["unit"] else "has no unit any more"
    if old["nullable"] != new["nullable"]:
        yield ("widened", "may be null now") if new["nullable"] else ("made_required", "may not be null any more")
    if old["pii"] != new["pii"]:
        yield ("tightened", "is personal now") if new["pii"] else ("widened", "is not personal any more")
    yield from _of_bounds(old, new)
    yield from _of_texts(old, new)


def _of_bounds(old: ContractField, new: ContractField) -> _Found:
    least, most = (_or(field["minimum"], -inf) for field in (old, new)), (_or(f["maximum"], inf) for f in (old, new))
    for name, (was, now), is_tighter in (("minimum", least, 1), ("maximum", most, -1)):
        if was != now:
            kind: ChangeKind = "tightened" if (now - was) * is_tighter > 0 else "widened"
            yield kind, f"had the {name} {_bound(was)} and has {_bound(now)} now"


def _or(bound: float | None, otherwise: float) -> float:
    return otherwise if bound is None else bound


def _bound(value: float) -> str:
    return "none" if value in (inf, -inf) else f"{value:.15g}"


def _of_texts(old: ContractField, new: ContractField) -> _Found:
    if (old["choices"], old["pattern"]) == (new["choices"], new["pattern"]):
        return
    if not new["choices"] and not new["pattern"]:
        yield "widened", "may be any text now"
    elif new["choices"]:
        gone = [text for text in old["choices"] if text not in new["choices"]]
        if old["choices"] and not gone:
            yield "widened", "has more choices now"
        else:
            yield "tightened", f"lost the choices {', '.join(gone)}" if gone else "is limited to choices now"
    elif old["choices"] and all(re.fullmatch(new["pattern"], text) for text in old["choices"]):
        yield "widened", f"may be any text that matches {new['pattern']!r} now"
    else:
        # whether one pattern matches all that another matches is not decidable in general
        yield "tightened", f"must match {new['pattern']!r} now"
