"""Interleavings of two rankers, asked for by hand and looked at each day, over labelled rows that were made up."""

from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.model import Model
from smallbox.documents.daily_run import ExperimentStep
from smallbox.lake.names import labelled_table
from smallbox.lake.schemas import labelled_schema
from smallbox.release.experiment import ExperimentTask
from smallbox.times import DAY, MINUTE, Micros, format_moment
from tests.fakes.rankers import RANKED, two_rankers
from tests.fakes.serving import Serving

NAME: Final = RANKED.name
ASKED: Final[dict[str, Any]] = {"kind": "interleaving", "versions": [1, 2], "unit": "depot", "name": "trial"}
PRESENT: Final[Micros] = 90 * DAY


def ask(serving: Serving, action: str, at: Micros = DAY, **asked: Any) -> dict[str, Any]:
    """What ``smallbox experiment`` sends."""
    document = {"model": NAME, "action": action, "as_of": format_moment(at), "who": "ada", **asked}
    return _task(serving).by_hand({name: one for name, one in document.items() if one is not None}, PRESENT)


def started(**settings: Any) -> Serving:
    """Two rankers whose interleaving began on day 1."""
    serving = two_rankers()
    ask(serving, "start", **{**ASKED, "why": "newer", **settings})
    return serving


def looked(serving: Serving, day: int) -> ExperimentStep:
    """What the daily machine says on a day."""
    document: Any = {"model": NAME, "as_of": format_moment(day * DAY)}
    return _task(serving).run(document, PRESENT)["experiment"]


def _task(serving: Serving) -> ExperimentTask:
    return ExperimentTask(serving.project, serving.lake, serving.registry, serving.live)


def also(serving: Serving, model: Model) -> int:
    """Register another version, of this definition; its number."""
    serving.registry.freeze(NAME, signature_digest(model), freeze(model))
    first = serving.registry.get(NAME, 1)
    return serving.registry.add(replace(first, signature=signature_digest(model))).number


def show_lists(
    serving: Serving, day: int, second: int, first: int, status: str = "labelled", name: str = "trial",
    *, is_agreed: bool = False,
) -> None:  # fmt: skip
    """Lists of two rows on a day, each of its own unit: so many prefer the second version, and so many the first.

    With ``is_agreed`` both versions rank each row alike.
    """
    rows = [row for n in range(first + second) for row in _list(day, n, 2 if n < second else 1, status, name)]
    if is_agreed:
        rows = [{**row, "own_rank": row["list_position"], "other_rank": row["list_position"]} for row in rows]
    serving.lake.append(labelled_table(NAME), pa.Table.from_pylist(rows, schema=labelled_schema(RANKED.objective)))


def _list(day: int, number: int, preferred: int, status: str, name: str) -> list[dict[str, Any]]:
    at, own = day * DAY + number * MINUTE, f"{day}-{number}"
    return [
        {
            "id": f"{own}-{version}", "key": f"{own}-{version}", "time": at, "event_time": at, "settles_from": at,
            "version": version, "arm": "experiment", "channel": "online", "status": status, "group": own,
            "list_position": version, "interleaving": name, "assigned_unit": f"user {own}", "own_rank": 1,
            "other_rank": 2, "score": 0.5, RANKED.objective.label_column: 1.0 if version == preferred else 0.0,
        }
        for version in (1, 2)
    ]  # fmt: skip
