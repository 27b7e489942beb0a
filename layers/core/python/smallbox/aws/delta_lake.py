"""The ``Lake`` port: Delta Lake tables in an S3 bucket, through delta-rs."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from typing import Final

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from smallbox.aws.delta_reads import rows_of, slices_of
from smallbox.aws.delta_writes import compact_encoding, merge_by_key, quick_encoding
from smallbox.errors import Conflict, Unavailable
from smallbox.ports import Between, TableProgress

RETENTION_HOURS: Final = 7 * 24
"""Hours that a replaced file is kept, for readers of the previous version and for debugging a past day. It is also the
minimum that Delta allows by default."""

SLICE_ROWS: Final = 500_000
"""Rows per slice: two slices, and the rewrite of the files that they affect, fit into a function's memory."""

_UPSERTED_FILE: Final = str(32 * 1024 * 1024)
"""Target file size of an upserted table in bytes; small, because one changed row rewrites its whole file."""

TAIL_COMMITS: Final = 50
"""Every this many commits an append compacts its table's small files, because a reader opens each of them."""

TAIL_BYTES: Final = 4 * 1024 * 1024
"""An append compacts only smaller files than this, so its work does not grow with the table; upkeep does the rest."""

KEYS_PER_COMMIT: Final = 1_000
"""The most keys that one commit deletes: they are named in its predicate."""

_ATTEMPTS: Final = 5
_VERSION, _AS_OF = "smallbox/version", "smallbox/as_of"


@contextmanager
def _translated(table: str) -> Iterator[None]:
    """Translate errors; delta-rs and Arrow raise ``OSError`` when S3 refuses a request or does not answer."""
    try:
        yield
    except (DeltaError, OSError) as error:
        raise Unavailable(f"the lake did not answer for {table}: {type(error).__name__}") from error


def _storage_options() -> dict[str, str]:
    options = {"aws_conditional_put": "etag"}
    if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"):
        options["allow_http"] = "true"
    return options


class DeltaLake:
    """The ``Lake`` port. A table is at ``tables/<name>`` in the bucket, or in a local folder in tests.

    The log has the minimum and maximum of each column per file, so reading a range opens only the files that it needs.
    Tables stay open between calls, because updating an open table is much cheaper than loading its log again.

    Args:
        root: the folder of the tables.
        options: delta-rs's storage options; by default those for S3.
        retention_hours: how long replaced files are kept.
        slice_rows: approximate number of rows per slice.
    """

    def __init__(
        self,
        root: str,
        options: dict[str, str] | None = None,
        *,
        retention_hours: int = RETENTION_HOURS,
        slice_rows: int = SLICE_ROWS,
    ) -> None:
        self._root = root
        self._options = _storage_options() if options is None else options
        self._retention_hours = retention_hours
        self._slice_rows = slice_rows
        self._opened: dict[str, DeltaTable] = {}
        self._is_fixed = False

    @classmethod
    def in_bucket(cls, bucket: str) -> "DeltaLake":
        """The lake in a bucket."""
        return cls(f"s3://{bucket}/tables")

    def _uri(self, table: str) -> str:
        return f"{self._root}/{table}"

    def _open(self, table: str) -> DeltaTable | None:
        """The table as this process last loaded it; ``None`` when there is none."""
        if table not in self._opened:
            with _translated(table):
                try:
                    self._opened[table] = DeltaTable(self._uri(table), storage_options=self._options)
                except TableNotFoundError:
                    return None
        return self._opened[table]

    def _latest(self, table: str) -> DeltaTable | None:
        opened = self._open(table)
        if opened is not None and not self._is_fixed:
            with _translated(table):
                opened.update_incremental()
        return opened

    def append(self, table: str, rows: pa.Table) -> None:
        """Append rows in one atomic commit; every ``TAIL_COMMITS`` commits also compact small files."""
        if rows.num_rows:
            self._retried(
                table,
                lambda opened: write_deltalake(
                    opened or self._uri(table),
                    rows,
                    mode="append",
                    schema_mode="merge",
                    storage_options=self._options,
                    writer_properties=quick_encoding(rows.schema),
                ),
            )

            self._compact_tail(table)

    def _compact_tail(self, table: str) -> None:
        opened = self._opened.get(table)
        if opened is None or not opened.version() or opened.version() % TAIL_COMMITS:
            return
        # the rows are committed already; if another writer is faster, compaction waits until the next time
        with suppress(DeltaError, OSError):
            opened.optimize.compact(target_size=TAIL_BYTES, writer_properties=compact_encoding())

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        between: Between | None = None,
        keys: pa.ChunkedArray | None = None,
        *,
        key: str = "key",
        schema: pa.Schema | None = None,
    ) -> pa.Table | None:
        """Read rows, in no particular order."""
        opened = self._latest(table)
        if opened is None:
            return None
        with _translated(table):
            return rows_of(opened.to_pyarrow_dataset(), columns, between, keys, key=key, newer=schema)

    def slices(
        self,
        table: str,
        after: int = -1,
        between: Between | None = None,
        *,
        columns: Sequence[str] | None = None,
        schema: pa.Schema | None = None,
    ) -> Iterator[pa.Table]:
        """Read all rows, or those appended after a commit, in slices; compactions do not affect which rows."""
        opened = self._latest(table)
        if opened is None or after == opened.version():
            return
        with _translated(table):
            yield from slices_of(opened, after, between, columns, schema, self._slice_rows)

    def snapshot(self) -> "DeltaLake":
        """A lake of the same tables, which loads each of them once and no later commit of it."""
        fixed = copy(self)
        fixed._opened, fixed._is_fixed = {}, True  # noqa: SLF001 - its own
        return fixed

    def replace(self, table: str, rows: pa.Table, between: Between) -> None:
        """Replace the rows of a range in one atomic commit."""
        opened = self._latest(table)
        if opened is None or between.column not in opened.schema().to_arrow().names:
            self.append(table, rows)
            return
        predicate = f"{between.column} >= {between.start} AND {between.column} < {between.end}"
        self._retried(
            table,
            lambda opened: write_deltalake(
                opened or self._uri(table),
                rows,
                mode="overwrite",
                predicate=predicate,
                schema_mode="merge",
                storage_options=self._options,
            ),
        )

    def upsert(self, table: str, rows: pa.Table, progress: TableProgress) -> None:
        """Merge rows by key. The watermark is a Delta transaction id, so of two concurrent writers only one commits."""
        transactions = [Transaction(_VERSION, progress.version), Transaction(_AS_OF, progress.as_of)]
        commit = CommitProperties(app_transactions=transactions)
        opened = self._latest(table)
        try:
            if opened is None or not rows.num_rows:
                self._write(opened or self._uri(table), rows, commit)
            else:
                merge_by_key(opened, rows, commit)
        except (DeltaError, OSError) as error:
            was_created_meanwhile = opened is None and self._open(table) is not None
            if isinstance(error, CommitFailedError) or was_created_meanwhile:
                raise Conflict(f"another writer committed to {table} first; run it again") from error
            raise Unavailable(f"the lake did not take the write: {type(error).__name__}") from error

    def _write(self, target: DeltaTable | str, rows: pa.Table, commit: CommitProperties) -> None:
        """Create the table, or commit the watermark only."""
        write_deltalake(
            target,
            rows,
            mode="error" if isinstance(target, str) else "append",
            schema_mode=None if isinstance(target, str) else "merge",
            configuration={"delta.targetFileSize": _UPSERTED_FILE} if isinstance(target, str) else None,
            storage_options=self._options,
            commit_properties=commit,
        )

    def progress(self, table: str) -> TableProgress | None:
        """The watermark of the latest upsert."""
        opened = self._latest(table)
        version = None if opened is None else opened.transaction_version(_VERSION)
        as_of = None if opened is None else opened.transaction_version(_AS_OF)
        return None if version is None or as_of is None else TableProgress(version, as_of)

    def delete(self, table: str, keys: pa.Array, *, key: str = "key") -> int:
        """Delete the rows of keys, in commits of at most ``KEYS_PER_COMMIT`` keys."""
        if self._latest(table) is None:
            return 0
        named = [f"'{text.replace(chr(39), 2 * chr(39))}'" for text in keys.to_pylist()]
        starts = range(0, len(named), KEYS_PER_COMMIT)
        return sum(self._delete(table, f"{key} IN ({', '.join(named[at : at + KEYS_PER_COMMIT])})") for at in starts)

    def _delete(self, table: str, predicate: str) -> int:
        deleted = 0

        def write(opened: DeltaTable | None) -> None:
            nonlocal deleted
            if opened is not None:
                deleted = int(opened.delete(predicate)["num_deleted_rows"] or 0)

        self._retried(table, write)
        return deleted

    def version(self, table: str) -> int | None:
        """The number of the latest commit."""
        opened = self._latest(table)
        return None if opened is None else opened.version()

    def files(self, table: str) -> int:
        """The number of files of the table."""
        opened = self._latest(table)
        return 0 if opened is None else len(opened.file_uris())

    def compact(self, table: str) -> None:
        """Rewrite small files as large ones."""
        if self._latest(table) is not None:
            self._retried(
                table, lambda opened: opened and opened.optimize.compact(writer_properties=compact_encoding())
            )

    def vacuum(self, table: str) -> None:
        """Delete replaced and orphaned files, write a checkpoint, and delete old log entries."""
        opened = self._latest(table)
        if opened is None:
            return
        with _translated(table):
            # full: orphaned files of killed writers, or files that a checkpoint dropped, are not in the log
            opened.vacuum(self._retention_hours, dry_run=False, enforce_retention_duration=False, full=True)
            opened.create_checkpoint()
            opened.cleanup_metadata()

    def _retried(self, table: str, write: Callable[[DeltaTable | None], object]) -> None:
        """Retry a commit. Delta uses optimistic concurrency: with many writers, delta-rs's own retries may not do."""
        opened = self._open(table)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                write(opened)
            except CommitFailedError as error:
                if attempt == _ATTEMPTS:
                    raise Unavailable(f"other writers changed {table} during all {attempt} write attempts") from error
                opened = self._latest(table)
            except (DeltaError, OSError) as error:
                raise Unavailable(f"the lake did not take the write: {type(error).__name__}") from error
            else:
                return
