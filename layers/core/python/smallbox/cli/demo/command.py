"""``smallbox demo``: the whole loop, once around, on real flights."""

import argparse

from smallbox.cli.demo import END, START, UNTIL
from smallbox.times import parse_day


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    demo = commands.add_parser("demo", help="the whole loop, once around, on real flights: some minutes")
    demo.add_argument("--until", type=_day, default=UNTIL, help=f"the replay's last midnight; {UNTIL} by default")
    demo.add_argument("--step", type=int, default=60, choices=(15, 30, 60), help="minutes between two predictions")
    demo.add_argument("--keep", action="store_true", help="leave the system running")
    demo.set_defaults(run=_run)


def _day(text: str) -> str:
    if not text > START or parse_day(text) > parse_day(END):
        raise argparse.ArgumentTypeError(f"write a day after {START} and before 2014, like {UNTIL}")
    return text


def _run(arguments: argparse.Namespace) -> int:
    from smallbox.cli.demo.run import run  # noqa: PLC0415 - pandas and its kin, which `smallbox --help` need not load

    return run(arguments)
