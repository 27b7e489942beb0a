"""``smallbox incidents``: lists incidents, tells the story of one, acknowledges or closes it."""

import argparse
import getpass
from collections.abc import Iterator, Sequence
from typing import Any

from smallbox.cli.connect import system_of
from smallbox.cli.output import Block, TableBlock, cell, printed
from smallbox.cli.system import System
from smallbox.errors import InvalidInput, NotFound
from smallbox.monitoring.resolve import INCIDENT_ACTIONS

_USAGE = "smallbox incidents [MODEL [ID]] [--all], or smallbox incidents acknowledge|close ID --why TEXT"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "incidents",
        help="list incidents, tell the story of one, acknowledge or close it",
        usage=_USAGE,
        epilog="The exit code is 0 if the system answered, also with open incidents.",
    )
    parser.add_argument("words", nargs="*", metavar="MODEL ID", help="a model, an incident; or acknowledge or close ID")
    parser.add_argument("--all", action="store_true", help="list those that are closed too")
    parser.add_argument("--why", help="the reason to acknowledge or close, for the incident's story")
    parser.set_defaults(run=printed(_incidents, incident_blocks))


def _incidents(arguments: argparse.Namespace) -> Any:
    words: list[str] = arguments.words
    system = system_of(arguments)
    if words[:1] and words[0] in INCIDENT_ACTIONS:
        return _act(system, words, arguments.why)
    if len(words) > 2:  # noqa: PLR2004 - a model and an incident
        raise InvalidInput(f"write {_USAGE}")
    if len(words) == 1 and "-" in words[0]:  # an incident's id begins with its model
        words = [words[0].partition("-")[0], words[0]]
    found = _of_models(system, words[:1])
    if len(words) < 2:  # noqa: PLR2004
        return {"incidents": [one for one in found if arguments.all or one["state"] != "closed"]}
    told = [one for one in found if one["id"] == words[1]]
    if not told:
        raise NotFound(f"there is no incident {words[1]!r}; `smallbox incidents {words[0]} --all` lists them")
    return told[0]


def _act(system: System, words: Sequence[str], why: str | None) -> Any:
    if len(words) != 2 or not why:  # noqa: PLR2004 - the action and the incident
        raise InvalidInput(f"write smallbox incidents {words[0]} ID --why TEXT")
    action, id_ = words
    return system.change_incident({"incident": id_, "action": action, "why": why, "by": getpass.getuser()})


def _of_models(system: System, names: Sequence[str]) -> list[Any]:
    models = names or [one["name"] for one in system.request("GET", "/models")["models"]]
    return [one for name in models for one in system.request("GET", f"/models/{name}/incidents")["incidents"]]


def incident_blocks(document: Any) -> Iterator[Block]:
    """A table of incidents, or the story of one."""
    if "incidents" in document:
        rows = [[one["id"], one["state"], one["updated"], one["sentence"]] for one in document["incidents"]]
        yield TableBlock(("incident", "state", "last found", "what"), rows) if rows else "incidents: none"
        return
    yield f"{document['id']}: {document['state']}, opened {document['opened']}, last found {document['updated']}"
    yield f"to do: {document['remedy']}"
    yield f"affected: {cell(document['subjects'])}"
    yield f"expected rise of the mean loss: {cell(document['effect'])}"
    story = [[entry["at"], entry["event"], entry["sentence"], entry["link"]] for entry in document["story"]]
    yield TableBlock(("at", "event", "what", "see"), story, "story")
