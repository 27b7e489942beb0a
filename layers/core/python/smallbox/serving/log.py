"""The function that writes the prediction log: one commit a model and batch of messages."""

from collections.abc import Sequence
from contextlib import suppress

import pyarrow as pa

from smallbox.define.fields import FieldType
from smallbox.define.project import Project
from smallbox.errors import Unavailable
from smallbox.lake.names import predictions_table
from smallbox.lake.predictions import logged_table
from smallbox.messages.encoded import Message
from smallbox.messages.predictions import is_failed
from smallbox.ports import Lake, Meter
from smallbox.release.canary_marks import CHALLENGER_TROUBLE, CanaryMark
from smallbox.release.minute_counts import counters_of, trouble_of_challenger
from smallbox.release_ports import CanaryCounters
from smallbox.serving.profiled_predictions import PredictionProfiles
from smallbox.table_columns import LOG_COLUMNS


class LogTask:
    """Appends logged predictions to the log of their model, and counts how the arms of a canary do.

    Args:
        project: the models.
        lake: has the logs.
        counters: of the arms of canaries.
        meter: rings the alarm that has the canary looked at.
        profiles: of what is logged; ``None`` keeps none.
    """

    def __init__(
        self,
        project: Project,
        lake: Lake,
        counters: CanaryCounters,
        meter: Meter,
        profiles: PredictionProfiles | None = None,
    ) -> None:
        self._project = project
        self._lake = lake
        self._counters = counters
        self._meter = meter
        self._profiles = profiles

    def append(self, messages: Sequence[Message]) -> None:
        """Append the rows of messages of one model; appending them again adds rows that reading leaves out.

        Then count the marks of a canary. A message that is delivered twice is counted twice, in either arm alike.
        """
        model = self._project.model(messages[0]["model"])
        tables = [logged_table(_types_of(one), one["columns"]) for one in messages if not is_failed(one)]
        if tables:
            self._append(model.name, pa.concat_tables(tables, promote_options="default"))
        marks = [CanaryMark.from_json(message["canary"]) for message in messages if "canary" in message]
        found = counters_of(marks, model.release.guardrails.slow_after_micros)
        for (challenger, minute), counters in found.items():
            self._counters.add(model.name, challenger, minute, counters)
        trouble = sum(map(trouble_of_challenger, found.values()))
        if trouble:
            # a retry would count the marks again, and the guard's schedule looks at them anyway
            with suppress(Unavailable):
                self._meter.publish({CHALLENGER_TROUBLE: trouble}, {})

    def _append(self, model: str, rows: pa.Table) -> None:
        self._lake.append(predictions_table(model), rows)
        if self._profiles is not None:
            self._profiles.add(model, rows)


def _types_of(message: Message) -> dict[str, FieldType]:
    """The columns of a message that depend on the signature, in its order: those that it gives a type, and numbers."""
    types = message["types"]
    return {name: types.get(name, "number") for name in message["columns"] if name not in LOG_COLUMNS}
