"""CSV files: parses rows and header, and converts texts to the types of the contract."""

import csv
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from smallbox.define.source import Source
from smallbox.ingestion.lines import Lines, check_names

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def csv_rows(lines: Lines) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file including the header, each with the number of the line on which it begins."""
    for row in csv.reader(lines.texts(), strict=True):
        if row:
            lines.take_row()
            yield lines.row_line, row
        else:
            lines.forget_blank()
        lines.begin_row()


def header_of(rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """The header, which is the first row; empty when there are no rows.

    Raises:
        MalformedBody: when two columns have the same name.
    """
    _, header = next(rows, (0, []))
    check_names(header)
    return header


def reader_of(source: Source, name: str) -> Callable[[str], Any]:
    """The converter from text to the field's type; texts of an unknown column stay texts.

    >>> from smallbox.define import Source, boolean, integer, text, timestamp
    >>> source = Source("s", "id", "at", {"id": text(), "at": timestamp(), "n": integer(), "ok": boolean()})
    >>> [reader_of(source, name)(value) for name, value in {"id": "", "n": "3", "ok": "True", "x": ""}.items()]
    [None, 3, True, '']
    """
    return _VALUES[source.fields[name].type] if name in source.fields else str


def _text(value: str) -> Any:
    return value or None


def _number(value: str) -> Any:
    try:
        # Python parses 1_000 as a number; other languages do not
        return value if "_" in value else float(value)
    except ValueError:
        return value or None


def _integer(value: str) -> Any:
    number = value.removeprefix("-")
    return int(value) if number.isascii() and number.isdigit() and len(number) < 20 else _number(value)  # noqa: PLR2004 - digits of 64 bits


def _boolean(value: str) -> Any:
    return _BOOLEANS.get(value.lower(), value or None)


_VALUES: Final[Mapping[str, Callable[[str], Any]]] = {
    "text": _text,
    "timestamp": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}
