"""``smallbox drill``: inject a fault on a local stack of its own, and show what rang after how long."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from smallbox.cli.contexts import require_local
from smallbox.cli.output import Block, TableBlock, printed
from smallbox.define import project
from smallbox.errors import InvalidInput

_MODEL = "late_delivery"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    drill = commands.add_parser(
        "drill", help="inject a fault on a local stack of its own, and show which incident came after how long"
    )
    which = drill.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", help="the drill, like null_burst; --list shows them")
    which.add_argument(
        "--all", action="store_true", help="run all that a stack can have, each on a new one; takes hours"
    )
    which.add_argument("--list", action="store_true", help="show the drills, and what each must raise")
    drill.set_defaults(run=printed(_drill, _people, worked=lambda document: document["passed"]))


def _drill(arguments: argparse.Namespace) -> Any:
    require_local(arguments, "drill")
    from smallbox.cli.drills.table import DRILLS, drill_rows  # noqa: PLC0415 - slow imports only when needed

    if arguments.list:
        return {"passed": True, "drills": drill_rows()}
    if not arguments.all and arguments.name not in DRILLS:
        raise InvalidInput(f"there is no drill {arguments.name!r}; there is {', '.join(DRILLS)}")
    names = [name for name, one in DRILLS.items() if one.is_for_stacks and (arguments.all or name == arguments.name)]
    if not names:
        raise InvalidInput(f"no local stack can have {arguments.name}; the tests run this drill in one process")
    results = [result for name in names for result in _results(name)]
    return {"passed": all(one["passed"] for one in results), "results": results}


def _results(name: str) -> list[dict[str, Any]]:
    from smallbox.cli.drills.checkout import drilled_there  # noqa: PLC0415

    if _MODEL in project.load().models:  # this is the drills' checkout
        return [_drilled_here(name)]
    sys.stderr.write(f"drill {name}\n")
    found: list[dict[str, Any]] = drilled_there(name)["results"]
    return found


def _drilled_here(name: str) -> dict[str, Any]:
    from smallbox.cli.drills.drive import begin, run_drill  # noqa: PLC0415
    from smallbox.cli.drills.stack_site import StackSite  # noqa: PLC0415
    from smallbox.cli.drills.table import DRILLS  # noqa: PLC0415
    from smallbox.cli.system import System  # noqa: PLC0415
    from smallbox.cli.up import running  # noqa: PLC0415

    with running() as stack:
        site = StackSite(System(stack), _MODEL)
        begin(site)
        result = run_drill(DRILLS[name], site)
    return {**asdict(result), "passed": result.passed}


def _people(document: Any) -> Iterator[Block]:
    if "drills" in document:
        yield TableBlock(("drill", "what goes wrong", "what must come", "within days"), document["drills"])
        return
    rows = [
        [one["drill"], "yes" if one["passed"] else "no", _days(one["came"]), one["said"], "; ".join(one["others"])]
        for one in document["results"]
    ]
    yield TableBlock(("drill", "passed", "after days", "what came", "other incidents"), rows)


def _days(came: int | None) -> str:
    return {None: "never", 0: "-"}.get(came, str(came))
