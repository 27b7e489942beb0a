"""``smallbox contract``: infers a first source definition from a file; shows the versions of contracts."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallbox.cli.contexts import Context, context_of
from smallbox.cli.contract_check import fetch_snapshot, snapshot_file, stored_snapshot
from smallbox.cli.data import existing
from smallbox.cli.output import Block, TableBlock, printed
from smallbox.cli.stack import Stack
from smallbox.cli.up import local_api
from smallbox.define import project
from smallbox.define.compatibility import changes
from smallbox.define.contract_document import contract_of_source, contract_version
from smallbox.documents.deployed_contracts import ContractDocument, DeployedSource

if TYPE_CHECKING:
    from smallbox.cli.signed_requests import SignedHttp


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    root = commands.add_parser("contract", help="contracts of sources")
    verbs = root.add_subparsers(title="verbs", required=True, metavar="verb")
    inferrer = verbs.add_parser("infer", help="infer a source and its contract from a file, and print the code to edit")
    inferrer.add_argument("file", type=Path, help="CSV, Parquet or JSON lines, each also with .gz")
    inferrer.add_argument("--name", help="the source's name; default: the file's name")
    people = printed(
        _infer, lambda document: document["code"].splitlines(), worked=lambda document: not document["open"]
    )
    inferrer.set_defaults(run=people)
    shower = verbs.add_parser("show", help="show the version of each contract, as defined and as deployed")
    shower.add_argument(
        "--fetch", action="store_true", help="ask the deployed system first; the default is what a command last stored"
    )
    shower.set_defaults(run=printed(_show, contract_blocks))


def _infer(arguments: argparse.Namespace) -> dict[str, Any]:
    from smallbox.ingestion.infer import infer_source, read_rows, source_name  # noqa: PLC0415 - pyarrow is slow to load

    file = existing(arguments.file)
    with file.open("rb") as content:
        rows = read_rows(file.name, content)
    is_csv = file.name.lower().removesuffix(".gz").endswith(".csv")
    inferred = infer_source(arguments.name or source_name(file.name), rows, as_texts=is_csv)
    if inferred.problems:
        sys.stderr.write(f"the source is incomplete: {'; '.join(inferred.problems)}; the comments say what to do\n")
    return {"code": inferred.code, "open": list(inferred.problems)}


def _show(arguments: argparse.Namespace) -> dict[str, Any]:
    sources = project.load().sources
    context = context_of(arguments)
    if arguments.fetch:
        fetch_snapshot(context, _api(context))
    snapshot = stored_snapshot(context)
    deployed = {} if snapshot is None else snapshot["sources"]
    return {
        "snapshot": None if snapshot is None else str(snapshot_file(context)),
        "sources": [_row(name, contract_of_source(source), deployed.get(name)) for name, source in sources.items()],
    }


def _api(context: Context) -> "SignedHttp | None":
    return local_api() if context.is_local else Stack.of(context).api()


def _row(source: str, contract: ContractDocument, deployed: DeployedSource | None) -> dict[str, Any]:
    row = {"source": source, "version": contract_version(contract)}
    if deployed is None:
        return {**row, "deployed": None, "since": None, "changes": []}
    since = {one["version"]: one["deployed_at"] for one in deployed["history"]}
    found = [f"{change.field} {change.what}".strip() for change in changes(deployed["contract"], contract)]
    return {**row, "deployed": deployed["version"], "since": since[deployed["version"]], "changes": found}


def contract_blocks(document: Any) -> Iterator[Block]:
    """A table of the versions, a line for each change that is not deployed, and where the deployed ones come from."""
    sources = document["sources"]
    columns = ("source", "version", "deployed version", "first deployed")
    yield TableBlock(columns, [[one[n] for n in ("source", "version", "deployed", "since")] for one in sources])
    yield from (f"{one['source']}: {change}" for one in sources for change in one["changes"])
    if document["snapshot"] is None:
        yield "no deployed contracts are stored here; `smallbox contract show --fetch` asks the running system"
    else:
        yield f"deployed versions: {document['snapshot']}; `--fetch` asks the running system anew"
