"""What a champion was asked and answered on some days, with the labels that are known: a bounded sample."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label
from smallbox.labels.join import LABELLED
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import labelled_schema
from smallbox.monitoring.observed_rows import ObservedRows, observed_rows
from smallbox.monitoring.served_predictions import Served
from smallbox.ports import Between, Lake
from smallbox.registry.signatures import Signatures
from smallbox.registry.version import Version
from smallbox.times import Micros

MOST_ROWS: Final = 20_000
"""So many rows are compared at most, whatever the traffic."""


class AnsweredRows:
    """Reads samples of the prediction log with their labels."""

    def __init__(self, lake: Lake, signatures: Signatures) -> None:
        self._lake = lake
        self._log = Served(lake, signatures)
        self._moments = PredictionLog(lake)

    def of(self, champion: Version, label: Label, start: Micros, end: Micros) -> ObservedRows | None:
        """The online rows that were asked in a range and answered with the champion's signature.

        Of more than :data:`MOST_ROWS` every second, third, ... one is taken.

        Returns:
            ``None`` when there are none, or the signature is lost.
        """
        between, parts = Between("time", start, end), list[pa.Table]()
        asked = sum(len(times) for times, _ in self._moments.moments(champion.model, between))
        step = max(math.ceil(asked / MOST_ROWS), 1)
        signature = self._log.signature(champion.model, champion.number)
        for rows in self._log.parts(champion.model, between):
            served = self._log.comparable(rows, "online", champion)
            if served is not None and served.rows.num_rows:
                parts.append(served.rows.take(pa.array(np.arange(0, served.rows.num_rows, step))))
        if signature is None or not parts:
            return None
        labelled = self._with_labels(champion.model, label, pa.concat_tables(parts), between)
        return observed_rows(labelled, signature.columns, label.objective, "time")

    def hidden(self, champion: Version) -> frozenset[str]:
        """The inputs with personal values: no finding may quote them."""
        signature = self._log.signature(champion.model, champion.number)
        return frozenset() if signature is None else signature.personal_columns

    def parts(self, champion: Version, label: Label, between: Between, columns: Sequence[str]) -> Iterator[pa.Table]:
        """All these rows part by part, with ``time``, these columns and the label; none when the signature is lost."""
        name = label.objective.label_column
        read = {"version", "arm", "channel", "degraded", *columns}
        for rows in self._log.parts(champion.model, between, lambda column: column in read):
            served = self._log.comparable(rows, "online", champion)
            if served is not None and served.rows.num_rows:
                labelled = self._with_labels(champion.model, label, served.rows, between)
                yield labelled.select(list(dict.fromkeys(["time", *columns, name])))

    def _with_labels(self, model: str, label: Label, rows: pa.Table, between: Between) -> pa.Table:
        name, schema = label.objective.label_column, labelled_schema(label.objective)
        found = self._lake.read(labelled_table(model), ["id", "status", name], between, schema=schema)
        known = schema.empty_table() if found is None else found.filter(pc.equal(found["status"], LABELLED))
        at = pc.index_in(rows["id"].combine_chunks(), value_set=known["id"].combine_chunks())
        return rows.append_column(name, known[name].combine_chunks().take(at))
