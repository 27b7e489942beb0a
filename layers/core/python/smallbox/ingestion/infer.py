"""A first contract from a file: the source that a user then corrects."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from keyword import iskeyword
from typing import Any, BinaryIO, Final

from smallbox.define.fields import Field, FieldType
from smallbox.define.source import Source
from smallbox.errors import MalformedBody
from smallbox.ingestion.contract import contract_of
from smallbox.ingestion.readers import read_batches, reader_of
from smallbox.ingestion.values import shown
from smallbox.records import Rejection

MOST_CHOICES: Final = 12
LEAST_REPEATS: Final = 20
"""A text is taken for one of few choices when each stands in so many rows on average."""

_KINDS: Final[tuple[FieldType, ...]] = ("timestamp", "boolean", "integer", "number", "text")
_WHOLE: Final = re.compile(r"-?(0|[1-9]\d*)")
_LEADING_ZERO: Final = re.compile(r"-?0\d")
_KEY, _TIME = "trial_key", "trial_time"
_TRIAL: Final[Mapping[str, Field]] = {_KEY: Field("text"), _TIME: Field("timestamp")}


def read_rows(name: str, content: BinaryIO) -> list[Mapping[str, Any]]:
    """The rows of a file as a drop reads them, texts of a CSV file still as texts.

    Raises:
        UnsupportedType, MalformedBody: when it cannot be read, or a row is no object.
    """
    nothing = Source("trial", key=_KEY, time=_TIME, fields=_TRIAL)
    rows: list[Mapping[str, Any]] = []
    for first, batch in read_batches(name, content, nothing):
        for at, row in enumerate(batch, first):
            if not isinstance(row, dict):
                raise MalformedBody(f"row {at} of {name!r} is {shown(row)}; it must be a JSON object, so mend it first")
            rows.append(row)
    return rows


def infer_source(name: str, rows: Sequence[Mapping[str, Any]], *, as_texts: bool) -> str:
    """Python code of a source whose contract all the rows keep, when it is dropped.

    Types, nullability and lower limits of zero are read off the rows; a text with few values becomes choices. Between
    which numbers a column lay stands in a comment: a file does not say what may come. The key is the first text column
    without repeats, the event time the first column of moments without nulls.

    Args:
        name: the source's name.
        rows: values by column name; a column that a row lacks is null there.
        as_texts: whether values are texts that a drop reads as the field's type, as in a CSV file.

    Raises:
        MalformedBody: when there is no key or no event time among the columns, or a column fits no kind of field.
        DefinitionError: when a column or the source has a name that a definition cannot have.
    """
    names = dict.fromkeys(column for row in rows for column in row)
    columns = [_Column(column, [row.get(column) for row in rows], as_texts=as_texts) for column in names]
    key = next((c for c in columns if c.is_key and c.kind == "text"), None)
    if key is None and as_texts:
        key = next((c for c in columns if c.is_key and c.kind == "integer"), None)
    time = next((c for c in columns if c.kind == "timestamp" and not c.is_nullable), None)
    if key is None or time is None:
        raise MalformedBody(
            f"found key column {key and key.name} and time column {time and time.name}: a source needs a text column "
            "without repeats, and one of ISO 8601 moments with their offset and without nulls; add what is missing"
        )
    key.kind = "text"
    Source(name, key.name, time.name, {column.name: Field(column.kind) for column in columns})  # refuses wrong names
    return _code(name, key.name, time.name, columns)


def _code(name: str, key: str, time: str, columns: Iterable["_Column"]) -> str:
    fields = [f'        "{column.name}": {column.code(is_key=column.name == key)},{column.seen}' for column in columns]
    imports = sorted({line.split(": ")[1].split("(")[0] for line in fields} | {"Source"})
    lines = [
        f"from smallbox.define import {', '.join(imports)}",
        "",
        f"{name}_source = Source(" if iskeyword(name) or name in imports else f"{name} = Source(",
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


class _Column:
    """A column, and the first kind of field that takes all its values."""

    def __init__(self, name: str, values: Sequence[Any], *, as_texts: bool) -> None:
        self.name = name
        self._rows = len(values)
        self._distinct = _distinct(name, values, as_texts=as_texts)
        known = sum(value is not None and not (as_texts and value == "") for value in values)
        self.is_nullable = known < len(values)
        self.is_key = bool(values) and not self.is_nullable and len(self._distinct) == len(values) and "" not in values
        self._as_texts = as_texts
        self._values: list[Any] = []
        self.kind: FieldType = self._kind()

    def _kind(self) -> FieldType:
        if not self._distinct:
            return "text"
        for kind in _KINDS:
            values = self._taken(kind)
            if values is not None:
                self._values = values
                return kind
        raise MalformedBody(
            f"column {self.name!r} fits no kind of field, with values like {shown(self._distinct[0])}; a text has at "
            "most 256 characters, a number is at most 10^12, a moment has its offset; mend it or leave it out"
        )

    def _taken(self, kind: FieldType) -> list[Any] | None:
        """The values as that kind of field; ``None`` when it does not take one of them."""
        trial = Source("trial", _KEY, _TIME, {**_TRIAL, self.name: Field(kind)})
        contract, taken = contract_of(trial), []
        for value in self._distinct:
            if _is_misread(kind, value):
                return None
            read = reader_of(trial, self.name)(value) if self._as_texts else value
            found = contract.check_values({self.name: read}, 0, ())
            if isinstance(found, Rejection):
                return None
            taken.append(found[self.name])
        return taken

    @property
    def seen(self) -> str:
        """A comment that says between which numbers the values lay."""
        if self.kind not in {"integer", "number"} or not self._values:
            return ""
        return f"  # {min(self._values):g} to {max(self._values):g} here"

    def code(self, *, is_key: bool) -> str:
        """The field as a definition writes it."""
        rules = [] if is_key else self._rules()
        return f"{self.kind}({', '.join([*rules, *(['nullable=True'] if self.is_nullable else [])])})"

    def _rules(self) -> list[str]:
        if self.kind in {"integer", "number"}:
            return ["minimum=0"] if min(self._values) >= 0 else []
        values = sorted(map(str, self._values))
        if self.kind != "text" or not 0 < len(values) <= MOST_CHOICES or self._rows < LEAST_REPEATS * len(values):
            return []
        choices = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
        return [f"choices=({choices}{',' if len(values) == 1 else ''})"]


def _distinct(name: str, values: Sequence[Any], *, as_texts: bool) -> list[Any]:
    """Values that are not null, each once; ``True`` is not 1."""
    try:
        found = {(type(value), value): value for value in values if value is not None}
    except TypeError:
        raise MalformedBody(
            f"column {name!r} holds arrays or objects, which no kind of field takes; leave it out, or make a column "
            "of each part"
        ) from None
    return [value for value in found.values() if not (as_texts and value == "")]


def _is_misread(kind: FieldType, value: Any) -> bool:
    """Whether a value could be read as that kind and is none: a code with zeros in front, 1 for true, 3.0 for 3."""
    if isinstance(value, float):
        return kind == "integer"
    if not isinstance(value, str):
        return False
    if kind == "boolean":
        return value in {"0", "1"}
    if kind == "integer":
        return _WHOLE.fullmatch(value) is None
    return kind == "number" and _LEADING_ZERO.match(value) is not None


def source_name(file_name: str) -> str:
    """A source's name from a file's.

    >>> source_name("2013 Flights-new.csv.gz")
    'source_2013_flights_new'
    """
    name = re.sub(r"[^a-z0-9_]", "_", file_name.split(".", maxsplit=1)[0].lower())
    return (name if re.match("[a-z]", name) else f"source_{name}")[:63]
