"""How rows are written to Delta tables: the encoding of appended files, and the merge by key."""

from typing import Final

import pyarrow as pa
from deltalake import ColumnProperties, CommitProperties, DeltaTable, WriterProperties

from smallbox.aws.delta_reads import completed, extended

_ROW_GROUP: Final = 20_000
_UNIQUE: Final = frozenset({"id", "key", "digest"})


def quick_encoding(schema: pa.Schema) -> WriterProperties:
    """The encoding of appended files: small row groups, without dictionaries of numbers and of unique texts.

    It takes a fifth of the time and of the memory of the usual one. The files are larger, until the upkeep's compaction
    writes them anew.
    """
    plain = [field.name for field in schema if pa.types.is_floating(field.type) or field.name in _UNIQUE]
    columns = {name: ColumnProperties(dictionary_enabled=False) for name in plain}
    return WriterProperties(max_row_group_size=_ROW_GROUP, column_properties=columns)


def compact_encoding() -> WriterProperties:
    """The encoding of compacted files: row groups as small as those of appended ones.

    Rows lie about in the order in which they came, so a reader of a range of time skips most of a large file.
    """
    return WriterProperties(compression="ZSTD", max_row_group_size=_ROW_GROUP)


def merge_by_key(opened: DeltaTable, rows: pa.Table, commit: CommitProperties) -> None:
    """Merge rows by ``key`` in one commit."""
    known = pa.schema(opened.schema().to_arrow())
    # not streamed: delta-rs then skips files whose key range has none of the rows' keys
    merger = opened.merge(
        # a column that the rows lack is null in them: the merge would leave it as it was
        completed(rows, extended(rows.schema, known)),
        "target.key = source.key",
        source_alias="source",
        target_alias="target",
        merge_schema=True,
        streamed_exec=False,
        commit_properties=commit,
    )
    merger.when_matched_update_all().when_not_matched_insert_all().execute()
