"""``smallbox replay``: replays historical data through the running system."""

import argparse
from pathlib import Path
from typing import Any

from smallbox.cli.checkout import state_folder
from smallbox.cli.contexts import require_local
from smallbox.cli.output import printed
from smallbox.cli.replay import summary
from smallbox.errors import InvalidInput
from smallbox.times import MINUTE, Micros, day_of, parse_day


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    replayer = commands.add_parser(
        "replay", help="replay historical data through the whole system: training, predictions, labels, checks"
    )
    replayer.add_argument("model")
    replayer.add_argument("files", nargs="+", metavar="SOURCE=FILE", help="CSV, Parquet or JSON lines, each also .gz")
    replayer.add_argument("--from", dest="first", type=midnight, required=True, help="the first day, like 2013-03-01")
    replayer.add_argument(
        "--to", dest="end", type=midnight, required=True, help="the midnight at which the replay ends"
    )
    replayer.add_argument(
        "--step",
        type=int,
        default=60,
        help="minutes between two predictions; default: 60; above, the monitor reports that requests are asked early",
    )
    replayer.add_argument("--report", type=Path, help="the path of the report; default: .smallbox/report.html")
    replayer.add_argument("--keep", action="store_true", help="leave the system running")
    replayer.set_defaults(run=printed(_replay, summary.replay_blocks, worked=summary.worked))


def midnight(text: str) -> Micros:
    """Parse a day argument; the midnight at which the day begins, in microseconds."""
    try:
        return parse_day(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write one like 2013-03-01") from error


def _replay(arguments: argparse.Namespace) -> Any:
    require_local(arguments, "replay")
    from smallbox.aws.clock import now  # noqa: PLC0415 - slow imports only when needed
    from smallbox.cli.replay.files import parse_files  # noqa: PLC0415
    from smallbox.cli.replay.progress import Progress  # noqa: PLC0415
    from smallbox.cli.replay.session import ReplayPlan, replay  # noqa: PLC0415
    from smallbox.cli.replay.span import Span  # noqa: PLC0415

    span = Span(arguments.first, arguments.end, arguments.step * MINUTE)
    if span.end > now():
        raise InvalidInput(f"--to {day_of(span.end)} is in the future; a replay needs past days")
    report = arguments.report or state_folder() / "report.html"
    plan = ReplayPlan(arguments.model, parse_files(arguments.files), span, report, arguments.keep)
    return replay(plan, Progress(is_quiet=arguments.json))
