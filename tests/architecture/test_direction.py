"""Imports run in one direction: from the ground rooms to the edges, and along the order of the stages."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from smallbox.stages import STAGES
from tests.architecture.sources import CORE, imported, name_of, parsed

GROUND: Final = (
    "errors",
    "error_codes",
    "stages",
    "times",
    "arrays",
    "records",
    "ports",
    "serving_ports",
    "release_ports",
    "documents",
    "table_columns",
    "request_sizes",
)
SHARED: Final = (
    "statistics",
    "objectives",
    "define",
    "messages",
    "lake",
    "profiles",
    "labels",
    "prepare",
    "explanations",
)
STORE: Final = (
    "registry.version",
    "registry.routing",
    "registry.assignment",
    "registry.store",
    "registry.scorer",
    "registry.signatures",
    "registry.live_versions",
    "registry.live_sources",
    "registry.loader",
    "registry.contracts",
    "registry.references",
)
"""The model store: modules of the stage ``registry`` that other stages read, so they import no stage."""

ORDER: Final = (*GROUND, *SHARED, *STORE, *STAGES, "console", "aws", "cli")
"""A room imports itself and the rooms before it."""

ALLOWED: Final[Mapping[tuple[str, str], str]] = {
    ("define", "prepare"): "users write `from smallbox.define import prepare` beside everything else of a definition",
}
"""The imports against the order, each with its reason."""


def room_of(module: str) -> str:
    """The room of ``smallbox.<room>...``; a module of the model store is a room of its own."""
    parts = module.split(".")[1:]
    inner = ".".join(parts[:2])
    return inner if inner in STORE else parts[0]


def crossings(path: Path) -> Iterator[tuple[str, str]]:
    """The pairs (importing room, imported room) of a file of the library."""
    own = room_of(".".join(("smallbox", *path.relative_to(CORE).with_suffix("").parts)))
    for module in imported(parsed(path)):
        if module.startswith("smallbox.") and room_of(module) != own:
            yield own, room_of(module)


def is_against(crossing: tuple[str, str]) -> bool:
    """Whether the imported room comes after the importing one."""
    return ORDER.index(crossing[0]) < ORDER.index(crossing[1])


FILES: Final = [path for path in sorted(CORE.rglob("*.py")) if path != CORE / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_imports_only_rooms_before_its_own(path: Path) -> None:
    """No import runs against the order, except those of the list."""
    assert {crossing for crossing in crossings(path) if is_against(crossing)} <= ALLOWED.keys()


def test_every_exception_is_used() -> None:
    """An import against the order that is gone is gone from the list too."""
    used = {crossing for path in FILES for crossing in crossings(path) if is_against(crossing)}
    assert used == set(ALLOWED)


def test_every_room_has_its_place() -> None:
    """The order names every room that there is, and none that there is not."""
    rooms = {path.relative_to(CORE).parts[0].removesuffix(".py") for path in FILES}
    assert {room.partition(".")[0] for room in ORDER} == rooms


def test_the_room_map_names_the_model_store() -> None:
    """The table of rooms has the modules of the model store, in their order."""
    modules = ",".join(room.removeprefix("registry.") for room in STORE)
    assert f"| `registry/{{{modules}}}.py` |" in (CORE / "README.md").read_text()


def test_an_import_against_the_order_would_be_seen() -> None:
    """Features before training is the order; the other way round is against it."""
    assert is_against(("features", "training"))
    assert not is_against(("training", "features"))
    assert is_against(("registry.store", "training"))
