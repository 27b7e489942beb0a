"""Input and output of commands: reads JSON lines; prints one document, as text or as JSON."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

from smallbox.errors import MalformedBody

MAX_ROWS_SHOWN: Final = 50
"""The maximum number of table rows in text output; ``--json`` has all."""

_WIDTH: Final = 200
"""The width of text output that is not for a terminal: wide enough to keep lines whole."""

_ONE_LINE: Final = 100


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table for people.

    Attributes:
        columns: the column names.
        rows: the cells, any JSON values.
        title: the title; empty for none.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""


Block = str | TableBlock
"""A line of text, or a table."""

Command = Callable[[argparse.Namespace], Any]
People = Callable[[Any], Iterable[Block]]


@dataclass(frozen=True, slots=True)
class Printed:
    """A command whose returned document is printed: as text, or with ``--json`` as JSON.

    Attributes:
        command: returns a JSON-ready document, or a dataclass.
        people: formats the document as text for people.
        worked: whether the exit code is 0, from the document.
    """

    command: Command
    people: People
    worked: Callable[[Any], bool]

    def __call__(self, arguments: argparse.Namespace) -> int:
        """Run the command; return the exit code."""
        document = _plain(self.command(arguments))
        if getattr(arguments, "json", False):
            write_json(document, sys.stdout)
        else:
            write(self.people(document), sys.stdout)
        return int(not self.worked(document))


def printed(command: Command, people: People | None = None, *, worked: Callable[[Any], bool] | None = None) -> Printed:
    """Wrap a command so that its document is printed.

    Args:
        command: returns a JSON-ready document, or a dataclass.
        people: formats the document as text for people; default: :func:`blocks_of`.
        worked: whether the exit code is 0; by default it is 1 only if all records were rejected.
    """
    return Printed(command, people or blocks_of, worked or _is_taken)


def _plain(document: Any) -> Any:
    is_instance = dataclasses.is_dataclass(document) and not isinstance(document, type)
    return dataclasses.asdict(document) if is_instance else document


def write_json(document: Any, stream: TextIO) -> None:
    """Write a document as JSON, for programs."""
    json.dump(document, stream, indent=2)
    stream.write("\n")
    stream.flush()


def write(blocks: Iterable[Block], stream: TextIO) -> None:
    """Write blocks as text, for people; without colours if the stream is not a terminal."""
    for block in blocks:
        if isinstance(block, str):
            stream.write(f"{block if block.isprintable() else cell(block)}\n")
        else:
            _write_table(block, stream)
    stream.flush()


def _write_table(table: TableBlock, stream: TextIO) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - a command that prints sentences need not load it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    is_terminal = stream.isatty()
    console = Console(
        file=stream,
        force_terminal=is_terminal,
        color_system="auto" if is_terminal else None,
        width=None if is_terminal else _WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
    )
    shown = Table(
        title=cell(table.title) if table.title else None,
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for at, name in enumerate(table.columns):
        is_number = any(isinstance(row[at], int | float) for row in table.rows)
        shown.add_column(cell(name), justify="right" if is_number else "left", overflow="fold")
    for row in table.rows[:MAX_ROWS_SHOWN]:
        shown.add_row(*map(cell, row))
    console.print(shown)
    if len(table.rows) > MAX_ROWS_SHOWN:
        stream.write(f"and {len(table.rows) - MAX_ROWS_SHOWN:,} more; --json has all\n")


def cell(value: Any) -> str:
    r"""Format a value for a cell or a line: numbers rounded, control characters escaped.

    >>> cell(0.70312), cell(1234567), cell(None), cell(True), cell("red\x1b[31m"), cell(["a", "b"])
    ('0.7031', '1,234,567', '-', 'yes', 'red\\x1b[31m', 'a, b')
    """
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{cell(name)}: {cell(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    text = str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def blocks_of(document: Any, name: str = "") -> Iterator[Block]:
    """Format any document: a list of records as a table, a value or a short record as a line.

    >>> list(blocks_of({"accepted": 2, "counts": {"train": 10}}))
    ['accepted: 2', 'counts: train: 10']
    """
    label = f"{name}: " if name else ""
    if _is_table(document):
        columns = list(dict.fromkeys(column for row in document for column in row))
        yield TableBlock(columns, [[row.get(column) for column in columns] for row in document], name)
    elif isinstance(document, Mapping) and document and not (name and _fits_a_line(document)):
        for key, value in document.items():
            yield from blocks_of(value, f"{name} {key}".strip())
    elif isinstance(document, list) and len(cell(document)) > _ONE_LINE:
        yield f"{label}{len(document)}"
        yield from (f"  {cell(one)}" for one in document)
    else:
        yield f"{label}{cell(document)}"


def _is_table(document: Any) -> bool:
    return isinstance(document, list) and bool(document) and all(isinstance(row, Mapping) for row in document)


def _fits_a_line(document: Mapping[str, Any]) -> bool:
    is_flat = not any(isinstance(value, Mapping) or _is_table(value) for value in document.values())
    return is_flat and len(cell(document)) <= _ONE_LINE


def _is_taken(document: Any) -> bool:
    if not isinstance(document, Mapping) or not document.get("rejected"):
        return True
    return bool(document.get("accepted") or document.get("scored"))


def json_lines(text: str, name: str) -> list[str]:
    """The non-blank lines of a text, each checked to be JSON.

    Raises:
        MalformedBody: names the first line that is not JSON.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                json.loads(line)
            except ValueError as error:
                raise MalformedBody(f"{name}:{number} is not JSON: {error}; nothing was sent") from error
            lines.append(line)
    return lines
