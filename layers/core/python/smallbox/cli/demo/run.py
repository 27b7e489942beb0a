"""Runs the demonstration: up, the story, the figures, the report."""

import argparse
import time

from rich.console import Console
from rich.table import Table

from smallbox.cli.checkout import state_folder
from smallbox.cli.demo import START
from smallbox.cli.demo.evidence import Evidence, gather, lake_of
from smallbox.cli.demo.flights import Records, load
from smallbox.cli.demo.replay import MODEL, micros
from smallbox.cli.demo.report import figure_of, write_report
from smallbox.cli.demo.story import Teller
from smallbox.cli.demo.verdicts import Verdict, verdicts_of
from smallbox.cli.system import System
from smallbox.cli.up import running, start
from smallbox.define import project
from smallbox.serving.log import PredictionLog
from smallbox.times import MINUTE, Micros, parse_day


def run(arguments: argparse.Namespace) -> int:
    """Run it; 0 when every stage did its work."""
    console = Console()
    began = time.monotonic()
    records = load()
    if arguments.keep:
        start()
    with running() as stack:
        console.print(f"[bold]up[/] {time.monotonic() - began:.0f} s: the API answers at {stack.api_url}")
        verdicts = _live(System(stack), records, parse_day(arguments.until), arguments.step * MINUTE, console)
    console.print(f"\n{time.monotonic() - began:.0f} s in all. The report: {state_folder() / 'report.html'}")
    _tell_what_next(console, kept=arguments.keep)
    return 0 if all(verdict.worked for verdict in verdicts) else 1


def _live(system: System, records: Records, end: Micros, step: Micros, console: Console) -> list[Verdict]:
    defined, began = project.load(), parse_day(START)
    model = defined.model(MODEL)
    story = Teller(system, defined, records, console).tell(began, end, step)
    lake = lake_of(system)
    evidence = gather(system, model, PredictionLog(defined, lake), lake, began, end)
    scheduled = micros(records.departures["scheduled_at"])
    asked = int(((scheduled >= began) & (scheduled < end)).sum())
    verdicts = verdicts_of(story, evidence, asked, system.rang(MODEL), system.dead_letters())
    _tell(console, evidence, verdicts)
    write_report(state_folder() / "report.html", "Smallbox: late arrivals", story, evidence, verdicts)
    return verdicts


def _tell(console: Console, evidence: Evidence, verdicts: list[Verdict]) -> None:
    stages = Table(title="What every stage did", title_justify="left")
    for column in ("stage", "", "evidence"):
        stages.add_column(column)
    for verdict in verdicts:
        stages.add_row(verdict.stage, "[green]worked[/]" if verdict.worked else "[red]FAILED[/]", verdict.evidence)
    console.print(stages)
    weeks = Table(title="AUC by week", title_justify="left")
    for column in ("week from", "labelled", "AUC served", "AUC recomputed", "calibration error", "late"):
        weeks.add_column(column, justify="right")
    for week in evidence.weeks:
        figures = (week.served["auc"], week.recomputed["auc"], week.served["calibration_error"])
        late = figure_of(week.served["positive_rate"])
        weeks.add_row(week.start, f"{week.served['rows']:,}", *map(figure_of, figures), late)
    console.print(weeks)


def _tell_what_next(console: Console, *, kept: bool) -> None:
    if not kept:
        console.print("Try next: [bold]smallbox demo --keep[/], then the commands below; or --until 2013-05-01.")
    for line in (f"smallbox models {MODEL}", f"smallbox monitor {MODEL} 2013-03-09", "smallbox down"):
        console.print(f"  {line}")
