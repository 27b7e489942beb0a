"""Schema inference: drafts a source definition from a file, for the user to correct."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, BinaryIO, Final

from smallbox.define.fields import Field, FieldType
from smallbox.define.source import Source, check_name
from smallbox.errors import DefinitionError, MalformedBody
from smallbox.ingestion import infer_candidates as candidates
from smallbox.ingestion.contract import contract_of
from smallbox.ingestion.csv_files import reader_of
from smallbox.ingestion.field_checks import shown
from smallbox.ingestion.readers import read_batches
from smallbox.records import Rejection

MAX_CHOICES: Final = 12
"""A text column with more distinct values gets no choices."""

MIN_REPEATS: Final = 20
"""A text column gets choices only when each distinct value occurs in this many rows on average."""

_KINDS: Final[tuple[FieldType, ...]] = ("timestamp", "boolean", "integer", "number", "text")
_WHOLE: Final = re.compile(r"-?(0|[1-9]\d*)")
_LEADING_ZERO: Final = re.compile(r"-?0\d")
_KEY, _TIME, _VALUE = "trial_key", "trial_time", "trial_value"
_TRIAL: Final[Mapping[str, Field]] = {_KEY: Field("text"), _TIME: Field("timestamp")}


def read_rows(name: str, content: BinaryIO) -> list[Mapping[str, Any]]:
    """Read the rows of a file as the loader does; the values of a CSV file stay texts.

    Raises:
        UnsupportedType, MalformedBody: when the file cannot be read, or a row is not an object.
    """
    nothing = Source("trial", key=_KEY, time=_TIME, fields=_TRIAL)
    rows: list[Mapping[str, Any]] = []
    for first, batch in read_batches(name, content, nothing):
        for at, row in enumerate(batch, first):
            if not isinstance(row, dict):
                raise MalformedBody(f"row {at} of {name!r} is {shown(row)}; it must be a JSON object; correct it first")
            rows.append(row)
    return rows


@dataclass(frozen=True, slots=True)
class InferredSource:
    """A drafted source definition.

    Attributes:
        code: its Python code; comments say what to choose and what to correct.
        problems: why it is not yet a source that accepts all rows, a few words each; empty when it is.
    """

    code: str
    problems: tuple[str, ...]


def infer_source(name: str, rows: Sequence[Mapping[str, Any]], *, as_texts: bool) -> InferredSource:
    """Draft Python code of a source whose contract accepts all rows when the file is dropped.

    Types, nullability and minimums of zero follow from the rows. A text column with few distinct values gets choices.
    The range of a number column becomes a comment, not a limit, because future values may lie outside. The key is the
    first text column without duplicates; the event time is the first timestamp column without nulls. Without one, the
    best candidates are listed with what to change.

    Args:
        name: the source's name.
        rows: values by column name; a missing column is null.
        as_texts: whether all values are texts that the loader converts to the field's type, as in a CSV file.

    Raises:
        DefinitionError: when the name is not a valid source name.
    """
    check_name("source", name)
    names = dict.fromkeys(column for row in rows for column in row)
    columns = [_Column(column, [row.get(column) for row in rows], as_texts=as_texts) for column in names]
    fields = [column for column in columns if not column.problem]
    key = next((c for c in fields if c.is_key and c.kind == "text"), None)
    if key is None and as_texts:
        key = next((c for c in fields if c.is_key and c.kind == "integer"), None)
    time = next((c for c in fields if c.kind == "timestamp" and not c.is_nullable), None)
    if key is not None:
        key.kind = "text"
    problems = [f"column {column.name!r} {column.problem}" for column in columns if column.problem]
    choices = _choices(columns, has_key=key is not None, has_time=time is not None)
    remarks = [*problems, *(line for lines in choices.values() for line in lines)]
    code = _code(name, key.name if key else "", time.name if time else "", fields, remarks)
    return InferredSource(code, (*problems, *choices))


def _choices(columns: Sequence["_Column"], *, has_key: bool, has_time: bool) -> dict[str, list[str]]:
    """The choices that are left to the user, each with its comment lines."""
    seen = [column.sampled() for column in columns]
    choices: dict[str, list[str]] = {}
    if not has_key:
        near = candidates.keys(seen) or ["no column qualifies; make one, for example of customer id and time"]
        head = "choose a key: a unique text for each row, never null"
        choices["it has no key column"] = [head, *(f"  {line}" for line in near)]
    if not has_time:
        near = candidates.times(seen) or ["no column looks like a timestamp; add one"]
        head = "choose a time: when it happened, with its offset, like 2013-01-31T10:00:00Z, never null"
        choices["it has no time column"] = [head, *(f"  {line}" for line in near)]
    return choices


def _code(name: str, key: str, time: str, columns: Iterable["_Column"], remarks: Sequence[str]) -> str:
    fields = [f'        "{column.name}": {column.code(is_key=column.name == key)},{column.seen}' for column in columns]
    imports = sorted({line.split(": ")[1].split("(")[0] for line in fields} | {"Source"})
    lines = [
        f"from smallbox.define import {', '.join(imports)}",
        "",
        *(["# This is not a valid source yet. Correct the file, then infer it again:"] if remarks else []),
        *(f"# {'  ' if remark.startswith('  ') else '- '}{remark.strip()}" for remark in remarks),
        f"{name}_source = Source(" if iskeyword(name) or name in imports else f"{name} = Source(",
        f'    "{name}",',
        f'    key="{key}",' if key else '    key="",  # choose one',
        f'    time="{time}",' if time else '    time="",  # choose one',
        '    known_after="0s",  # how long after that moment a record is known; leave it out for "when received"',
        "    fields={",
        *fields,
        "    },",
        ")",
    ]
    return "\n".join(lines) + "\n"


class _Column:
    """A column, and the first field type that accepts all its values.

    Attributes:
        name: its name.
        is_nullable: whether it is null in a row.
        is_key: whether it is unique and never null or empty.
        problem: why it cannot be a field; empty when it can.
        kind: the field type; undefined when there is a problem.
    """

    def __init__(self, name: str, values: Sequence[Any], *, as_texts: bool) -> None:
        self.name = name
        self._rows = len(values)
        self._known = sum(value is not None and not (as_texts and value == "") for value in values)
        self.is_nullable = self._known < len(values)
        self._as_texts = as_texts
        self._values: list[Any] = []
        self._distinct: list[Any] = []
        self.kind: FieldType = "text"
        kind_problem = "holds arrays or objects, which a field cannot hold; leave it out, or make a column of each part"
        with suppress(TypeError):
            self._distinct = _distinct(values, as_texts=as_texts)
            kind_problem = self._kind_problem()
        self._fits = not kind_problem
        self.problem = _name_problem(name) or kind_problem
        self.is_key = bool(values) and not self.is_nullable and len(self._distinct) == len(values) and "" not in values

    def sampled(self) -> candidates.SampledColumn:
        """The column's summary, for the search for key and time."""
        return candidates.SampledColumn(
            self.name, self._rows, self._known, self._distinct, self.kind if self._fits else ""
        )

    def _kind_problem(self) -> str:
        """Set the kind; returns why no kind fits, empty when one does."""
        if not self._distinct:
            return ""
        for kind in _KINDS:
            values = self._taken(kind)
            if values is not None:
                self.kind, self._values = kind, values
                return ""
        return (
            f"fits no type of field, with values like {shown(self._distinct[0])}; a text has at most 256 characters, "
            "a number is at most 10^12, a timestamp has an offset from UTC; correct it or leave it out"
        )

    def _taken(self, kind: FieldType) -> list[Any] | None:
        """The values, converted to this field type; ``None`` when it does not accept one of them."""
        trial = _trial(_VALUE, kind)
        contract, taken = contract_of(trial), []
        for value in self._distinct:
            if _is_misread(kind, value):
                return None
            read = reader_of(trial, _VALUE)(value) if self._as_texts else value
            found = contract.check_values({_VALUE: read}, 0, ())
            if isinstance(found, Rejection):
                return None
            taken.append(found[_VALUE])
        return taken

    @property
    def seen(self) -> str:
        """A comment with the range of the values."""
        if self.kind not in {"integer", "number"} or not self._values:
            return ""
        return f"  # {min(self._values):g} to {max(self._values):g} here"

    def code(self, *, is_key: bool) -> str:
        """The Python code of the field."""
        rules = [] if is_key else self._rules()
        return f"{self.kind}({', '.join([*rules, *(['nullable=True'] if self.is_nullable else [])])})"

    def _rules(self) -> list[str]:
        if self.kind in {"integer", "number"}:
            return ["minimum=0"] if min(self._values) >= 0 else []
        values = sorted(map(str, self._values))
        if self.kind != "text" or not 0 < len(values) <= MAX_CHOICES or self._rows < MIN_REPEATS * len(values):
            return []
        choices = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
        return [f"choices=({choices}{',' if len(values) == 1 else ''})"]


def _distinct(values: Sequence[Any], *, as_texts: bool) -> list[Any]:
    """Distinct values without null; ``True`` and 1 are distinct. Raises ``TypeError`` for arrays and objects."""
    found = {(type(value), value): value for value in values if value is not None}
    return [value for value in found.values() if not (as_texts and value == "")]


def _name_problem(name: str) -> str:
    try:
        _trial(name, "text")
    except DefinitionError as error:
        return f"must be renamed: {error.message.removeprefix('source trial: ')}"
    return ""


def _trial(name: str, kind: FieldType) -> Source:
    """A source with this one field besides a key and a time."""
    return Source("trial", _KEY, _TIME, {**_TRIAL, name: Field(kind)})


def _is_misread(kind: FieldType, value: Any) -> bool:
    """Whether the type would accept the value but change its meaning: leading zeros, 1 as true, 3.0 as 3."""
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
    """Derive a source name from a file name.

    >>> source_name("2013 Flights-new.csv.gz")
    'source_2013_flights_new'
    """
    name = re.sub(r"[^a-z0-9_]", "_", file_name.split(".", maxsplit=1)[0].lower())
    return (name if re.match("[a-z]", name) else f"source_{name}")[:63]
