"""The report of a replay: one HTML file with embedded plots."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np

from smallbox.cli.replay.evidence import Evidence, Period
from smallbox.cli.replay.phases import InterludeReport, ReplayResults
from smallbox.cli.replay.release_figure import ladder_figure, verdict_of_release
from smallbox.cli.replay.stage_verdict import StageVerdict
from smallbox.define.model import Model
from smallbox.objectives.objective import Objective

mpl.use("Agg")

from matplotlib import pyplot as plt

_BINS: Final = 10
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .3rem .8rem; border-bottom: 1px solid #ddd }
th { text-align: left } td.number { text-align: right } .no { color: #b00 } .yes { color: #070 } img { max-width: 100% }
"""


def write_report(
    path: Path, model: Model, results: ReplayResults, evidence: Evidence, verdicts: Sequence[StageVerdict]
) -> None:
    """Write the HTML report."""
    title, outcome = f"Smallbox: {model.name}", model.label.value
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _verdict_table(verdicts),
        "<h2>Weeks</h2>",
        _week_table(evidence.weeks),
        _picture(_loss_figure(evidence)),
        "<h2>Calibration of what was served</h2>",
        _picture(_calibration_figure(evidence, model.objective, outcome)),
        "<h2>Days</h2>",
        _picture(_days_figure(results)),
        _day_table(results),
        *_exposure(evidence.exposure),
        "<h2>Releases</h2>",
        *(part for story in evidence.releases for part in _release(story)),
        "<h2>Incidents</h2>",
        *_incidents(evidence.incidents),
        *(part for interlude in results.interludes for part in _interlude(interlude)),
        "<h2>What happened to the model</h2>",
        _table(["at", "event", "version", "why"], [_event(e) for e in evidence.history]),
    ]
    head = f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    path.write_text(head + "\n".join(parts))


def _interlude(report: InterludeReport) -> list[str]:
    return [f"<h2>{html.escape(report.verdict.stage.capitalize())}</h2>", _table(report.head, report.rows)]


def _release(story: Mapping[str, Any]) -> list[str]:
    """A release: its verdict, its picture, and each look at it."""
    looks = [[look["at"], look["rung"], look["action"], look["why"]] for look in story["looks"]]
    verdict = html.escape(verdict_of_release(story))
    return [f"<p>{verdict}</p>", _picture(ladder_figure(story)), _table(["at", "rung", "action", "why"], looks)]


def _incidents(incidents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each incident with its story."""
    if not incidents:
        return ["<p>No incident was opened.</p>"]
    return [
        part
        for one in incidents
        for part in (
            f"<h3>{html.escape(one['id'])}</h3><p>{html.escape(one['state'])}: {html.escape(one['sentence'])}</p>",
            _table(["at", "what", "in words"], [[e["at"], e["event"], e["sentence"]] for e in one["story"]]),
        )
    ]


def _exposure(sentences: Sequence[str]) -> list[str]:
    """What the last day showed; nothing where the answers decide nothing that is seen."""
    return ["<h3>What was shown</h3>", *(f"<p>{html.escape(one)}</p>" for one in sentences)] if sentences else []


def _event(event: Any) -> list[str]:
    return [event["at"], event["event"], str(event.get("version", "")), event.get("why", "")]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _verdict_table(verdicts: Sequence[StageVerdict]) -> str:
    rows = [
        f'<tr><td class="{"yes" if v.worked else "no"}">{"worked" if v.worked else "FAILED"}</td>'
        f"<td>{v.stage}</td><td>{html.escape(v.evidence)}</td></tr>"
        for v in verdicts
    ]
    return f"<table>{''.join(rows)}</table>"


def figure_of(value: Any, digits: int = 3) -> str:
    """Format a metric for a table; a dash means it is not known."""
    return "-" if value is None else f"{value:.{digits}f}"


def _week_table(weeks: Sequence[Period]) -> str:
    rows = [
        [
            week.start,
            f"{week.served['rows']:,}",
            figure_of(week.served["loss"]["value"]),
            figure_of(week.recomputed["loss"]["value"]),
            *(figure_of(one["value"]) for one in week.served["figures"].values()),
        ]
        for week in weeks
    ]
    head = ["week from", "labelled", "loss served", "loss recomputed", *(weeks[0].served["figures"] if weeks else ())]
    return _table(head, rows)


def _day_table(results: ReplayResults) -> str:
    rows = [
        [
            day["day"],
            ", ".join(f"{kind} {count}" for kind, count in day["breaches"].items() if count) or "-",
            f"{day['release']['action']}: {day['release']['why']}",
            ("train: " if day["retraining"]["train"] else "no: ") + day["retraining"]["why"],
        ]
        for day in results.counts.days
    ]
    return _table(["day", "breaches", "release", "retraining"], rows)


def _picture(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    plt.close(figure)
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _loss_figure(evidence: Evidence) -> Any:
    axes: Any  # the stubs do not allow dates
    figure, axes = plt.subplots(figsize=(9, 3.5))
    days = [day for day in evidence.days if day.served["rows"]]
    at = np.array([day.start for day in days], dtype="datetime64[D]")
    axes.plot(at, [d.served["loss"]["value"] for d in days], "o-", label="as served")
    axes.plot(at, [d.recomputed["loss"]["value"] for d in days], "x--", label="recomputed from the lake")
    for event in evidence.history:
        if event["event"] in {"challenger", "promote", "roll_back"}:
            when = np.datetime64(event["at"][:10])
            axes.axvline(when, color="#999", linewidth=1)
            axes.annotate(event["event"], (when, axes.get_ylim()[0]), rotation=90, fontsize=8, color="#555")
    axes.set_ylabel("mean loss of the day")
    axes.legend()
    figure.autofmt_xdate()
    return figure


def _calibration_figure(evidence: Evidence, objective: Objective, outcome: str) -> Any:
    figure, axes = plt.subplots(figsize=(4.5, 4.5))
    predicted, happened = objective.agreement(evidence.scored)
    parts = [part for part in np.array_split(np.argsort(predicted, kind="stable"), _BINS) if len(part)]
    means = [(predicted[part].mean(), happened[part].mean()) for part in parts]
    ends = [min(map(min, means), default=0), max(map(max, means), default=1)]
    axes.plot(ends, ends, color="#999", linewidth=1)
    axes.plot([one for one, _ in means], [other for _, other in means], "o-")
    axes.set_xlabel("mean prediction")
    axes.set_ylabel(f"mean {outcome}")
    return figure


def _days_figure(results: ReplayResults) -> Any:
    figure, axes = plt.subplots(figsize=(9, 3))
    days = np.array([day["day"] for day in results.counts.days], dtype="datetime64[D]")
    base = np.zeros(len(days))
    for kind in results.counts.days[0]["breaches"] if results.counts.days else ():
        counts = np.array([day["breaches"][kind] for day in results.counts.days], float)
        axes.bar(days, counts, bottom=base, label=kind)
        base += counts
    axes.set_ylabel("breaches")
    axes.legend()
    figure.autofmt_xdate()
    return figure
