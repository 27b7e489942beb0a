"""``smallbox contract infer``: a first source from a file."""

import argparse
import sys
from pathlib import Path
from typing import Any

from smallbox.cli.data import existing
from smallbox.cli.output import printed


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    root = commands.add_parser("contract", help="contracts of sources")
    verbs = root.add_subparsers(title="verbs", required=True, metavar="verb")
    inferrer = verbs.add_parser("infer", help="print the code of a source whose contract a file keeps, to be corrected")
    inferrer.add_argument("file", type=Path, help="CSV, Parquet or JSON lines, each also with .gz")
    inferrer.add_argument("--name", help="the source's name; the file's when left out")
    people = printed(
        _infer, lambda document: document["code"].splitlines(), worked=lambda document: not document["open"]
    )
    inferrer.set_defaults(run=people)


def _infer(arguments: argparse.Namespace) -> dict[str, Any]:
    from smallbox.ingestion.infer import infer_source, read_rows, source_name  # noqa: PLC0415 - pyarrow is slow to load

    file = existing(arguments.file)
    with file.open("rb") as content:
        rows = read_rows(file.name, content)
    is_csv = file.name.lower().removesuffix(".gz").endswith(".csv")
    inferred = infer_source(arguments.name or source_name(file.name), rows, as_texts=is_csv)
    if inferred.problems:
        sys.stderr.write(f"not a valid source yet: {'; '.join(inferred.problems)}; the comments say what to do\n")
    return {"code": inferred.code, "open": list(inferred.problems)}
