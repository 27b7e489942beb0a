"""Text output of a replay's results."""

from collections.abc import Iterator
from typing import Any

from smallbox.cli.output import Block, TableBlock


def replay_blocks(document: Any) -> Iterator[Block]:
    """The verdict of every stage, the metrics by week, what happened between the days, and the path of the report."""
    stages = [[one["stage"], "worked" if one["worked"] else "FAILED", one["evidence"]] for one in document["stages"]]
    yield TableBlock(("stage", "result", "evidence"), stages, "What every stage did")
    if document["weeks"]:
        weeks = [[_short(value) for value in week.values()] for week in document["weeks"]]
        yield TableBlock(list(document["weeks"][0]), weeks, "Metrics by week")
    for one in document["interludes"]:
        yield TableBlock(one["head"], one["rows"], one["title"].capitalize())
    yield f"{document['seconds']} s in all. The report: {document['report']}"


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def worked(document: Any) -> bool:
    """Whether every stage worked."""
    return bool(document["worked"])
