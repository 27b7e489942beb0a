"""Proves what conditions and attributes may be written on, and what each condition says of a record."""

from typing import Any

import numpy as np
import pytest

from smallbox.define import (
    Attributes,
    FeatureView,
    Source,
    above,
    at_least,
    at_most,
    attribute,
    below,
    boolean,
    count,
    distinct,
    equal,
    first,
    number,
    one_of,
    rate,
    std,
    text,
    timestamp,
    unequal,
)
from smallbox.define.conditions import Condition
from smallbox.errors import DefinitionError
from smallbox.features.windows.operand_columns import CodedTexts, FieldColumn, holds

source = Source(
    "s",
    "id",
    "at",
    {"id": text(), "at": timestamp(), "who": text(), "x": number(nullable=True), "ok": boolean()},
    known_after="0s",
)
COLUMNS: dict[str, FieldColumn] = {
    "x": np.array([1.0, 2.0, 3.0, np.nan]),
    "who": CodedTexts(["a", "b"], np.array([0, 1, 0, -1])),
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (equal("x", 2), [0, 1, 0]),
        (unequal("x", 2), [1, 0, 1]),
        (above("x", 2), [0, 0, 1]),
        (at_least("x", 2), [0, 1, 1]),
        (below("x", 2), [1, 0, 0]),
        (at_most("x", 2), [1, 1, 0]),
        (equal("who", "a"), [1, 0, 1]),
        (unequal("who", "a"), [0, 1, 0]),
        (one_of("who", ["b", "c"]), [0, 1, 0]),
    ],
)
def test_a_condition_holds_fails_or_has_nothing_to_say(condition: Condition, expected: list[int]) -> None:
    """Each condition on numbers and texts, by hand; of a null it says nothing."""
    np.testing.assert_array_equal(holds(condition, COLUMNS), [*expected, np.nan])


@pytest.mark.parametrize(
    ("feature", "match"),
    [
        (count("1h", where=equal("nowhere", 1)), "'nowhere' is not a field of the source"),
        (count("1h", where=above("who", 1)), "'who' is a text field"),
        (count("1h", where=equal("x", "a")), "'x' is a number field"),
        (count("1h", where=Condition("who", ">", "a")), "write equal, unequal or one_of"),
        (count("1h", where=equal("at", 1)), "'at' is a timestamp field"),
        (count("1h", where=("who", "a")), "'who' is not a condition; write like equal"),  # type: ignore[arg-type]
        (rate("", "1h"), "a rate needs a boolean field or a condition"),
        (rate("x", "1h"), "must be a boolean field"),
        (std("who", "1h"), "must be a boolean or integer or number field"),
        (first("nowhere", "1h"), "it has id, at, who, x, ok"),
        (distinct("at", "1h"), "must be a boolean or integer or number or text field"),
    ],
)
def test_a_wrong_aggregate_is_named(feature: Any, match: str) -> None:
    """What a source cannot answer is refused on import, with what there is."""
    with pytest.raises(DefinitionError, match=f"view v: f: .*{match}|view v: f {match}|{match}"):
        FeatureView("v", "who", source, {"f": feature})


@pytest.mark.parametrize(
    ("feature", "match"),
    [
        (attribute("at"), "holds a number, a boolean or a text"),
        (attribute("nowhere"), "it has id, at, who, x, ok"),
        (attribute("x", default="a"), "default='a' is not a number"),
        (attribute("who", default=1.0), "default=1.0 is not a text"),
    ],
)
def test_a_wrong_attribute_is_named(feature: Any, match: str) -> None:
    """An attribute of no field, of a moment, or with another kind of default is refused."""
    with pytest.raises(DefinitionError, match=match):
        Attributes("v", "who", source, {"f": feature})


def test_a_state_that_could_not_be_stored_is_refused() -> None:
    """Sketches that a busy entity could fill beyond an item's limit are refused with the definition."""
    with pytest.raises(DefinitionError, match=r"could have .* KB; the maximum is 390"):
        FeatureView("v", "who", source, {name: distinct(name, "7d") for name in ("who", "x", "id")})
    FeatureView("v", "who", source, {name: distinct(name, "7d") for name in ("who", "x")})
    FeatureView("v", "who", source, {"d": distinct("x", "90d"), "s": std("x", "90d"), "n": count("5m")})


def test_one_text_is_not_some_texts() -> None:
    """A bare text would be taken for its letters."""
    with pytest.raises(DefinitionError, match="give several texts"):
        one_of("who", "abc")
