"""A lake in memory."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.errors import Conflict
from smallbox.ports import Between, TableProgress


class FakeLake:
    """The ``Lake`` port over a dict of tables; each write is one commit, and each appended commit is one slice.

    Attributes:
        meanwhile: what another writer does between the reading and the commit of the next upsert; a test sets it.
    """

    def __init__(self) -> None:
        self._tables: dict[str, pa.Table] = {}
        self._versions: dict[str, int] = {}
        self._appended: dict[str, dict[int, pa.Table]] = {}
        self._progress: dict[str, TableProgress] = {}
        self._files: dict[str, int] = {}
        self.meanwhile: Callable[[], None] | None = None

    def _commit(self, table: str, rows: pa.Table) -> None:
        self._tables[table] = rows
        self._versions[table] = self._versions.get(table, -1) + 1
        self._files[table] = self._files.get(table, 0) + 1

    def append(self, table: str, rows: pa.Table) -> None:
        if rows.num_rows:
            before = [self._tables[table]] if table in self._tables else []
            self._commit(table, pa.concat_tables([*before, rows], promote_options="default"))
            self._appended.setdefault(table, {})[self._versions[table]] = rows

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
        if table not in self._tables:
            return None
        rows = self._tables[table]
        newer = pa.schema([field for field in schema or () if field.name not in rows.column_names])
        rows = pa.concat_tables([rows, newer.empty_table()], promote_options="default")
        if between is not None:
            rows = rows.filter(_inside(rows, between))
        if keys is not None:
            rows = rows.filter(pc.is_in(rows[key], value_set=keys.combine_chunks()))
        return rows if columns is None else rows.select(list(columns))

    def slices(
        self,
        table: str,
        after: int = -1,
        between: Between | None = None,
        *,
        columns: Sequence[str] | None = None,
        schema: pa.Schema | None = None,
    ) -> Iterator[pa.Table]:
        if table not in self._tables:
            return
        newer = pa.schema([field for field in schema or () if field.name not in self._tables[table].column_names])
        whole = [self._tables[table].schema.empty_table(), newer.empty_table()]
        nothing = pa.concat_tables(whole, promote_options="default")
        last = after if after <= self._versions[table] else -1
        for version, rows in self._appended.get(table, {}).items():
            found = pa.concat_tables([nothing, rows], promote_options="default")
            inside = found if between is None else found.filter(_inside(found, between))
            if version > last and inside.num_rows:
                yield inside if columns is None else inside.select(list(columns))

    def snapshot(self) -> "FakeLake":
        fixed = copy(self)
        fixed._tables, fixed._appended = dict(self._tables), {n: dict(rows) for n, rows in self._appended.items()}
        return fixed

    def replace(self, table: str, rows: pa.Table, between: Between) -> None:
        if table not in self._tables:
            self.append(table, rows)
            return
        before = self._tables[table]
        kept = before.filter(pc.invert(_inside(before, between)))
        self._commit(table, pa.concat_tables([kept, rows], promote_options="default"))

    def upsert(self, table: str, rows: pa.Table, progress: TableProgress) -> None:
        before, known = self._tables.get(table, rows.schema.empty_table()), self._progress.get(table)
        self._let_another_write()
        if self._progress.get(table) is not known:
            raise Conflict(f"another writer committed to {table} first; run it again")
        kept = before.filter(pc.invert(pc.is_in(before["key"], value_set=rows["key"].combine_chunks())))
        self._commit(table, pa.concat_tables([kept, rows], promote_options="default"))
        self._progress[table] = progress

    def _let_another_write(self) -> None:
        write, self.meanwhile = self.meanwhile, None
        if write is not None:
            write()

    def delete(self, table: str, keys: pa.Array, *, key: str = "key") -> int:
        before = self._tables.get(table)
        if before is None or not len(keys):
            return 0
        kept = before.filter(pc.invert(_among(before, keys, key)))
        if kept.num_rows < before.num_rows:
            self._commit(table, kept)
            appended = self._appended.get(table, {})
            for version, rows in appended.items():
                appended[version] = rows.filter(pc.invert(_among(rows, keys, key)))
        return int(before.num_rows - kept.num_rows)

    def progress(self, table: str) -> TableProgress | None:
        return self._progress.get(table)

    def version(self, table: str) -> int | None:
        return self._versions.get(table)

    def files(self, table: str) -> int:
        return self._files.get(table, 0)

    def compact(self, table: str) -> None:
        if table in self._tables:
            self._commit(table, self._tables[table].combine_chunks())
            self._files[table] = 1

    def vacuum(self, table: str) -> None:
        """There is nothing behind the rows of this lake."""


def _among(rows: pa.Table, keys: pa.Array, key: str) -> pa.Array:
    return pc.is_in(rows[key], value_set=keys)


def _inside(rows: pa.Table, between: Between) -> pa.Array:
    if between.column not in rows.column_names:
        return pa.array([False] * rows.num_rows, pa.bool_())
    column = pc.fill_null(rows[between.column], between.end)
    return pc.and_(pc.greater_equal(column, between.start), pc.less(column, between.end))
