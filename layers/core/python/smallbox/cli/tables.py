"""Text output, for people, of trainings, models, days and monitoring reports."""

from collections.abc import Iterator
from typing import Any

from smallbox.cli.output import Block, TableBlock, blocks_of, cell
from smallbox.times import DAY, day_of, parse_moment


def is_accepted(training: Any) -> bool:
    """Whether the gate accepted the version of a training."""
    return bool(training["accepted"])


def training(document: Any) -> Iterator[Block]:
    """The version, the gate's verdict with its checks, the metrics, and the current routing."""
    verdict = document["verdict"]
    yield f"{document['model']} version {document['version']}: {verdict['outcome'].replace('_', ' ')}"
    yield f"why: {verdict['why']}"
    columns = ("name", "value", "limit", "outcome", "rows_needed")
    checks = [[check[column] for column in columns] for check in verdict["checks"]]
    yield TableBlock(("check", "value", "limit", "outcome", "rows needed"), checks)
    yield metrics_table(document["metrics"], "validation rows")
    baseline = document["baseline"]
    yield f"the best constant prediction has a mean {document['metrics']['loss_name']} of {cell(baseline['loss'])}"
    for name in ("as_of", "counts"):
        if document.get(name) is not None:
            yield f"{name}: {cell(document[name])}"
    routing = document.get("routing")
    if routing is not None:
        yield f"who serves: champion {routing['champion']}, challenger {cell(routing['challenger'])}"
        yield f"release: {document['release']['action']}: {document['release']['why']}"


def models(document: Any) -> Iterator[Block]:
    """All models and their routing; or the versions and history of one model."""
    if "models" in document:
        yield TableBlock(
            ("model", "champion", "canary", "share", "since"), [_serving(one) for one in document["models"]]
        )
        return
    columns = ("version", "status", "as of", "mean loss", "figures", "why", "trained for")
    yield TableBlock(columns, [_version(one) for one in document["versions"]], "versions")
    happened = [[one["at"], one["event"], one.get("version"), one.get("why")] for one in document["history"]]
    yield TableBlock(("at", "event", "version", "why"), happened, "history")


def _serving(model: Any) -> list[Any]:
    routing = model["routing"] or {}
    return [model["name"], *(routing.get(name) for name in ("champion", "challenger", "share", "since"))]


def _version(version: Any) -> list[Any]:
    metrics, verdict = version["metrics"], version["verdict"]
    if "loss" in metrics:
        figures = ", ".join(f"{name} {cell(one['value'])}" for name, one in metrics["figures"].items())
        judged = [f"{cell(metrics['loss']['value'])} ({metrics['loss_name']})", figures, verdict.get("why")]
    else:  # an earlier release trained it
        judged = [None, cell(metrics), verdict.get("why")]
    return [version["number"], version["status"], version["as_of"], *judged, version["reason"]]


def metrics_table(metrics: Any, title: str) -> TableBlock:
    """The mean loss and the figures of rows, with their bounds."""
    figures = {f"mean {metrics['loss_name']}": metrics["loss"], **metrics["figures"]}
    rows = [[name, one["value"], one["low"], one["high"]] for name, one in figures.items()]
    head = ("figure", "value", "95 % bounds: from", "to")
    return TableBlock(head, rows, f"{metrics['rows']:,} {title}")


def report(document: Any) -> Iterator[Block]:
    """The checks of a day: the breaches in words, all checks, the accuracy of each channel, and what was shown."""
    yield f"{document['model']} on {document['day']}"
    yield from _breaches(document["sentences"])
    columns = ("kind", "name", "value", "limit", "rows", "breached")
    yield TableBlock(columns, [[check.get(name) for name in columns] for check in document["checks"]])
    for channel, judged in document["accuracy"].items():
        days = " to ".join(dict.fromkeys((judged["first"], judged["last"])))
        yield metrics_table(judged["metrics"], f"labelled {channel} predictions, {days}")
    yield from document.get("exposure", {}).get("sentences", ())


def day_blocks(document: Any) -> Iterator[Block]:
    """The results of a closed day: labels, breaches, canary, retraining decision, and the rest."""
    closed = day_of(parse_moment(document["as_of"]) - DAY)
    yield f"{document['model']}: {closed} is closed"
    yield f"labels: {cell(document['feedback'])}"
    yield from _breaches(document["sentences"])
    incidents = document["incidents"]
    yield f"incidents: {len(incidents) or 'none'}"
    yield from (f"  {incident_line(incident)}" for incident in incidents)
    yield f"release: {document['release']['action']}: {document['release']['why']}"
    decision = document["retraining"]
    yield f"training: {'started' if decision['train'] else 'no'}: {decision['why']}"
    if "rollback" in decision:
        yield f"roll back: {'done' if decision['rollback']['done'] else 'no'}: {decision['rollback']['why']}"
    known = {"model", "as_of", "day", "feedback", "breaches", "sentences", "incidents", "release", "retraining"}
    others = {name: value for name, value in document.items() if name not in known}
    if others:
        yield from blocks_of(others)


def incident_line(incident: Any) -> str:
    """An incident in one line."""
    return f"incident {incident['id']} ({incident['state']}): {incident['sentence']}"


def _breaches(sentences: list[str]) -> Iterator[Block]:
    yield f"breaches: {len(sentences) or 'none'}"
    yield from (f"  {sentence}" for sentence in sentences)
