"""``smallbox contract infer``: a first source from a file."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smallbox.cli.data import existing
from smallbox.errors import UnsupportedType


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    root = commands.add_parser("contract", help="contracts of sources")
    verbs = root.add_subparsers(title="verbs", required=True, metavar="verb")
    inferrer = verbs.add_parser("infer", help="print the code of a source whose contract a file keeps, to be corrected")
    inferrer.add_argument("file", type=Path, help="CSV, Parquet or JSON lines, each also with .gz but Parquet")
    inferrer.add_argument("--name", help="the source's name; the file's when left out")
    inferrer.set_defaults(run=_infer)


def _infer(arguments: argparse.Namespace) -> None:
    import pandas as pd  # noqa: PLC0415 - half a second that `smallbox --help` need not pay

    from smallbox.ingestion.infer import infer_source  # noqa: PLC0415 - as pandas

    file = existing(arguments.file)
    kind = file.name.removesuffix(".gz").rpartition(".")[2]
    readers: dict[str, Callable[[Path], Any]] = {
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
        "jsonl": lambda path: pd.read_json(path, lines=True, dtype=False),
    }
    if kind not in readers:
        raise UnsupportedType(f"{file.name!r} is not read; give .csv, .parquet or .jsonl", file=file.name)
    name = arguments.name or file.name.split(".")[0].lower().replace("-", "_")
    sys.stdout.write(infer_source(name, readers[kind](file)))
