"""Proves that the digest of a bundle changes with what its functions compute, and with nothing else."""

import pytest

from smallbox.define.bundle import bundle_of
from tests.fakes.user_package import UserPackage

FEATURES = """
import math
from functools import lru_cache
import numpy as np
from .helpers import scaled

LIMIT = 2.5
TABLE = {}
TABLE["a"] = 1.0

@lru_cache(maxsize=8)
def table(n):
    return TABLE["a"] * n

def unrelated(x):
    return x - math.e

def feature(amount, shift=1.0):
    def inner(x):
        return x + shift
    return np.abs(scaled(inner(amount)) - LIMIT) + table(2)
"""

HELPERS = """
FACTOR = 3.0
OTHER = 4.0

def scaled(x):
    return x * FACTOR
"""


def _digest(package: UserPackage, features: str, helpers: str) -> str:
    package.write({"features": features, "helpers": helpers})
    return bundle_of([package.function("features", "feature")]).digest


def _edited(package: UserPackage, before: str, after: str) -> tuple[str, str]:
    """The digests before and after an edit of either file."""
    assert (FEATURES + HELPERS).count(before) == 1, before
    edited = FEATURES.replace(before, after), HELPERS.replace(before, after)
    return _digest(package, FEATURES, HELPERS), _digest(package, *edited)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("LIMIT = 2.5", "LIMIT = 2.5  # minutes", id="a comment"),
        pytest.param("    def inner(x):", '    """Says what."""\n    def inner(x):', id="a docstring"),
        pytest.param("def scaled(x):", 'def scaled(x):\n    """Says what."""', id="a docstring of a helper"),
        pytest.param("return x + shift", "return (x\n            + shift)", id="formatting"),
        pytest.param('TABLE["a"] = 1.0', "TABLE['a']=1.0\n\n", id="quotes and blank lines"),
        pytest.param("feature(amount, shift=1.0)", "feature(amount: 'A', shift: float = 1.0) -> 'A'", id="type hints"),
        pytest.param("LIMIT = 2.5", "from typing import Final\nLIMIT: Final = 2.5", id="the type hint of a constant"),
        pytest.param("return x - math.e", "return x - math.pi", id="another function"),
        pytest.param("OTHER = 4.0", "OTHER = 5.0\nMORE = 6.0", id="another constant of another module"),
        pytest.param("OTHER = 4.0", "OTHER = [FACTOR for FACTOR in (1, 2)]", id="a name of a comprehension"),
        pytest.param("import math\n", "import math, json\nfrom decimal import Decimal\n", id="an import"),
        pytest.param("import lru_cache\n", "import lru_cache, partial\n", id="a name of an import"),
        pytest.param("from .helpers", "from PACKAGE.helpers", id="an absolute import"),
        pytest.param(
            "import numpy as np\nfrom .helpers import scaled\n",
            "from .helpers import scaled\nimport numpy as np\n",
            id="the order of imports",
        ),
    ],
)
def test_what_shapes_no_value_leaves_the_digest(package: UserPackage, before: str, after: str) -> None:
    """An edit that changes no result of the function is no new code."""
    old, new = _edited(package, before, after)
    assert new == old


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("- LIMIT", "+ LIMIT", id="the body"),
        pytest.param("return x + shift", "return x - shift", id="a function inside"),
        pytest.param("* n", "/ n", id="a helper"),
        pytest.param("x * FACTOR", "x / FACTOR", id="a helper of another module"),
        pytest.param("LIMIT = 2.5", "LIMIT = 2.6", id="a constant"),
        pytest.param("FACTOR = 3.0", "FACTOR = 3", id="a constant of another module"),
        pytest.param('TABLE["a"] = 1.0', 'TABLE["a"] = 2.0', id="a part of a constant"),
        pytest.param("LIMIT = 2.5", "LIMIT = 2.5\nLIMIT += 1", id="a second assignment"),
        pytest.param("shift=1.0", "shift=2.0", id="a default argument"),
        pytest.param("feature(amount,", "feature(amount, weight,", id="a parameter"),
        pytest.param("maxsize=8", "maxsize=9", id="a decorator"),
        pytest.param("import numpy as np", "import numpy.ma as np", id="an import"),
    ],
)
def test_what_may_shape_a_value_changes_the_digest(package: UserPackage, before: str, after: str) -> None:
    """An edit of anything that the function runs is new code."""
    old, new = _edited(package, before, after)
    assert new != old


def test_the_order_of_assignments_is_kept(package: UserPackage) -> None:
    """Which of two assignments is the last one shapes the value."""
    first = "A = 1\nA = 2\ndef feature(amount): return amount + A\n"
    second = "A = 2\nA = 1\ndef feature(amount): return amount + A\n"
    assert _digest(package, first, "") != _digest(package, second, "")
