"""Proves that a function that cannot run without the rest of its module is refused, with what to write instead."""

import functools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from smallbox.define.bundle import bundle_of, functions_of
from smallbox.errors import DefinitionError
from tests.fakes.user_package import UserPackage

SOURCE = """
from smallbox.define import Source, text, timestamp
s = Source("s", key="id", time="at", fields={"id": text(), "at": timestamp()})
"""

A_DEFAULT = """
def make(limit):
    def feature(amount, by=limit): return amount - by
    return feature
feature = make(2)
"""

A_WRAPPER = """
def bare(function):
    def feature(amount): return function(amount)
    return feature
@bare
def feature(amount): return amount
"""

HIDDEN = """
def other(amount): return amount
feature = other
def other(amount): return 2
"""


def _refused(package: UserPackage, files: Mapping[str, str]) -> str:
    package.write(files)
    with pytest.raises(DefinitionError) as caught:
        bundle_of([package.function("features", "feature")])
    return caught.value.message.replace(package.name, "PACKAGE")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "def make(limit):\n    def feature(amount): return amount - limit\n    return feature\nfeature = make(2)\n",
            "it uses limit of the function or class around it.*move feature and limit to the top level of the module",
            id="a closure",
        ),
        pytest.param(
            A_DEFAULT, "it uses limit of the function or class around it", id="a default of a function around it"
        ),
        pytest.param(
            A_WRAPPER, "it uses function of the function or class around it", id="a decorator without functools.wraps"
        ),
        pytest.param("feature = lambda amount: amount\n", "it is a lambda; write it with def", id="a lambda"),
        pytest.param(
            "globals()['LIMIT'] = 2\ndef feature(amount): return amount - LIMIT\n",
            "it uses LIMIT, which no statement at the top level of module PACKAGE.features defines; define it there",
            id="a name that no statement binds",
        ),
        pytest.param(
            "def feature(amount): return amount - LIMIT\n", "it uses LIMIT, which no statement", id="no such name"
        ),
        pytest.param("def feature(amount): return open(__file__)\n", "it uses __file__, which no", id="its own file"),
        pytest.param(
            "from math import *\ndef feature(amount): return amount + pi\n",
            "it uses pi, which module PACKAGE.features may have from `from math import \\*`; import it by name: "
            "from math import pi",
            id="a star",
        ),
        pytest.param(
            "from numpy import *\ndef feature(amount): return sum(amount)\n",
            "it uses sum, which module .* from numpy import sum",
            id="a builtin that a star hides",
        ),
        pytest.param(
            f"{SOURCE}def feature(amount): return amount + len(s.fields)\n",
            "it uses s of module PACKAGE.features, which belongs to the definition.*use a constant",
            id="a source",
        ),
        pytest.param(
            f"{SOURCE}ALL = [Source('t', key='id', time='at', fields=s.fields)]\ndef feature(amount): return ALL\n",
            "it uses Source of module PACKAGE.features, which belongs to the definition",
            id="a list of sources",
        ),
        pytest.param(
            HIDDEN, "other of module PACKAGE.features is not this function any more", id="a name that is bound again"
        ),
    ],
)
def test_a_function_that_is_not_whole_is_refused(package: UserPackage, text: str, says: str) -> None:
    """The message names the function, what it uses, and the way out."""
    assert re.search(f"^on-demand feature .*: {says}", _refused(package, {"features": text}))


HELPERS = f"{SOURCE}def scaled(x): return x * len(s.fields)\ndef __getattr__(name): return scaled\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "from .helpers import scaled\ndef feature(amount): return scaled(amount)\n",
            "it uses s of module PACKAGE.helpers, which belongs to the definition",
            id="a source of a helper",
        ),
        pytest.param(
            "from . import helpers\ndef feature(amount): return getattr(helpers, 'scaled')(amount)\n",
            "it uses the module PACKAGE.helpers as a value; .* like from PACKAGE.helpers import helper",
            id="a module as a value",
        ),
        pytest.param(
            "from .stars import *\ndef feature(amount): return floor(amount)\n",
            "it uses floor, which module PACKAGE.features may have from `from PACKAGE.stars import",
            id="a star of the package",
        ),
        pytest.param(
            "from .stars import floor\ndef feature(amount): return floor(amount)\n",
            "it uses floor, which module PACKAGE.stars may have from `from math import",
            id="a star of another module",
        ),
    ],
)
def test_another_module_that_is_not_whole_is_refused(package: UserPackage, text: str, says: str) -> None:
    """The message names the function, the other module, what is used of it, and the way out."""
    files = {"features": text, "helpers": HELPERS, "stars": "from math import *\n"}
    assert re.search(f"^on-demand feature feature: {says}", _refused(package, files))


def test_code_without_a_source_is_refused() -> None:
    """As it is written at a prompt, or made by ``exec``."""
    values: dict[str, Any] = {"__name__": "prompt"}
    exec("def feature(amount): return amount", values)  # noqa: S102 - the case
    with pytest.raises(DefinitionError, match=r"feature: its source cannot be found.*top level of a file"):
        bundle_of([values["feature"]])


def test_a_file_that_changed_since_its_import_is_refused(package: UserPackage) -> None:
    """The source that is there now is not what the function computes."""
    package.write({"features": "def feature(amount): return amount\n"})
    feature = package.function("features", "feature")
    (package.folder / "features.py").write_text("\n\ndef feature(amount): return 2 * amount\n")
    with pytest.raises(DefinitionError, match="run again if the file has changed"):
        bundle_of([feature])
    (package.folder / "features.py").write_text("def feature(amount) return\n")
    with pytest.raises(DefinitionError, match="run again if the file has changed"):
        bundle_of([feature])


@pytest.mark.parametrize("value", [np.vectorize(abs), functools.partial(abs), abs])
def test_what_is_not_a_function_is_refused(value: Any) -> None:
    """Only functions that are written with ``def`` have a source."""
    with pytest.raises(DefinitionError, match="it is not a function written with def"):
        bundle_of([value])


def test_two_functions_of_one_name_are_refused(package: UserPackage) -> None:
    """A function inside another one may not hide a helper that the bundle needs too."""
    package.write(
        {
            "features": """
                def feature(amount): return amount
                def other(amount): return feature(amount)
                def make():
                    def feature(amount): return 2 * amount
                    return feature
                inner = make()
            """
        }
    )
    functions = [package.function("features", "other"), package.function("features", "inner")]
    with pytest.raises(DefinitionError, match="has another feature, which is used too; rename one of them"):
        bundle_of(functions)


def test_stored_functions_are_not_bundled_with_others(package: UserPackage) -> None:
    """A bundle is of one package as it was at one time."""
    package.write({"features": "def feature(amount): return amount\n"})
    feature = package.function("features", "feature")
    bundle = bundle_of([feature])
    with pytest.raises(DefinitionError, match="cannot be bundled with others"):
        bundle_of([feature, *functions_of(bundle.content, bundle.digest)])
