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
from smallbox.table_columns import RANKED_COLUMNS
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
        """All these rows part by part, with ``time``, these columns and the label; none when the signature is lost.

        What the log says of lists (:data:`~smallbox.table_columns.RANKED_COLUMNS`) is read from the labelled
        predictions; it is null for rows that were not joined yet.
        """
        name = label.objective.label_column
        read = {"version", "arm", "channel", "degraded", *columns}
        for rows in self._log.parts(champion.model, between, lambda column: column in read):
            served = self._log.comparable(rows, "online", champion)
            if served is not None and served.rows.num_rows:
                of_lists = [name for name in columns if name in RANKED_COLUMNS]
                labelled = self._with_labels(champion.model, label, served.rows, between, of_lists)
                yield labelled.select(list(dict.fromkeys(["time", *columns, name])))

    def _with_labels(
        self, model: str, label: Label, rows: pa.Table, between: Between, of_lists: Sequence[str] = ()
    ) -> pa.Table:
        name, schema = label.objective.label_column, labelled_schema(label.objective)
        found = self._lake.read(labelled_table(model), ["id", "status", name, *of_lists], between, schema=schema)
        joined = schema.empty_table() if found is None else found
        at = pc.index_in(rows["id"].combine_chunks(), value_set=joined["id"].combine_chunks())
        is_known = pc.equal(joined["status"], LABELLED)
        labels = pc.if_else(is_known, joined[name], pa.scalar(None, joined[name].type))
        for column, values in ((name, labels), *((one, joined[one]) for one in of_lists)):
            rows = rows.append_column(column, values.combine_chunks().take(at))
        return rows
