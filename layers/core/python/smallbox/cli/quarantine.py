"""``smallbox quarantine``: lists, shows and resends rejected records."""

import argparse
from dataclasses import asdict
from typing import Any

from smallbox.cli.connect import system_of
from smallbox.cli.data import caught_up
from smallbox.cli.output import printed
from smallbox.cli.system import System
from smallbox.define import project
from smallbox.ingestion.quarantine import Quarantine


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    root = commands.add_parser("quarantine", help="rejected records: list, show, or replay them")
    verbs = root.add_subparsers(title="verbs", required=True, metavar="verb")
    lister = verbs.add_parser("list", help="count quarantined records by source, day and batch")
    lister.add_argument("source", nargs="?", default="")
    lister.set_defaults(run=printed(_list))
    shower = verbs.add_parser("show", help="show the records of a source and a day with their reasons")
    shower.set_defaults(run=printed(_show))
    replayer = verbs.add_parser("replay", help="send them again, after the contract or the sender has been fixed")
    replayer.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    replayer.set_defaults(run=printed(_replay))
    for parser in (shower, replayer):
        parser.add_argument("source")
        parser.add_argument("day", nargs="?", default="", help="like 2013-03-05; default: all days")


def _quarantine(system: System) -> Quarantine:
    from smallbox.aws.blobs import S3Blobs  # noqa: PLC0415 - boto3 is slow to import

    return Quarantine(S3Blobs(system.outputs["LakeBucket"], system.client("s3")))


def _list(arguments: argparse.Namespace) -> Any:
    return {"waiting": [asdict(batch) for batch in _quarantine(system_of(arguments)).batches(arguments.source)]}


def _show(arguments: argparse.Namespace) -> Any:
    quarantine = _quarantine(system_of(arguments))
    return [r for batch in quarantine.batches(arguments.source, arguments.day) for r in quarantine.read(batch)]


def _replay(arguments: argparse.Namespace) -> Any:
    system = system_of(arguments)
    return send_again(system, _quarantine(system), arguments.source, arguments.day, arguments.as_of)


def send_again(system: System, quarantine: Quarantine, source: str, day: str, as_of: str | None) -> Any:
    """Resend a source's quarantined records; return how many were accepted, and which were rejected again."""
    project.load().source(source)
    answers = [
        quarantine.replay(batch, lambda lines: system.send(source, lines, as_of))
        for batch in quarantine.batches(source, day)
    ]
    rejected = [rejection for answer in answers for rejection in answer["rejected"]]
    accepted = sum(answer["accepted"] for answer in answers)
    return {"accepted": accepted, "rejected": rejected, **caught_up(system, "sent")}
