"""Reads the newest settled labels with the text inputs of their requests, to tell accuracy by slice."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools
from smallbox.define.model import Model
from smallbox.define.rules import Label
from smallbox.define.signature import Signature
from smallbox.labels.table import judged_columns, settled_days
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import labelled_schema
from smallbox.lake.slices import slice_inputs, slice_masks
from smallbox.lake.spans import spans_of
from smallbox.monitoring.accuracy import SPANS, Judged
from smallbox.monitoring.slice_figures import ANSWERED_BY, LEAST_SLICED, SlicedRows
from smallbox.ports import Between, Lake
from smallbox.records import Channel
from smallbox.table_columns import SETTLES_FROM
from smallbox.times import Micros

SLICED_ROWS: Final = 5_000
"""Earlier days are added until there are so many rows, up to 28 days: slices are small."""

MOST_SLICED: Final = 100_000
"""Of more rows a day every second, third, ... is taken; all rows of a ranking, whose groups stay whole."""

_COLUMNS: Final = ("id", "time", SETTLES_FROM, "version", "arm", "channel", "status")


class SlicedAccuracy:
    """The rows that accuracy is told of by slice."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._log = PredictionLog(lake)

    def of(
        self, model: Model, signature: Signature | None, label: Label, settled: Mapping[Channel, Judged], as_of: Micros
    ) -> dict[Channel, SlicedRows]:
        """The rows by channel; none of a channel with too few.

        Args:
            model: its ``Monitor.slices`` says which inputs make slices.
            signature: the champion's; ``None`` when it is lost: no slices then but by who answered.
            label: what is judged.
            settled: what the day's accuracy is judged on, by channel.
            as_of: the end of the day.
        """
        found = {}
        for channel, one in self._gathered(model, label, settled, as_of).items():
            known = one.known
            if known.num_rows >= LEAST_SLICED:
                masks = _by_answerer(known) | self._by_text(model, signature, known)
                found[channel] = SlicedRows(one.objective, one.scored, one.day_numbers, masks)
        return found

    def _gathered(
        self, model: Model, label: Label, settled: Mapping[Channel, Judged], as_of: Micros
    ) -> dict[Channel, Judged]:
        """The newest settled days of each channel, until each has rows enough."""
        found: dict[Channel, Judged] = {}
        parts, before = list[pa.Table](), 0
        step = 1 if label.objective.group else _step(settled)
        for days in SPANS if settled else ():
            parts += self._read(model, label, settled_days(label, as_of, days, before), step)
            rows, before = pa.concat_tables([_empty(label), *parts]), days
            for channel, one in settled.items():
                if channel not in found or found[channel].known.num_rows < SLICED_ROWS:
                    own = rows.filter(pc.equal(rows["channel"], channel))
                    found[channel] = Judged(one.until, days, own, one.serving, one.objective)
            if rows.num_rows >= MOST_SLICED or all(one.known.num_rows >= SLICED_ROWS for one in found.values()):
                break
        return found

    def _read(self, model: Model, label: Label, between: Between, step: int) -> Iterator[pa.Table]:
        columns, schema = _columns(label), labelled_schema(label.objective)
        for rows in self._lake.slices(labelled_table(model.name), between=between, columns=columns, schema=schema):
            yield rows.take(pa.array(np.arange(0, rows.num_rows, step)))

    def _by_text(self, model: Model, signature: Signature | None, known: pa.Table) -> dict[str, Bools]:
        """The slices of text inputs, which the log has."""
        names = [] if signature is None else slice_inputs(signature, model.monitor.slices)
        if signature is None or not names:
            return {}
        moments = pc.min_max(known["time"]).as_py()
        between, ids = Between("time", moments["min"], moments["max"] + 1), known["id"].combine_chunks()
        parts = [self._texts(model.name, span, names, ids) for span in self._spans(model.name, between)]
        texts = pa.concat_tables(parts, promote_options="default")
        at = pc.index_in(pa.array(np.arange(known.num_rows)), value_set=texts["at"].combine_chunks())
        return slice_masks(signature, texts.take(at), model.monitor.slices)

    def _spans(self, model: str, between: Between) -> list[Between]:
        return spans_of((time for time, _ in self._log.moments(model, between)), between)

    def _texts(self, model: str, span: Between, names: list[str], ids: pa.Array) -> pa.Table:
        """The texts of the requests in a range, with the place of each among the ids as ``at``."""
        rows = self._log.read(model, span, lambda column: column in names)
        at = pc.index_in(rows["id"].combine_chunks(), value_set=ids)
        kept = [name for name in names if name in rows.column_names]
        return rows.select(kept).append_column("at", pc.cast(at, pa.int64())).filter(pc.is_valid(at))


def _columns(label: Label) -> list[str]:
    return list(dict.fromkeys([*_COLUMNS, *judged_columns(label.objective)]))


def _empty(label: Label) -> pa.Table:
    return labelled_schema(label.objective).empty_table().select(_columns(label))


def _step(settled: Mapping[Channel, Judged]) -> int:
    daily = sum(one.rows.num_rows // one.days for one in settled.values())
    return 1 + int(daily) // MOST_SLICED


def _by_answerer(known: pa.Table) -> dict[str, Bools]:
    """By version and by arm."""
    return {
        f"{column}={value}": np.asarray(pc.equal(known[column], value))
        for column in ANSWERED_BY
        for value in sorted(pc.unique(known[column]).to_pylist())
    }
