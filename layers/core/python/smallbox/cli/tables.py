"""Text output, for people, of trainings, models, days and monitoring reports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smallbox.cli.output import Block, TableBlock, blocks_of, cell
from smallbox.times import DAY, HOUR, Micros, day_of, format_moment, parse_moment


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
    """A day's breaches, all checks, distances, online states, the accuracy with its bounds, and what was shown."""
    yield f"{document['model']} on {document['day']}"
    yield from _breaches(document["sentences"])
    columns = ("kind", "name", "value", "limit", "rows", "breached")
    yield TableBlock(columns, [[check.get(name) for name in columns] for check in document["checks"]])
    yield from _distances(document.get("distances", {}))
    yield from _states(document.get("states", ()))  # a report of an earlier release has none
    yield from _estimate(document.get("estimate") or {})
    joint = document.get("joint")
    if joint:
        told = f"{cell(joint['auc'])}, {joint['rank']} of {joint['runs']} runs of days, the most unusual first"
        yield f"inputs together since {joint['since']}: AUC {told}"
    for channel, judged in document["accuracy"].items():
        days = " to ".join(dict.fromkeys((judged["first"], judged["last"])))
        yield metrics_table(judged["metrics"], f"labelled {channel} predictions, {days}")
        if judged.get("slices"):
            yield _slices(judged, channel)
    yield from document.get("exposure", {}).get("sentences", ())


def _estimate(estimate: Any) -> Iterator[Block]:
    """The loss that is expected before labels come, or why it is not told."""
    if not estimate:
        return
    if estimate["loss"] is None:
        yield f"expected loss: not estimated: {estimate['refused']}"
        return
    yield f"expected loss, by {estimate['method'].upper()}: {_bounded({**estimate, 'value': estimate['loss']})}"
    yield f"  {estimate['record']}"
    if estimate.get("why_not_weighted"):
        yield f"  inputs have moved, and PAPE does not weigh them: {estimate['why_not_weighted']}"


def _slices(judged: Any, channel: str) -> TableBlock:
    """The slices of a channel: loss, how far above the rest, and prediction bias, each with its bounds."""
    columns = ("slice", "rows", f"mean {judged['metrics']['loss_name']}", "above other rows", "bias", "figures")
    days = " to ".join(dict.fromkeys((judged["sliced_from"], judged["sliced_to"])))
    rows = [
        [
            one["slice"],
            one["rows"],
            *(_bounded(one[name]) for name in ("loss", "worse", "bias")),
            ", ".join(f"{name} {cell(figure['value'])}" for name, figure in one["figures"].items()),
        ]
        for one in judged["slices"]
    ]
    return TableBlock(columns, rows, f"slices of labelled {channel} predictions, {days}, with 95 % bounds")


def _bounded(metric: Any) -> str:
    return f"{cell(metric['value'])} ({cell(metric['low'])} to {cell(metric['high'])})"


def _distances(by_channel: Any) -> Iterator[Block]:
    bounds = ("name", "value", "low", "high")
    for channel, distances in by_channel.items():
        yield f"{channel}: the last 7 days less those of the training, in deviations of a day; no alarm"
        yield TableBlock(bounds, [[one[name] for name in bounds] for one in distances])


def _states(lags: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    """What the online store counts of what the lake knows, by source."""
    rows = [
        [lag["source"], lag["records"], lag["unapplied"], f"{lag['oldest'] / HOUR:.1f}", *map(_moment, _ends(lag))]
        for lag in lags
    ]
    if rows:
        yield "online states against what was known at the end of the day"
        yield TableBlock(("source", "looked up", "not counted", "for hours", "newest known", "newest counted"), rows)


def _ends(lag: Mapping[str, Any]) -> tuple[Micros | None, Micros | None]:
    return lag["known"], lag["applied"]


def _moment(moment: Micros | None) -> str:
    return "-" if moment is None else format_moment(moment)


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
