"""A whole replay: read the files, run the days, judge every stage, write the report."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallbox.cli import local
from smallbox.cli.replay.evidence import Evidence, Period, gather, lake_of
from smallbox.cli.replay.files import Files, record
from smallbox.cli.replay.phases import Interlude, InterludeReport, ReplayPhases
from smallbox.cli.replay.progress import Progress
from smallbox.cli.replay.recording import Recording, Timeline
from smallbox.cli.replay.report import write_report
from smallbox.cli.replay.span import Span
from smallbox.cli.replay.stage_verdict import StageVerdict
from smallbox.cli.replay.verdicts import Alarms, verdicts_of
from smallbox.cli.stack import Stack
from smallbox.cli.system import System
from smallbox.cli.up import running, start_stack
from smallbox.define import project
from smallbox.define.model import Model


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """The arguments of a replay.

    Attributes:
        model: the model's name.
        files: the files of each source.
        span: the days and steps to replay.
        report: the path of the report.
        is_kept: whether the system keeps running afterwards; a system that was running before always does.
        interludes: make what happens between the days, from the system, the requests and a printer of lines.
    """

    model: str
    files: Files
    span: Span
    report: Path
    is_kept: bool = False
    interludes: Sequence[Callable[[System, Timeline, Callable[[str], None]], Interlude]] = ()


def replay(plan: ReplayPlan, progress: Progress) -> dict[str, Any]:
    """Run a replay on the running system, or on a temporary one, and report progress.

    Returns:
        ``worked``, ``stages`` (a verdict each), ``weeks`` (metrics each), ``interludes`` (a table each), ``report`` and
        ``seconds``.

    Raises:
        InvalidInput: if the files do not fit the model's sources; before anything is started.
        NotReady: if no version serves after the first training.
        Unavailable: if the system does not start, or stops answering.
    """
    began = time.monotonic()
    model = project.load().model(plan.model)
    recordings = record(project.load(), model, plan.files, plan.span)
    _say_what_is_left(progress, model, recordings)
    with _stack(plan) as stack:
        progress.say(f"[bold]up[/] {time.monotonic() - began:.0f} s: the API answers at {local.url_by_path(stack)}")
        verdicts, evidence, interludes = _live(System(stack), plan, model, recordings, progress)
    return {
        "worked": all(verdict.worked for verdict in verdicts),
        "stages": [{"stage": v.stage, "worked": v.worked, "evidence": v.evidence} for v in verdicts],
        "weeks": [_week(week) for week in evidence.weeks],
        "interludes": [{"title": r.verdict.stage, "head": r.head, "rows": r.rows} for r in interludes],
        "report": str(plan.report),
        "seconds": round(time.monotonic() - began),
    }


def _stack(plan: ReplayPlan) -> AbstractContextManager[Stack]:
    return nullcontext(start_stack()) if plan.is_kept else running()


def _say_what_is_left(progress: Progress, model: Model, recordings: Mapping[str, Recording]) -> None:
    for name in dict.fromkeys(view.source.name for view in model.views):
        if name not in recordings:
            progress.say(f"there is no file of {name}: its features use only the records that the system has already")
    for name, recording in recordings.items():
        if recording.refused:
            progress.say(
                f"{recording.refused:,} records of {name} violate its contract: they are sent, but not predicted"
            )


def _live(
    system: System, plan: ReplayPlan, model: Model, recordings: Mapping[str, Recording], progress: Progress
) -> tuple[list[StageVerdict], Evidence, list[InterludeReport]]:
    before = system.has_rung(model.name)
    asked = recordings[model.request.name].asked
    interludes = [make(system, asked, progress.say) for make in plan.interludes]
    results = ReplayPhases(system, model, recordings, plan.span, progress, interludes).run()
    lake = lake_of(system)
    checked = [day["day"] for day in results.counts.days]
    evidence = gather(system, model, lake, plan.span, checked[-1] if checked else None)
    alarms = Alarms(before, system.has_rung(model.name), system.dead_letters())
    verdicts = verdicts_of(model, results, evidence, len(asked), alarms)
    write_report(plan.report, model, results, evidence, verdicts)
    return verdicts, evidence, results.interludes


def _week(week: Period) -> dict[str, Any]:
    return {
        "week from": week.start,
        "labelled": week.served["rows"],
        "loss served": week.served["loss"]["value"],
        "loss recomputed": week.recomputed["loss"]["value"],
        **{name: one["value"] for name, one in week.served["figures"].items()},
    }
