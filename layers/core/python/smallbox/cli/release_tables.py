"""Text output, for people, of the story of a release."""

from collections.abc import Iterator, Mapping
from typing import Any

from smallbox.cli.output import Block, TableBlock, cell

_DAY_COLUMNS = ("day", "rows", "champion's loss", "candidate's loss", "asked", "distribution gap", "us a prediction")


def release_blocks(document: Any) -> Iterator[Block]:
    """Where the release stands, what happened, each look at it, the days of its shadow and its slices."""
    yield f"{document['model']} version {document['version']}: {document['status']}"
    running = document["running"]
    if running is not None:
        yield _standing(running)
    happened = [
        [one["at"], one["event"], one.get("share"), one.get("who"), one.get("why"), ", ".join(one.get("left_out", []))]
        for one in document["events"]
    ]
    yield TableBlock(("at", "event", "share", "who", "why", "rungs left out"), happened, "what happened")
    looks = [[one["at"], one["rung"], one["action"], one["why"]] for one in document["looks"]]
    yield TableBlock(("at", "rung", "action", "why"), looks, "looks")
    yield TableBlock(_DAY_COLUMNS, [_day(day) for day in document["days"]], "shadow, both versions on the same rows")
    slices = [[cell(one[name]) for name in one] for one in document["slices"]]
    yield TableBlock(("slice", "rows", "champion's loss", "candidate's loss"), slices, "slices; hints, no verdicts")


def _standing(running: Mapping[str, Any]) -> str:
    share = f", {running['share']:.4g} of the {running['unit'] or 'key'}s" if running["rung"] == "canary" else ""
    held = f"; held: {running['held']}" if running["held"] else ""
    return f"{running['rung']} since {running['since']}{share}, beside version {running['champion']}{held}"


def _day(day: Mapping[str, Any]) -> list[Any]:
    paired, asked = day["paired"], day["asked"]
    rows = paired["rows"] if paired else 0
    losses = [cell(paired[name] / rows) if rows else "labels to come" for name in ("champion", "candidate")]
    gaps = [one.get("distribution_gap") for one in asked["outputs"].values() if one]
    gap = max((one for one in gaps if one is not None), default=None)
    return [day["day"], rows, *losses, asked["rows"], cell(gap), asked["microseconds"]]
