"""What the pages name exists: paths, links, decision records; and the pictures are what the script draws."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from docs.pictures.draw import PICTURES
from infra.deployment import ROOT
from smallbox.stages import STAGES

LIBRARY = ROOT / "layers/core/python/smallbox"
FILE = re.compile(r".*\w\.(py|md|toml|in|svg)")


WRITTEN: Final = {".smallbox", ".build", ".venv", "node_modules", "profiles"}
"""Folders that the commands write: what is in them need not be there."""


@cache
def _pages() -> tuple[Path, ...]:
    listing = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return tuple(path for path in (ROOT / line for line in listing.stdout.splitlines()) if path.exists())


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _homes(page: Path) -> tuple[Path, ...]:
    """Where a path in a page may begin: the repository, the library, the functions, its own folder or stage."""
    stage = [LIBRARY / page.stem] if page.stem in STAGES else []
    return ROOT, LIBRARY, LIBRARY.parent, ROOT / "functions", page.parent, *stage


def _paths(page: Path) -> Iterator[str]:
    """The words in backticks that are paths of this repository; ``<name>`` stands for any name."""
    tops = {folder.name for home in _homes(page)[:4] for folder in home.iterdir() if folder.is_dir()} - WRITTEN
    for word in (word for span in re.findall(r"`([^`]+)`", _prose(page)) for word in span.split()):
        path = re.sub(r"<[^>]*>", "*", word.rstrip(":,"))
        if re.fullmatch(r"[\w./*-]+", path) and (
            FILE.fullmatch(path) or ("/" in path and path.partition("/")[0] in tops)
        ):
            yield path.rstrip("/")


@pytest.mark.parametrize("page", _pages(), ids=_name)
def test_a_path_in_a_page_exists(page: Path) -> None:
    """Every file and folder that a page names in backticks is there."""
    missing = [path for path in _paths(page) if not any(list(home.glob(path)) for home in _homes(page))]
    assert missing == []


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    heads = re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", _pages(), ids=_name)
def test_a_link_in_a_page_leads_somewhere(page: Path) -> None:
    """Every relative link is to a file of the repository, and its anchor to a heading there."""
    for link in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if "://" not in link:
            target, _, anchor = link.partition("#")
            found = (page.parent / target).resolve() if target else page
            assert found.exists(), link
            assert not anchor or anchor in _anchors(found), link


def test_every_decision_is_in_the_index() -> None:
    """The index of the decision records has each one, with its title."""
    folder = ROOT / "docs/decisions"
    records = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    titles = [path.read_text().partition("\n")[0].removeprefix("# ").partition(" ") for path in records]
    entries = [f"- [{number}]({path.name}) {title}" for path, (number, _, title) in zip(records, titles, strict=True)]
    assert [line for line in (folder / "README.md").read_text().splitlines() if line.startswith("- ")] == entries


@pytest.mark.parametrize("picture", PICTURES, ids=_name)
def test_a_picture_is_what_the_script_draws(picture: Path) -> None:
    """The committed picture equals what ``make docs`` would write."""
    assert picture.read_text() == PICTURES[picture]()


def test_the_picture_of_the_report_has_its_headings() -> None:
    """The headings that a replay's report has are those of the picture, in their order."""
    expected = re.findall(r"<h2>([^<{]+)</h2>", (LIBRARY / "cli/replay/report.py").read_text())
    assert len(expected) > 1
    drawn = re.findall(r">([^<>]+)</text>", (ROOT / "docs/pictures/report.svg").read_text())
    assert [words for words in drawn if words in expected] == expected


@pytest.mark.parametrize("page", _pages(), ids=_name)
def test_an_import_in_a_page_works(page: Path) -> None:
    """Every name that a page's code imports from the library is there."""
    for module, names in re.findall(r"^from (smallbox[\w.]*) import ([\w, ]+)$", page.read_text(), re.MULTILINE):
        found = import_module(module)
        assert [name for name in names.split(", ") if not hasattr(found, name)] == []
