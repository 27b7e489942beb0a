"""Delta Lake tables in an S3 bucket, through delta-rs."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from smallbox.aws.delta_reads import NoLongerKeptError, among, appended, filter_of, gathered
from smallbox.errors import Conflict, Unavailable
from smallbox.ports import Between, TableProgress

RETENTION_HOURS: Final = 7 * 24
"""How long a replaced file is kept: a reader of the version before may still be at work, and a bad day can be looked at
as it was. It is also the least that Delta allows without a switch."""

SLICE_ROWS: Final = 500_000
"""Rows of a slice: two of them, and the rewriting of the files that they touch, fit into a function's memory."""

_UPSERTED_FILE: Final = str(32 * 1024 * 1024)
"""The size of the files of a table that is upserted: one changed row rewrites a file."""

TAIL_COMMITS: Final = 50
"""After so many commits an append makes one file of its table's small ones: a reader opens each, in milliseconds."""

TAIL_BYTES: Final = 4 * 1024 * 1024
"""Files of this size are left to the upkeep, so that what an append rewrites does not grow with the table."""

KEYS_PER_COMMIT: Final = 1_000
"""The most keys that one commit deletes: they are named in its predicate."""

_ATTEMPTS: Final = 5
_VERSION, _AS_OF = "smallbox/version", "smallbox/as_of"


@contextmanager
def _translated(table: str) -> Iterator[None]:
    """What S3 does not answer or refuses comes out of delta-rs and Arrow as an ``OSError``."""
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
    """The ``Lake`` port: a table lies at ``tables/<name>`` of the bucket, or under a local folder in tests.

    Files carry the least and greatest value of each column that they hold, so reading a range opens only the files it
    needs. A table stays open between calls: catching up with its log costs a fraction of reading it anew.

    Args:
        root: the folder of the tables.
        options: delta-rs's storage options; S3's when left out.
        retention_hours: how long replaced files are kept.
        slice_rows: about how many rows a slice has.
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

    @classmethod
    def in_bucket(cls, bucket: str) -> "DeltaLake":
        """The lake of a bucket."""
        return cls(f"s3://{bucket}/tables")

    def _uri(self, table: str) -> str:
        return f"{self._root}/{table}"

    def _open(self, table: str) -> DeltaTable | None:
        """The table as it was when this process last saw it; ``None`` when there is none."""
        if table not in self._opened:
            with _translated(table):
                try:
                    self._opened[table] = DeltaTable(self._uri(table), storage_options=self._options)
                except TableNotFoundError:
                    return None
        return self._opened[table]

    def _latest(self, table: str) -> DeltaTable | None:
        opened = self._open(table)
        if opened is not None:
            with _translated(table):
                opened.update_incremental()
        return opened

    def append(self, table: str, rows: pa.Table) -> None:
        """Add rows in one atomic commit; from time to time small files become one in a commit of its own."""
        if rows.num_rows:
            self._retried(
                table,
                lambda opened: write_deltalake(
                    opened or self._uri(table), rows, mode="append", schema_mode="merge", storage_options=self._options
                ),
            )

            self._compact_tail(table)

    def _compact_tail(self, table: str) -> None:
        opened = self._opened.get(table)
        if opened is None or not opened.version() or opened.version() % TAIL_COMMITS:
            return
        # the rows are in: when another writer is faster, the files stay small until the next time
        with suppress(DeltaError, OSError):
            opened.optimize.compact(target_size=TAIL_BYTES)

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        between: Between | None = None,
        keys: pa.ChunkedArray | None = None,
        *,
        key: str = "key",
    ) -> pa.Table | None:
        """The rows, in no order."""
        opened = self._latest(table)
        if opened is None:
            return None
        data = opened.to_pyarrow_dataset()
        wanted = data.schema.names if columns is None else list(columns)
        if between is not None and between.column not in data.schema.names:  # null in every row, so in no range
            return pa.schema([data.schema.field(name) for name in wanted]).empty_table()
        with _translated(table):
            if keys is None:
                return data.to_table(columns=wanted, filter=filter_of(between))
            found = among(data.to_batches(columns=wanted, filter=filter_of(between)), keys.combine_chunks(), key)
            return pa.Table.from_batches(found, schema=pa.schema([data.schema.field(name) for name in wanted]))

    def slices(self, table: str, after: int = -1, between: Between | None = None) -> Iterator[pa.Table]:
        """The rows in slices, or those appended after a commit, whether or not they have been compacted since."""
        opened = self._latest(table)
        if opened is None or after == opened.version():
            return
        schema = pa.schema(opened.schema().to_arrow())
        if after >= 0:
            with suppress(NoLongerKeptError):
                yield from self._cut(appended(opened, after), schema)
                return
        with _translated(table):
            yield from self._cut(opened.to_pyarrow_dataset().to_batches(filter=filter_of(between)), schema)

    def _cut(self, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
        for some in gathered(batches, self._slice_rows):
            yield pa.Table.from_batches(some).select(schema.names).cast(schema)

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
                opened or self._uri(table), rows, mode="overwrite", predicate=predicate, storage_options=self._options
            ),
        )

    def upsert(self, table: str, rows: pa.Table, progress: TableProgress) -> None:
        """Merge rows by key; the progress is a transaction of Delta's own, which two writers cannot both commit."""
        transactions = [Transaction(_VERSION, progress.version), Transaction(_AS_OF, progress.as_of)]
        commit = CommitProperties(app_transactions=transactions)
        opened = self._latest(table)
        try:
            if opened is None or not rows.num_rows:
                self._write(opened or self._uri(table), rows, commit)
            else:
                _merge(opened, rows, commit)
        except CommitFailedError as error:
            raise Conflict(f"another writer of {table} was faster; run it again") from error
        except (DeltaError, OSError) as error:
            raise Unavailable(f"the lake did not take the write: {type(error).__name__}") from error

    def _write(self, target: DeltaTable | str, rows: pa.Table, commit: CommitProperties) -> None:
        """Create the table, or commit the progress alone."""
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
        """What the latest upsert wrote."""
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
        """How many files the table has."""
        opened = self._latest(table)
        return 0 if opened is None else len(opened.file_uris())

    def compact(self, table: str) -> None:
        """Rewrite small files as large ones."""
        if self._latest(table) is not None:
            self._retried(table, lambda opened: opened and opened.optimize.compact())

    def vacuum(self, table: str) -> None:
        """Remove replaced files and those that no commit ever named, write a checkpoint, and drop old log entries."""
        opened = self._latest(table)
        if opened is None:
            return
        with _translated(table):
            # full: what a killed writer left, and what a checkpoint no longer names, is known to no log
            opened.vacuum(self._retention_hours, dry_run=False, enforce_retention_duration=False, full=True)
            opened.create_checkpoint()
            opened.cleanup_metadata()

    def _retried(self, table: str, write: Callable[[DeltaTable | None], object]) -> None:
        """Delta commits are optimistic: under many writers one can fail after delta-rs's own retries."""
        opened = self._open(table)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                write(opened)
            except CommitFailedError as error:
                if attempt == _ATTEMPTS:
                    raise Unavailable(f"{table} changed under {attempt} attempts to write it") from error
                opened = self._latest(table)
            except (DeltaError, OSError) as error:
                raise Unavailable(f"the lake did not take the write: {type(error).__name__}") from error
            else:
                return


def _merge(opened: DeltaTable, rows: pa.Table, commit: CommitProperties) -> None:
    # not streamed: the keys of the rows tell which files cannot hold any of them, and those are not read
    merger = opened.merge(
        rows,
        "target.key = source.key",
        source_alias="source",
        target_alias="target",
        merge_schema=True,
        streamed_exec=False,
        commit_properties=commit,
    )
    merger.when_matched_update_all().when_not_matched_insert_all().execute()
