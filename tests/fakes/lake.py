"""A lake in memory."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.ports import Between


class FakeLake:
    """The ``Lake`` port over a dict of tables; each write is one commit."""

    def __init__(self) -> None:
        self._tables: dict[str, pa.Table] = {}
        self._versions: dict[str, int] = {}

    def _commit(self, table: str, rows: pa.Table) -> None:
        self._tables[table] = rows
        self._versions[table] = self._versions.get(table, -1) + 1

    def append(self, table: str, rows: pa.Table) -> None:
        if rows.num_rows:
            before = [self._tables[table]] if table in self._tables else []
            self._commit(table, pa.concat_tables([*before, rows], promote_options="default"))

    def read(self, table: str, columns: Sequence[str] | None = None, between: Between | None = None) -> pa.Table | None:
        if table not in self._tables:
            return None
        rows = self._tables[table]
        if between is not None:
            rows = rows.filter(_inside(rows, between))
        return rows if columns is None else rows.select(list(columns))

    def replace(self, table: str, rows: pa.Table, between: Between) -> None:
        if table not in self._tables:
            self.append(table, rows)
            return
        before = self._tables[table]
        kept = before.filter(pc.invert(_inside(before, between)))
        self._commit(table, pa.concat_tables([kept, rows]))

    def version(self, table: str) -> int | None:
        return self._versions.get(table)

    def compact(self, table: str) -> None:
        if table in self._tables:
            self._commit(table, self._tables[table].combine_chunks())


def _inside(rows: pa.Table, between: Between) -> pa.Array:
    column = rows[between.column]
    return pc.and_(pc.greater_equal(column, between.start), pc.less(column, between.end))
