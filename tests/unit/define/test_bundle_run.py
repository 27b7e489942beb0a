"""Proves that a bundle runs in modules of its own, beside the package as it is now, and only as registered."""

import json
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define.bundle import Bundle, bundle_of, functions_of
from smallbox.errors import NotReady
from tests.fakes.user_package import UserPackage, called

LIMIT = 3.0

FEATURES = """
    from . import helpers
    LIMIT = 2.5
    def feature(amount): return helpers.scaled(amount) - LIMIT
"""


def test_old_and_new_code_live_side_by_side(package: UserPackage) -> None:
    """A bundle's functions use the helpers of the bundle, the package's functions those of the package."""
    feature = (
        "from . import helpers\ndef feature(amount):\n    from .helpers import one\n    return one() + helpers.two()\n"
    )
    package.write({"features": feature, "helpers": "def one(): return 1\ndef two(): return 2\n"})
    old = bundle_of([package.function("features", "feature")])
    package.write({"features": feature, "helpers": "def one(): return 10\ndef two(): return 20\n"})
    new = bundle_of([package.function("features", "feature")])
    (was,), (now,) = functions_of(old.content, old.digest), functions_of(new.content, new.digest)
    assert (was(0), now(0), package.function("features", "feature")(0)) == (3, 30, 30)


def test_functions_of_several_modules_are_in_the_given_order(package: UserPackage) -> None:
    """Functions that share a module of helpers, in one bundle."""
    feature = "from .helpers import add\ndef {0}(amount): return add(amount, {1})\n"
    files = {
        "a": feature.format("first", 1),
        "b": feature.format("second", 2),
        "helpers": "def add(x, y): return x + y\n",
    }
    package.write(files)
    functions = [package.function("b", "second"), package.function("a", "first")]
    bundle = bundle_of(functions)
    assert [f(0) for f in functions_of(bundle.content, bundle.digest)] == [2, 1]
    assert bundle.functions == ((f"{package.name}.b", "second"), (f"{package.name}.a", "first"))


def test_a_function_inside_another_one_is_bundled() -> None:
    """As definitions of tests are: it may use what is at the top of its file, here a constant and an import."""

    def feature(amount: Any) -> Any:
        """A docstring."""
        return np.abs(amount) - LIMIT

    bundle = bundle_of([feature])
    (restored,) = functions_of(bundle.content, bundle.digest)
    np.testing.assert_array_equal(called(restored), called(feature))
    assert "docstring" not in bundle.modules[__name__]


def test_a_bundle_survives_its_json(package: UserPackage) -> None:
    """The content is the JSON form, and the digest that of an equal bundle."""
    package.write({"features": FEATURES, "helpers": "def scaled(x): return x * 2\n"})
    bundle = bundle_of([package.function("features", "feature")])
    again = Bundle.from_json(json.loads(bundle.content))
    assert again == bundle
    assert (again.content, again.digest) == (bundle.content, bundle.digest)


def test_other_bytes_than_the_registered_ones_are_never_run(package: UserPackage) -> None:
    """A changed bundle is refused before any of its code runs."""
    package.write({"features": FEATURES, "helpers": "def scaled(x): return x * 2\n"})
    bundle = bundle_of([package.function("features", "feature")])
    changed = bundle.content.replace(b"LIMIT = 2.5", b"LIMIT = 1/0")
    assert changed != bundle.content
    with pytest.raises(NotReady, match="do not match their registered checksum"):
        functions_of(changed, bundle.digest)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import gone_package.inner as gone\ndef feature(amount): return gone.f(amount)", "import gone_package, which"),
        ("LIMIT = 1 / ZERO\ndef feature(amount): return LIMIT", "cannot be run: ZeroDivisionError: division by zero"),
    ],
)
def test_code_that_cannot_be_run_any_more_says_why(text: str, says: str) -> None:
    """A package that is not installed any more is named; so is another exception."""
    bundle = Bundle({"old": "", "old.features": f"ZERO = 0\n{text}"}, (("old.features", "feature"),))
    with pytest.raises(NotReady, match=says):
        functions_of(bundle.content, bundle.digest)


def test_a_traceback_shows_the_line_of_the_bundle() -> None:
    """An error in a function of a bundle names the bundle and the module, and shows the code."""
    bundle = Bundle({"old": "def feature(amount):\n    return amount / 0"}, (("old", "feature"),))
    (feature,) = functions_of(bundle.content, bundle.digest)
    with pytest.raises(ZeroDivisionError) as caught:
        feature(1)
    shown = "".join(traceback.format_exception(caught.value))
    assert f'File "<bundle {bundle.digest[:8]} old>", line 2, in feature\n    return amount / 0' in shown


STYLES = (
    ("from .m{0} import f{1}", "f{1}"),
    ("from PACKAGE.m{0} import f{1} as g{1}", "g{1}"),
    ("from . import m{0}", "m{0}.f{1}"),
    ("import PACKAGE.m{0}", "PACKAGE.m{0}.f{1}"),
)
"""Ways to import function ``f{1}`` of module ``m{0}``, each with the name that it is called by."""


@st.composite
def _packages(draw: st.DrawFn) -> dict[str, str]:
    """Functions ``f0``, ``f1``, ... spread over modules; each may call earlier ones and reads a constant of its own."""
    modules = sorted(draw(st.lists(st.integers(0, 3), min_size=1, max_size=8)))
    files: dict[str, str] = {}
    for number, module in enumerate(modules):
        calls, imports = [f"amount * C{number}"], []
        for earlier in draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else ():
            style, name = ("", "f{1}") if modules[earlier] == module else draw(st.sampled_from(STYLES))
            imports.append(style.format(modules[earlier], earlier))
            calls.append(name.format(modules[earlier], earlier) + "(amount)")
        body = f"C{number} = {draw(st.integers(-9, 9))}\ndef f{number}(amount): return {' + '.join(calls)}\n"
        files[f"m{module}"] = files.get(f"m{module}", "") + "\n".join([*imports, body])
    last = f"from .m{modules[-1]} import f{len(modules) - 1} as last\ndef feature(amount): return last(amount)\n"
    return {**files, "features": last}


@given(_packages(), st.lists(st.floats(-1e6, 1e6), max_size=3))
@settings(max_examples=60)
def test_any_graph_of_helpers_comes_along(
    tmp_path_factory: pytest.TempPathFactory, files: Mapping[str, str], amounts: list[float]
) -> None:
    """Helpers that call one another across modules, imported in any way, compute the same from the bundle."""
    folder: Path = tmp_path_factory.mktemp("graph")
    with pytest.MonkeyPatch.context() as patch:
        package = UserPackage(folder, patch)
        package.write(files)
        original = package.function("features", "feature")
        bundle, expected = bundle_of([original]), original(np.array(amounts))
        package.delete()
        (restored,) = functions_of(bundle.content, bundle.digest)
        np.testing.assert_array_equal(restored(np.array(amounts)), expected)
