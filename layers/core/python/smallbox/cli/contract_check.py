"""The check of contracts against what is deployed, before anything is deployed."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from smallbox.cli.checkout import state_folder
from smallbox.cli.contexts import LOCAL, Context
from smallbox.define.project import Project
from smallbox.define.refusals import LIVE, Reader, refusals
from smallbox.documents.deployed_contracts import ContractsSnapshot
from smallbox.errors import DefinitionError, Unavailable

if TYPE_CHECKING:
    from smallbox.cli.signed_requests import SignedHttp

_OK: Final = 200
_NO_ROUTE: Final = 404


def snapshot_file(context: Context) -> Path:
    """The file with the contracts that were deployed when a command last asked."""
    return state_folder() / f"contracts-{quote(context.name, safe='')}.json"


def forget_snapshot(context: Context) -> None:
    """Delete the snapshot: nothing is deployed."""
    snapshot_file(context).unlink(missing_ok=True)


def stored_snapshot(context: Context) -> ContractsSnapshot | None:
    """The stored snapshot; ``None`` when there is none. See :func:`require_compatible` for whose it is."""
    file = snapshot_file(context)
    if not file.is_file():
        return None
    snapshot: ContractsSnapshot = json.loads(file.read_text())
    return snapshot


def fetch_snapshot(context: Context, http: "SignedHttp | None") -> None:
    """Ask the deployed system for its contracts, and store them for the check.

    A system from before contracts had versions does not know the question; it is not checked this time.

    Args:
        context: which system it is.
        http: its API; ``None`` when nothing is deployed.

    Raises:
        Unavailable: when it does not answer, or answers with an error.
    """
    if http is None:
        forget_snapshot(context)
        return
    status, answer = http.request("GET", "/contracts")
    if status == _NO_ROUTE and "error" not in answer:  # an answer of the function itself has one
        sys.stderr.write("the deployed system has no GET /contracts yet; this deployment is not checked against it\n")
        forget_snapshot(context)
        return
    if status != _OK:
        raise Unavailable(
            f"the deployed contracts are not known: GET /contracts answered {status} ({str(answer)[:200]}); "
            f"nothing was deployed; {_without_asking(context)}"
        )
    snapshot_file(context).write_text(json.dumps(answer, indent=2))


def _without_asking(context: Context) -> str:
    if context == LOCAL:
        return "`smallbox down` deletes the local system and its data, and `smallbox up` then asks nothing"
    return "`npx cdk deploy --all` deploys without asking"


def contract_refusals(project: Project, context: Context) -> list[str]:
    """Why the project may not be deployed over what the stored snapshot says; nothing without a snapshot."""
    snapshot = stored_snapshot(context)
    if snapshot is None:
        return []
    return refusals(snapshot, project, [Reader.from_json(reader) for reader in snapshot["readers"]])


def require_compatible(project: Project, context: Context) -> None:
    """Raise unless the project may be deployed over what the stored snapshot says is deployed.

    The snapshot is that of the last `smallbox up`, `smallbox deploy` or `smallbox contract show --fetch`: synthesis
    alone asks no system. Without a snapshot nothing is checked.

    Raises:
        DefinitionError: lists every refusal, one line each.
    """
    found = contract_refusals(project, context)
    if found:
        lines = "".join(f"\n  {sentence}" for sentence in found)
        raise DefinitionError(
            f"the definitions do not fit what is deployed:{lines}\n({LIVE}; what is deployed: "
            f"{snapshot_file(context)}, stored by the last `smallbox up`, `smallbox deploy` or `smallbox contract "
            "show --fetch`)",
            refusals=found,
        )
