"""The ``SOURCE=FILE`` arguments: reads the files of a replay and checks them against their sources."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from smallbox.cli.data import existing
from smallbox.cli.replay.recording import Recording, lay_out
from smallbox.cli.replay.span import Span
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.errors import InvalidInput, MalformedBody
from smallbox.ingestion.field_checks import listed
from smallbox.ingestion.readers import read_batches
from smallbox.times import format_moment

Files = Mapping[str, Sequence[Path]]


def parse_files(texts: Sequence[str]) -> dict[str, list[Path]]:
    """Parse arguments like ``payments=history.csv``; a source may have several files.

    >>> {name: [file.name for file in files] for name, files in parse_files(["a=x.csv", "a=y.csv"]).items()}
    {'a': ['x.csv', 'y.csv']}

    Raises:
        InvalidInput: if an argument has no source name or no file.
    """
    files: dict[str, list[Path]] = {}
    for text in texts:
        name, _, file = text.partition("=")
        if not name or not file:
            raise InvalidInput(f"{text!r}: write SOURCE=FILE, like payments=payments.csv")
        files.setdefault(name, []).append(Path(file))
    return files


def record(project: Project, model: Model, files: Files, span: Span) -> dict[str, Recording]:
    """Read every file and order its records in time, by source.

    Raises:
        NotFound: if a source or file does not exist.
        InvalidInput: if the source of requests or labels has no file, a file lacks a required column, or there is
            no request in the replayed days.
        MalformedBody, UnsupportedType: if a file cannot be parsed.
    """
    sources = {name: project.source(name) for name in files}
    for name in (model.request.name, model.label.source_name):
        if name not in files:
            raise InvalidInput(f"a replay of {model.name} needs a file of {name}: add {name}=FILE")
    recordings = {}
    for name, paths in files.items():
        required = model.request_fields if name == model.request.name else None
        recordings[name] = lay_out(sources[name], _rows(sources[name], paths), span, required)
    _check_asked(model, recordings[model.request.name], span)
    return recordings


def _check_asked(model: Model, requests: Recording, span: Span) -> None:
    if len(requests.asked):
        return
    name, between = requests.source.time, f"between {format_moment(span.start)} and {format_moment(span.end)}"
    if requests.refused:
        raise InvalidInput(f"all {requests.refused} records of {model.request.name} {between} break its contract")
    seen = "; none has one that can be read"
    if requests.times:
        first, last = map(format_moment, requests.times)
        seen = f"; the file goes from {first} to {last}"
    raise InvalidInput(f"there is nothing to predict: no record of {model.request.name} has {name} {between}{seen}")


def _rows(source: Source, paths: Sequence[Path]) -> Iterator[Any]:
    for path in paths:
        with _opened(existing(path)) as content:
            yield from _checked(source, path, content)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidInput(f"{str(path)!r} cannot be read: {error.strerror}", file=str(path)) from error


def _checked(source: Source, path: Path, content: BinaryIO) -> Iterator[Any]:
    """The rows of a file. Its columns are checked after the last row, still before anything is sent."""
    some: set[str] = set()
    every: set[str] | None = None
    for _, rows in read_batches(path.name, content, source):
        for row in rows:
            if isinstance(row, dict):
                some.update(row)
                every = set(row) if every is None else every & row.keys()
            yield row
    if every is None:
        raise MalformedBody(f"{str(path)!r} has no records", file=str(path))
    _check_columns(source, path, some, every)


def _check_columns(source: Source, path: Path, some: set[str], every: set[str]) -> None:
    needed = [name for name, field in source.fields.items() if not field.nullable and name not in some]
    unknown = sorted(every - source.fields.keys())
    if needed:
        said = f"has no column {listed(tuple(needed))}, which source {source.name} requires"
    elif unknown:
        said = f"has the column {listed(tuple(unknown))}, which is not a field of source {source.name}"
    else:
        return
    raise InvalidInput(f"{str(path)!r} {said}; it has {listed(tuple(sorted(some)))}", file=str(path))
