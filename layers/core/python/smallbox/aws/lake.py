"""Delta Lake tables in an S3 bucket, through delta-rs."""

import os
from collections.abc import Callable, Sequence
from typing import Final

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from smallbox.errors import Unavailable
from smallbox.ports import Between

_ATTEMPTS: Final = 5


def _storage_options() -> dict[str, str]:
    options = {"aws_conditional_put": "etag"}
    if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"):
        options["allow_http"] = "true"
    return options


class DeltaLake:
    """The ``Lake`` port: a table lies at ``tables/<name>`` of the bucket, or under a local folder in tests.

    Files carry the least and greatest ``time`` they hold, so reading a range opens only the files it needs. A table
    stays open between calls: catching up with its log costs a fraction of reading it anew.
    """

    def __init__(self, root: str, options: dict[str, str] | None = None) -> None:
        self._root = root
        self._options = _storage_options() if options is None else options
        self._opened: dict[str, DeltaTable] = {}

    @classmethod
    def in_bucket(cls, bucket: str) -> "DeltaLake":
        """The lake of a bucket."""
        return cls(f"s3://{bucket}/tables")

    def _uri(self, table: str) -> str:
        return f"{self._root}/{table}"

    def _open(self, table: str) -> DeltaTable | None:
        """The table as it was when this process last saw it; ``None`` when there is none."""
        if table not in self._opened:
            try:
                self._opened[table] = DeltaTable(self._uri(table), storage_options=self._options)
            except TableNotFoundError:
                return None
        return self._opened[table]

    def _latest(self, table: str) -> DeltaTable | None:
        opened = self._open(table)
        if opened is not None:
            opened.update_incremental()
        return opened

    def append(self, table: str, rows: pa.Table) -> None:
        """Add rows in one atomic commit."""
        if rows.num_rows:
            target = self._open(table) or self._uri(table)
            _retried(
                lambda: write_deltalake(target, rows, mode="append", schema_mode="merge", storage_options=self._options)
            )

    def read(self, table: str, columns: Sequence[str] | None = None, between: Between | None = None) -> pa.Table | None:
        """The rows, in no order."""
        opened = self._latest(table)
        if opened is None:
            return None
        filters = between and [(between.column, ">=", between.start), (between.column, "<", between.end)]
        return opened.to_pyarrow_table(columns=None if columns is None else list(columns), filters=filters)

    def replace(self, table: str, rows: pa.Table, between: Between) -> None:
        """Replace the rows of a range in one atomic commit."""
        opened = self._latest(table)
        if opened is None:
            self.append(table, rows)
            return
        predicate = f"{between.column} >= {between.start} AND {between.column} < {between.end}"
        _retried(
            lambda: write_deltalake(opened, rows, mode="overwrite", predicate=predicate, storage_options=self._options)
        )

    def version(self, table: str) -> int | None:
        """The number of the latest commit."""
        opened = self._latest(table)
        return None if opened is None else opened.version()

    def compact(self, table: str) -> None:
        """Rewrite small files as large ones."""
        opened = self._latest(table)
        if opened is not None:
            _retried(opened.optimize.compact)


def _retried(write: Callable[[], object]) -> None:
    """Delta commits are optimistic: under many writers one can fail after delta-rs's own retries."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            write()
        except CommitFailedError as error:
            if attempt == _ATTEMPTS:
                raise Unavailable(f"the table changed under {attempt} attempts to write it") from error
        except DeltaError as error:
            raise Unavailable(f"the lake did not take the write: {error}") from error
        else:
            return
