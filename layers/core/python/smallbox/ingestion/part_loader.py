"""Loads the rows of a dropped file: valid rows to the lake, invalid rows to quarantine."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from smallbox.define.source import Source
from smallbox.ingestion.fast_path import accept
from smallbox.ingestion.file_parts import FilePart
from smallbox.ingestion.profiled_records import RecordProfiles
from smallbox.ingestion.quarantine import Quarantine
from smallbox.ingestion.readers import BATCH_LIMITS, Limits, RowBatch, read_numbered
from smallbox.lake.names import records_table
from smallbox.ports import Blobs, Lake
from smallbox.records import Rejection
from smallbox.times import WEEK, Micros


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Numbers of accepted and rejected rows.

    Attributes:
        accepted: number of rows in the lake.
        rejected: number of rows in quarantine.
    """

    accepted: int = 0
    rejected: int = 0

    @classmethod
    def total(cls, counts: Sequence["RowCounts"]) -> "RowCounts":
        """Sum the counts.

        >>> RowCounts.total([RowCounts(1, 2), RowCounts(3)])
        RowCounts(accepted=4, rejected=2)
        """
        return cls(sum(part.accepted for part in counts), sum(part.rejected for part in counts))


class PartLoader:
    """Loads one part at a time, in one commit. Idempotent for readers: they drop the duplicate rows of a retry.

    Args:
        lake: gets the accepted rows.
        blobs: gets the rejected ones.
        batch: how many rows are validated at once.
        profiles: of what is accepted; ``None`` keeps none.
    """

    def __init__(
        self, lake: Lake, blobs: Blobs, batch: Limits = BATCH_LIMITS, profiles: RecordProfiles | None = None
    ) -> None:
        self._lake = lake
        self._profiles = profiles
        self._quarantine = Quarantine(blobs)
        self._batch = batch

    def load(self, source: Source, key: str, folder: str, part: FilePart, received_at: Micros) -> RowCounts:
        """Validate every row, write the invalid ones to quarantine, append the valid ones, then write their profiles.

        Args:
            source: the source with the contract.
            key: the dropped file's key; its ending gives the part's file type.
            folder: the drop's own folder in quarantine.
            part: the rows.
            received_at: when the file was received, microseconds; must be the same for every retry.
        """
        tables: list[pa.Table] = []
        rejected = 0
        for batch in rows_of_part(source, key, part, self._batch):
            table, rejections = accept(source, batch.rows, received_at, batch.first)
            tables.append(table)
            rejected += len(rejections)
            self._quarantine.add(source.name, f"{folder}/{batch.first}", located(rejections, batch), received_at)
        if tables:
            accepted = pa.concat_tables(tables)
            self._lake.append(records_table(source), accepted)
            if self._profiles is not None:
                self._profiles.add(source, accepted, received_at - WEEK)
        return RowCounts(sum(map(len, tables)), rejected)


def rows_of_part(source: Source, key: str, part: FilePart, limits: Limits = BATCH_LIMITS) -> Iterator[RowBatch]:
    """A part's rows, with their numbers and lines in the whole file.

    Args:
        source: the source with the contract.
        key: the whole file's key; its ending gives the part's file type.
        part: the part.
        limits: the size of a batch.
    """
    name = key.lower().removesuffix(".gz")
    for batch in read_numbered(name, io.BytesIO(part.content), source, limits):
        lines = part.lines[batch.first : batch.first + len(batch.rows)]
        yield RowBatch(part.first + batch.first, batch.rows, list(lines))


def located(rejections: Sequence[Rejection], batch: RowBatch) -> Sequence[Rejection]:
    """Add line numbers to the rejections, if the file has lines."""
    if not batch.lines:
        return rejections
    return [replace(rejection, line=batch.lines[rejection.index - batch.first]) for rejection in rejections]
