"""Digests from columns, beside each record's own."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.lake.digests import digests
from smallbox.records import Record, Value


def _own(values: dict[str, Value]) -> str:
    return Record("s", "k", 1, 2, 3, values).digest


@pytest.mark.parametrize("character", [chr(code) for code in range(0x100)], ids=ascii)
def test_each_character_is_escaped_as_json_does(character: str) -> None:
    """Alone in its column, so that a column taken for plain is caught."""
    columns = {"b": pa.array([character, None]), "a": pa.array(["x", "y"])}
    assert digests("s", columns).to_pylist() == [_own({"a": "x", "b": character}), _own({"a": "y", "b": None})]


@given(st.lists(st.tuples(st.floats(), st.integers(-(2**63), 2**63 - 1), st.booleans()), max_size=5))
def test_numbers_are_written_as_json_does(rows: list[tuple[float, int, bool]]) -> None:
    """Whatever the double: negative zero, what is not finite, exponents; repeated values too."""
    rows = [*rows, *rows]
    kinds = {"f": pa.float64(), "i": pa.int64(), "b": pa.bool_()}
    columns = {name: pa.array([row[n] for row in rows], kind) for n, (name, kind) in enumerate(kinds.items())}
    assert digests("s", columns).to_pylist() == [_own(dict(zip(kinds, row, strict=True))) for row in rows]


def test_a_slice_is_digested_as_it_stands() -> None:
    """What lies beside a column's part in memory is not part of it."""
    column = pa.array(['"', "a", None, "é"]).slice(1, 2)
    assert digests("s", {"t": column}).to_pylist() == [_own({"t": "a"}), _own({"t": None})]
