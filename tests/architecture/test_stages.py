"""The nine words name the folders of every tree, and nothing else does."""

from pathlib import Path

import pytest

from infra.deployment import ROOT
from smallbox.stages import STAGES


def _folders(path: Path) -> set[str]:
    return {folder.name for folder in path.iterdir() if folder.is_dir() and folder.name != "__pycache__"}


def test_functions_are_grouped_by_stage() -> None:
    """Every stage has functions, and every function a stage."""
    assert _folders(ROOT / "functions") == set(STAGES)


def test_the_infrastructure_has_one_construct_file_a_stage() -> None:
    """``infra/stages`` holds the nine stages and no tenth thing."""
    assert {path.stem for path in (ROOT / "infra/stages").glob("*.py")} - {"__init__"} == set(STAGES)


def test_the_documentation_has_one_page_a_stage() -> None:
    """``docs/stages`` holds the nine stages and no tenth thing."""
    assert {path.stem for path in (ROOT / "docs/stages").glob("*.md")} == set(STAGES)


@pytest.mark.parametrize("tree", ["layers/core/python/smallbox", "tests/unit"])
def test_the_library_and_its_tests_have_a_folder_a_stage(tree: str) -> None:
    """The library has each stage as a package, and the unit tests follow it."""
    assert set(STAGES) <= _folders(ROOT / tree)


def test_no_stage_is_named_twice() -> None:
    """Nine words, each once."""
    assert len(set(STAGES)) == len(STAGES) == 9
