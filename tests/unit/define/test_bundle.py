"""Proves that the functions of a bundle compute what the originals did, after the user's package is deleted."""

import inspect
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from smallbox.define.bundle import bundle_of, functions_of
from smallbox.define.on_demand import OnDemand
from tests.fakes.user_package import UserPackage, called

HELPERS = """
    import numpy as np

    FACTOR = 3.0

    def scaled(x):
        return x * FACTOR

    def unused(x):
        return np.nothing(x)
"""

ONE_FILE: Mapping[str, str] = {
    "a constant": """
        LIMIT = 2.5
        def feature(amount): return amount - LIMIT
    """,
    "constants of one assignment": """
        LOW, (HIGH, _) = 1.0, (2.0, None)
        def feature(amount): return (amount - LOW) / HIGH
    """,
    "a helper of a helper": """
        RATE = 2
        def inner(x): return x ** RATE
        def outer(x): return inner(x) + 1
        def feature(amount): return outer(amount)
    """,
    "a helper below its user": """
        def feature(amount): return below(amount)
        def below(x): return x + 1
    """,
    "a recursive helper": """
        def power(x, n): return x if n == 1 else x * power(x, n - 1)
        def feature(amount): return power(amount, 3)
    """,
    "numpy by an alias": """
        import numpy as np
        def feature(amount, at): return np.where(np.isnat(at), amount, np.sqrt(np.abs(amount)))
    """,
    "names of other packages": """
        from math import e, pi as PI
        import os.path
        def feature(amount): return amount * PI + e + len(os.path.join("a", "b"))
    """,
    "texts": """
        import numpy as np
        MAKERS = frozenset({"ab", "c"})
        def feature(name): return np.array([float(n.lower() in MAKERS) for n in name])
    """,
    "moments": """
        def feature(at, amount): return at.astype("datetime64[Y]").astype(float) + 1970 - amount
    """,
    "default arguments": """
        LIMIT = 2.0
        def feature(amount, *, limit=LIMIT, shift=(1, 2)): return amount * limit + shift[1]
    """,
    "a lambda": """
        SHIFT = 4
        clipped = lambda x: x.clip(0, SHIFT)
        def feature(amount): return clipped(amount)
    """,
    "a function inside": """
        STEP = 2.0
        def feature(amount):
            total = 0.0
            def add(x):
                nonlocal total
                total += STEP
                return x + total
            return add(add(amount))
    """,
    "names of comprehensions": """
        import numpy as np
        WEIGHTS = [w for w in range(4)]
        w = n = None
        def feature(name): return np.array([sum(w for w in WEIGHTS if w < len(n)) for n in name], float)
    """,
    "a conditional import": """
        try:
            import there_is_no_such_package as fast
        except ImportError:
            import numpy as fast
        if fast is None:
            from math import floor
        else:
            from numpy import floor
        def feature(amount): return floor(fast.abs(amount))
    """,
    "an import inside": """
        def feature(amount):
            import numpy as np
            return np.floor(amount)
    """,
    "a decorator": """
        import functools
        LIMIT = 2.0
        def clipped(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs).clip(-LIMIT, LIMIT)
            return wrapper
        @clipped
        def feature(amount): return amount + 1
    """,
    "a cached helper": """
        from functools import lru_cache
        @lru_cache(maxsize=None)
        def table(n: int) -> list: return [n, n + 1]
        def feature(amount): return amount * table(2)[1]
    """,
    "a helper of several kinds": """
        from functools import singledispatch
        @singledispatch
        def length(x): return 0.0
        @length.register(str)
        def _(x): return float(len(x))
        def feature(amount, name): return amount + [length(n) for n in name]
    """,
    "names bound by blocks": """
        import contextlib
        with contextlib.nullcontext(3.0) as HELD:
            TWICE = HELD * 2
        for SHIFT in range(3):
            LAST = SHIFT * 10
        def feature(amount): return amount + HELD + TWICE + SHIFT + LAST
    """,
    "a name that is bound several times": """
        LIMIT = 2.0
        LIMIT += 1
        OTHER = 5
        LIMIT = LIMIT * 4
        def feature(amount): return amount - LIMIT
    """,
    "a constant that is changed": """
        TABLE, LIST = {}, []
        TABLE["ab"] = 4.0
        LIST.append(2.0)
        def feature(amount, name): return amount * LIST[0] + [TABLE.get(n, 1.0) for n in name]
    """,
    "classes": """
        from __future__ import annotations
        from dataclasses import dataclass
        from enum import Enum
        from typing import TYPE_CHECKING, NamedTuple
        if TYPE_CHECKING:
            from decimal import Decimal
        class Kind(Enum):
            BIG = 2.0
        class Pair(NamedTuple):
            left: float
            right: float = 3.0
        @dataclass(frozen=True)
        class Scale:
            factor: Decimal
            shift: float = 1.0
            def of(self, x): return x * self.factor + self.shift
        def feature(amount): return Scale(Kind.BIG.value).of(amount) + Pair(1.0).right
    """,
    "the name of its module": """
        import logging
        logger = logging.getLogger(__name__)
        def feature(amount):
            logger.debug("rows: %d", len(amount))
            return amount
    """,
    "type hints of what is not imported": """
        from __future__ import annotations
        from typing import TYPE_CHECKING, Final
        if TYPE_CHECKING:
            from nowhere import Array
        LIMIT: Final[Array] = 2.0
        def feature(amount: Array, *more: Array, weight: Array = 1.0) -> Array:
            sum: Array = amount + LIMIT
            return sum
    """,
}
"""By what they use, modules with a function ``feature``."""

TWO_FILES: Mapping[str, str] = {
    "absolutely": """
        from PACKAGE.helpers import scaled
        def feature(amount): return scaled(amount)
    """,
    "relatively": """
        from .helpers import scaled
        def feature(amount): return scaled(amount)
    """,
    "by an alias": """
        from .helpers import FACTOR as F, scaled as big
        def feature(amount): return big(amount) + F
    """,
    "as a module": """
        from . import helpers
        def feature(amount): return helpers.scaled(amount) + helpers.FACTOR
    """,
    "as a module by an alias": """
        import PACKAGE.helpers as h
        def feature(amount): return h.scaled(amount)
    """,
    "as a module by its whole name": """
        import PACKAGE.helpers
        def feature(amount): return PACKAGE.helpers.scaled(amount)
    """,
    "as a part of the package that another module imports": """
        import PACKAGE
        from .deep.again import np
        def feature(amount): return np.abs(PACKAGE.helpers.scaled(amount))
    """,
    "inside": """
        def feature(amount):
            from . import helpers as h
            from .helpers import FACTOR
            return h.scaled(amount) + FACTOR
    """,
    "if there is one": """
        try:
            from .faster import scaled
        except ImportError:
            from .helpers import scaled
        def feature(amount): return scaled(amount)
    """,
    "through another module": """
        from .deep.again import h, scaled, np
        def feature(amount): return scaled(np.abs(amount)) + h.FACTOR
    """,
    "for a constant": """
        from .helpers import scaled
        TABLE = [scaled(one) for one in range(3)]
        def feature(amount): return amount + TABLE[2]
    """,
}
"""By the way in which they import a helper of another module, modules with a function ``feature``."""


def _parameters(function: OnDemand) -> list[tuple[Any, ...]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def _survives(package: UserPackage, files: Mapping[str, str]) -> None:
    package.write(files)
    original = package.function("features", "feature")
    expected = called(original)
    bundle = bundle_of([original])
    package.delete()
    (restored,) = functions_of(bundle.content, bundle.digest)
    np.testing.assert_array_equal(called(restored), expected)
    assert restored.__name__ == "feature"
    assert _parameters(restored) == _parameters(original)
    assert bundle_of([restored]) == bundle, "a bundle of a bundle's functions is the same"
    assert not [m for m in sys.modules if m.startswith(package.name)]


@pytest.mark.parametrize("text", ONE_FILE.values(), ids=ONE_FILE.keys())
def test_a_function_takes_along_what_it_uses(package: UserPackage, text: str) -> None:
    """A function of a bundle has the name and the parameters of the original, and computes the same."""
    _survives(package, {"features": text})


@pytest.mark.parametrize("text", TWO_FILES.values(), ids=TWO_FILES.keys())
def test_helpers_of_other_modules_of_the_package_come_along(package: UserPackage, text: str) -> None:
    """However a helper is imported."""
    again = "from .. import helpers as h\nfrom ..helpers import scaled\nimport numpy as np\n"
    _survives(package, {"features": text, "helpers": HELPERS, "deep.__init__": "", "deep.again": again})
