"""A package of definitions that a test writes to a folder and imports, edits and deletes, as a user would."""

import importlib
import inspect
import itertools
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

_NUMBERS = itertools.count()

Arrays = Mapping[str, np.ndarray[Any, Any]]
"""By parameter what an on-demand function gets."""

ROWS: Arrays = {
    "amount": np.array([1.5, np.nan, -3.0, 1e9, 0.0]),
    "weight": np.array([2.0, 4.0, np.nan, 0.5, 7.0]),
    "name": np.array(["ab", "", "c", "AB", "émile"], dtype=object),
    "at": np.array(["2013-01-01T05:15", "NaT", "1999-12-31T23:59:59.5", "2013-07-01", "2020-02-29"], "datetime64[us]"),
}
"""An array of each kind that on-demand functions get, with the values for null."""


class UserPackage:
    """A package in a folder that is on the import path; no other one has its name."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.name = f"user_package_{next(_NUMBERS)}"
        self.folder = folder / self.name
        patch.syspath_prepend(folder)
        patch.setattr(sys, "dont_write_bytecode", True)  # two edits in one second

    def write(self, files: Mapping[str, str]) -> None:
        """Write files by module name, ``PACKAGE`` in them stands for the package's name; forget what was imported."""
        for name, text in {"__init__": "", **files}.items():
            path = self.folder.joinpath(*name.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).replace("PACKAGE", self.name))
        self.forget()

    def function(self, module: str, name: str) -> Callable[..., Any]:
        """Import a module, and return a function of it."""
        function: Callable[..., Any] = getattr(importlib.import_module(f"{self.name}.{module}"), name)
        return function

    def forget(self) -> None:
        """Forget the imported modules, so that the next import reads the files."""
        for module in [m for m in sys.modules if m.partition(".")[0] == self.name]:
            del sys.modules[module]
        importlib.invalidate_caches()

    def delete(self) -> None:
        """Delete the files too."""
        shutil.rmtree(self.folder)
        self.forget()


def called(function: Callable[..., Any], rows: Arrays = ROWS) -> np.ndarray[Any, Any]:
    """What a function returns for the arrays that its parameters name; a default stands where there is no array."""
    names = inspect.signature(function).parameters
    return np.asarray(function(**{name: rows[name] for name in names if name in rows}))
