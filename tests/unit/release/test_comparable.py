"""Proves when a canary may compare a version with the champion, and that each refusal says what to type."""

from dataclasses import replace

from smallbox.objectives.binary import Binary
from smallbox.objectives.stored_objective import objective_of
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.comparable import why_incomparable
from tests.fakes.documents import FakeDocuments
from tests.fakes.kinds import of_a_number
from tests.fakes.small import late_parcel
from tests.fakes.versions import add_version


def test_versions_of_one_label_are_compared() -> None:
    """Equal labels need no sentence."""
    registry = Registry(FakeDocuments())
    champion, version = add_version(registry, late_parcel), add_version(registry, late_parcel)
    assert why_incomparable(registry, version, champion) == ""


def test_another_label_names_the_command() -> None:
    """A number instead of a boolean cannot be compared; the sentence has the command with its number."""
    registry = Registry(FakeDocuments())
    champion, version = add_version(registry, late_parcel), add_version(registry, of_a_number)
    why = why_incomparable(registry, version, champion)
    assert "another label than version 1" in why
    assert "`smallbox release promote late_parcel 2 --why TEXT`" in why


def test_a_champion_of_an_earlier_release_is_not_compared() -> None:
    """Its document has no baseline and its signature only the kind: both are read, and the sentence says what to do."""
    registry = Registry(FakeDocuments())
    version = add_version(registry, late_parcel)
    stored = version.as_json()
    del stored["baseline"]
    champion = replace(Version.from_json(stored), number=7)
    assert champion.is_outdated
    assert "version 7, the champion, was exported by an earlier release" in why_incomparable(
        registry, version, champion
    )
    assert objective_of("binary") == Binary()
