"""How people read what a replay returns."""

from collections.abc import Iterator
from typing import Any

from smallbox.cli.output import Block, TableBlock


def replay_blocks(document: Any) -> Iterator[Block]:
    """What every stage did, the AUC by week, and where the report is."""
    stages = [[one["stage"], "worked" if one["worked"] else "FAILED", one["evidence"]] for one in document["stages"]]
    yield TableBlock(("stage", "result", "evidence"), stages, "What every stage did")
    if document["weeks"]:
        weeks = [[_short(value) for value in week.values()] for week in document["weeks"]]
        yield TableBlock(list(document["weeks"][0]), weeks, "AUC by week")
    yield f"{document['seconds']} s in all. The report: {document['report']}"


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def worked(document: Any) -> bool:
    """Whether every stage did its work."""
    return bool(document["worked"])
