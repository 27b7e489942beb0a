"""``smallbox demo``: a replay of real flights."""

import argparse
from collections.abc import Iterator
from functools import partial
from typing import Any

from smallbox.cli.checkout import state_folder
from smallbox.cli.contexts import require_local
from smallbox.cli.demo import CHANGED, END, MODEL, OTHERS, START, UNTIL
from smallbox.cli.output import Block, printed
from smallbox.cli.replay import summary
from smallbox.cli.replay.span import Span
from smallbox.times import DAY, MINUTE, parse_day


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    demo = commands.add_parser("demo", help="run the whole loop once on real flights; takes some minutes")
    demo.add_argument(
        "--until", type=_day, default=UNTIL, help=f"the midnight at which the replay ends; default: {UNTIL}"
    )
    demo.add_argument(
        "--step", type=int, default=60, choices=(15, 30, 60), help="minutes between two predictions; default: 60"
    )
    demo.add_argument("--keep", action="store_true", help="leave the system running")
    demo.set_defaults(run=printed(_replay, _people, worked=summary.worked))


def _day(text: str) -> str:
    if not text > START or parse_day(text) > parse_day(END):
        raise argparse.ArgumentTypeError(f"write a day after {START} and before 2014, like {UNTIL}")
    return text


def _replay(arguments: argparse.Namespace) -> Any:
    require_local(arguments, "demo")
    from smallbox.cli.demo.flights import write_files  # noqa: PLC0415 - slow imports only when needed
    from smallbox.cli.replay.progress import Progress  # noqa: PLC0415
    from smallbox.cli.replay.session import ReplayPlan, replay  # noqa: PLC0415

    span = Span(parse_day(START), parse_day(arguments.until), arguments.step * MINUTE)
    files = write_files(state_folder() / "flights", span.end)
    plan = ReplayPlan(MODEL, files, span, state_folder() / "report.html", arguments.keep, _interludes(span))
    return {**replay(plan, Progress(is_quiet=arguments.json)), "kept": arguments.keep}


def _interludes(span: Span) -> list[Any]:
    from smallbox.cli.demo.change import DefinitionChange  # noqa: PLC0415 - slow imports only when needed
    from smallbox.cli.demo.three_objectives import ThreeObjectives  # noqa: PLC0415

    changed, asked = parse_day(CHANGED), max(span.start + DAY, span.end - 2 * DAY)
    change = [partial(DefinitionChange, model=MODEL, at=changed)] if span.start < changed < span.end else []
    return [*change, partial(ThreeObjectives, model=MODEL, others=OTHERS, at=asked)]


def _people(document: Any) -> Iterator[Block]:
    yield from summary.replay_blocks(document)
    if not document["kept"]:
        yield "Try next: smallbox demo --keep, then the commands below; or --until 2013-05-01."
    yield from (f"  smallbox {line}" for line in (f"models {MODEL}", f"monitor show {MODEL} 2013-03-09", "down"))
