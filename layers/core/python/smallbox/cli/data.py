"""``smallbox send`` and ``drop``: data in; ``rebuild`` and ``upkeep``: the stores anew and in order."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from smallbox.cli.local import stack
from smallbox.cli.output import json_lines, printed
from smallbox.cli.progress import machine_progress, progress
from smallbox.cli.system import FEATURE_QUEUES, System
from smallbox.define import project
from smallbox.errors import InvalidInput, NotFound, Unavailable

_LEAST_SECONDS: Final = 120
_BYTES_A_SECOND: Final = 200_000
"""Slower than any file is loaded: a large one is waited for longer."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    sender = commands.add_parser("send", help="send records over HTTPS; JSON lines from a file or standard input")
    sender.add_argument("source")
    sender.add_argument("file", nargs="?", type=Path, help="JSON lines; standard input when left out")
    sender.add_argument("--as-of", help="the moment of a replay, ISO 8601")
    sender.set_defaults(run=printed(_send))
    rebuilder = commands.add_parser("rebuild", help="the online states of a source's views anew, from the lake")
    rebuilder.add_argument("source")
    rebuilder.add_argument("--as-of", help="the moment of a replay, ISO 8601; the present when left out")
    rebuilder.set_defaults(run=printed(_rebuild))
    backfiller = commands.add_parser("backfill", help="the history of new or changed views, or of those that are named")
    backfiller.add_argument("view", nargs="*")
    backfiller.add_argument("--as-of", help="the moment of a replay, ISO 8601; the present when left out")
    backfiller.set_defaults(run=printed(_backfill))
    keeper = commands.add_parser("upkeep", help="bring the tables `current` forward, compact and vacuum the lake")
    keeper.add_argument("--as-of", help="the moment of a replay, ISO 8601; the present when left out")
    keeper.set_defaults(run=printed(_upkeep))
    dropper = commands.add_parser("drop", help="load a CSV, Parquet or JSON-lines file through the inbox")
    dropper.add_argument("source")
    dropper.add_argument("file", type=Path)
    dropper.add_argument("--as-of", help="the moment of a replay, ISO 8601")
    dropper.set_defaults(run=printed(_drop))


def _rebuild(arguments: argparse.Namespace) -> Any:
    project.load().source(arguments.source)
    with progress(arguments, f"rebuild of {arguments.source}"):
        System(stack()).rebuild(arguments.source, arguments.as_of)
    return {"rebuilt": arguments.source}


def _backfill(arguments: argparse.Namespace) -> Any:
    document = {"views": arguments.view} if arguments.view else {}
    if arguments.as_of:
        document["as_of"] = arguments.as_of
    system = System(stack())
    with machine_progress(arguments, system, "backfill"):
        return system.run("BackfillMachine", document)


def _upkeep(arguments: argparse.Namespace) -> Any:
    with progress(arguments, "upkeep of the lake"):
        return System(stack()).upkeep(arguments.as_of)


def _send(arguments: argparse.Namespace) -> Any:
    text = sys.stdin.read() if arguments.file is None else existing(arguments.file).read_text()
    lines = json_lines(text, str(arguments.file or "standard input"))
    return System(stack()).send(arguments.source, lines, arguments.as_of)


def _drop(arguments: argparse.Namespace) -> Any:
    system, file = System(stack()), existing(arguments.file)
    with progress(arguments, f"drop of {file.name}") as tell:
        return drop(system, arguments.source, file, arguments.as_of, tell)


def drop(
    system: System, source: str, file: Path, as_of: str | None = None, tell: Callable[[str], None] = lambda _: None
) -> Any:
    """Drop a file, wait until it is loaded and the online store is up to date; the loader's report.

    Args:
        system: where.
        source: whose records the file holds.
        file: CSV, Parquet or JSON lines.
        as_of: the moment of a replay, ISO 8601; the present when left out.
        tell: is told what is waited for.
    """
    folder = "" if as_of is None else f"as_of={as_of}/"
    key = f"drop/{source}/{folder}{time.time_ns()}-{file.name}"
    tell("upload")
    system.upload(key, file)
    tell("load")
    seconds = _LEAST_SECONDS + file.stat().st_size / _BYTES_A_SECOND
    report = read_report(system.wait_for_object("LakeBucket", f"reports/{key}.json", seconds))
    tell("online store")
    try:
        system.drain(FEATURE_QUEUES)
    except Unavailable as error:
        return {**report, "warning": f"loaded, but the online store may be behind: {error.message}"}
    return report


def read_report(content: bytes) -> Any:
    """The report of a dropped file.

    Raises:
        InvalidInput: when the file was refused, with the reason.
    """
    report = json.loads(content)
    if "error" in report:
        raise InvalidInput(report["error"]["message"], **report["error"]["details"])
    return report


def existing(file: Path) -> Path:
    """The file, or :class:`NotFound`."""
    if not file.is_file():
        raise NotFound(f"there is no file {str(file)!r}", file=str(file))
    return file
