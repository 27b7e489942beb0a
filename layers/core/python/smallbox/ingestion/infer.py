"""A first contract from a file: the source that a user then corrects."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from smallbox.errors import MalformedBody

MOST_CHOICES: Final = 12
LEAST_REPEATS: Final = 20
"""A text is taken for one of few choices when each stands in so many rows on average."""
_SHARE_OF_MOMENTS: Final = 0.99


def infer_source(name: str, rows: pd.DataFrame) -> str:
    """Python code of a source whose contract all the rows keep.

    Types, nullability and lower limits of zero are read off the rows; a text with few values becomes choices. The key
    is the first text column without repeats, the event time the first column of moments.

    Raises:
        MalformedBody: when there is no key or no event time among the columns.
    """
    floats = [column for column in rows if pd.api.types.is_float_dtype(rows[column].dtype)]
    rows = rows.assign(**rows.drop(columns=floats).convert_dtypes())
    moments = [column for column in rows if _is_moment(rows[column])]
    keys = [column for column in rows if column not in moments and _is_key(rows[column])]
    if not moments or not keys:
        raise MalformedBody(
            f"found key columns {keys} and time columns {moments}: a source needs a text column without repeats, and "
            "one of ISO 8601 moments with their offset; add what is missing to the file"
        )
    fields = [f'        "{column}": {_field(rows[column], column in moments)},' for column in rows]
    imports = sorted({line.split(": ")[1].split("(")[0] for line in fields} | {"Source"})
    return _code(name, str(keys[0]), str(moments[0]), fields, imports)


def _code(name: str, key: str, time: str, fields: Sequence[str], imports: Sequence[str]) -> str:
    lines = [
        f"from smallbox.define import {', '.join(imports)}",
        "",
        f"{name} = Source(",
        f'    "{name}",',
        f'    key="{key}",',
        f'    time="{time}",',
        '    known_after="0s",  # how long after that moment a record is known; leave it out for "when received"',
        "    fields={",
        *fields,
        "    },",
        ")",
    ]
    return "\n".join(lines) + "\n"


def _is_key(column: "pd.Series[Any]") -> bool:
    return pd.api.types.is_string_dtype(column.dtype) and bool(column.is_unique) and not column.hasnans


def _is_moment(column: "pd.Series[Any]") -> bool:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return True
    known = column.dropna()
    if not pd.api.types.is_string_dtype(column.dtype) or not len(known):
        return False
    texts = known.astype(str)
    offset = texts.str.contains(r"\d[T ]\d.*(?:Z|[+-]\d\d:?\d\d)$", regex=True)
    parsed = pd.to_datetime(texts.where(offset), errors="coerce", utc=True, format="ISO8601")
    return float(parsed.notna().mean()) >= _SHARE_OF_MOMENTS


def _field(column: "pd.Series[Any]", is_moment: bool) -> str:  # noqa: FBT001 - a private detail of one call
    nullable = ["nullable=True"] if column.hasnans else []
    if is_moment:
        return f"timestamp({', '.join(nullable)})"
    if pd.api.types.is_bool_dtype(column.dtype):
        return f"boolean({', '.join(nullable)})"
    if pd.api.types.is_numeric_dtype(column.dtype):
        kind = "integer" if pd.api.types.is_integer_dtype(column.dtype) else "number"
        least = ["minimum=0"] if float(column.min()) >= 0 else []
        return f"{kind}({', '.join([*least, *nullable])})"
    return f"text({', '.join([*_choices(column), *nullable])})"


def _choices(column: "pd.Series[Any]") -> list[str]:
    values = sorted(map(str, column.dropna().unique()))
    if not values or len(values) > MOST_CHOICES or len(column) < LEAST_REPEATS * len(values):
        return []
    return [f"choices=({', '.join(repr(v) for v in values)},)"]
