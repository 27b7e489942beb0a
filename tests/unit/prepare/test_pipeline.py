"""Proves that a preparation says what it cannot do, and that predicting does not load what prepares."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smallbox.define import Columns, prepare
from smallbox.errors import DefinitionError

COLUMNS = Columns(("temperature", "distance", "departure_minute"), ("carrier",))
DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"discretize": {"carrier": 8}},
            "'carrier' is not numeric; numeric columns are temperature, distance",
        ),
        ({"discretize": {"distance": 1}}, "at least 2"),
        ({"discretize": {"distance": True}}, "at least 2"),
        ({"discretize": {"distance": (1000, 500)}}, "ascending"),
        ({"discretize": {"distance": ()}}, "ascending"),
        ({"discretize": {"distance": "wide"}}, "ascending"),
        ({"discretize": {"distance": (0, float("inf"))}}, "ascending"),
        ({"numeric": {"imputation": "mean"}}, "no option 'imputation'; it has impute, indicate_missing, scale"),
        ({"numeric": {"impute": "middle"}}, "one of mean, median, most_frequent, a number, or None"),
        ({"numeric": {"impute": float("nan")}}, "one of mean, median, most_frequent, a number, or None"),
        ({"numeric": {"scale": "z-score"}}, "one of standard, robust, minmax, or None"),
        ({"categorical": {"encode": "hash"}}, "one of one-hot, ordinal"),
        ({"categorical": {"min_frequency": 1.5}}, "a whole number of rows, or a share"),
        ({"categorical": {"min_frequency": 0}}, "a whole number of rows, or a share"),
    ],
)
def test_what_it_cannot_do_it_says_with_what_there_is(options: Any, message: str) -> None:
    """A wrong column or option is refused when the pipeline is built, with those that there are."""
    with pytest.raises(DefinitionError, match=re.escape(message)):
        prepare(COLUMNS, **options)


def test_without_options_numbers_pass_and_texts_are_encoded() -> None:
    """Numbers go through as they are, missing ones too; groups without columns are left out."""
    assert [name for name, _, _ in prepare(COLUMNS).transformers] == ["numeric", "categorical"]
    assert prepare(COLUMNS).transformers[0][1] == "passthrough"
    only = prepare(Columns(("distance",), ()), discretize={"distance": 4})
    assert [(name, at) for name, _, at in only.transformers] == [("bins", [0])]


@pytest.mark.parametrize("page", ["quickstart.md", "stages/training.md"])
def test_the_pipelines_in_the_documentation_are_built(page: str) -> None:
    """Copied as they stand, they prepare, then classify."""
    (code,) = re.findall(r"```python\n(from sklearn.*?)```", (DOCS / page).read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own documentation
    builder = names.get("linear") or names["build_pipeline"]
    assert [name for name, _ in builder(COLUMNS).steps] == ["prepare", "classify"]


def test_a_definition_loads_no_scikit_learn() -> None:
    """Importing what a definition is written with, the example's own too, loads scikit-learn nowhere."""
    program = "import sys, smallbox.define, definitions.late_arrival; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.strip() == "False"
