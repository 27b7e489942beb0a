"""A package of definitions for one test."""

from pathlib import Path

import pytest

from tests.fakes.user_package import UserPackage


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UserPackage:
    """An empty package of definitions on the import path."""
    return UserPackage(tmp_path, monkeypatch)
