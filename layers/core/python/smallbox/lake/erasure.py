"""The erasure of keys: every row about some records of a source, from every table of the lake."""

from collections.abc import Callable, Collection

import pyarrow as pa

from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.lake.catalogue import catalogue
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from smallbox.ports import Lake


def delete_keys(
    project: Project, lake: Lake, forget: Callable[[pa.Array], int], source: str, keys: Collection[str]
) -> dict[str, int]:
    """Delete every row about records of a source, by their keys.

    A labelled prediction is about its request and about its outcome: deleting either deletes the row. Online states,
    queues, quarantine, training datasets, models and dropped files are not touched. Replaced files stay readable by
    version until the next vacuum after their retention.

    Profiles lose the extreme rows of the keys. Counts, sums and sketches keep what the rows gave them: they name no
    row, but an hour that has one row alone has its numbers as its mean.

    Run it while neither the upkeep nor the label join runs: one that had read the rows before writes them back. A
    second run deletes those of the keys themselves. It cannot find labelled rows of an outcome whose key is not
    ``label.on``, since the log that names their requests is deleted by then.

    Args:
        project: whose tables.
        lake: where they are.
        forget: takes keys out of the stored profiles, and says out of how many objects:
            :meth:`smallbox.profiles.store.ProfileStore.forget`.
        source: the source's name.
        keys: the records' keys.

    Returns:
        For each table about the source, how many rows were deleted; ``profiles``: how many objects had such a row.

    Raises:
        NotFound: when there is no such source.
    """
    found = project.source(source)
    tables = [table for table in catalogue(project).values() if source in table.about]
    # read before the first delete: the log says which requests an outcome is about
    wanted = {field: _values(lake, found, field, keys) for field in {table.about[source] for table in tables}}
    # the log is deleted from first: the upkeep makes `current` from it
    tables.sort(key=lambda table: table.name != records_table(found))
    deleted = {table.name: lake.delete(table.name, wanted[table.about[source]]) for table in tables}
    return {**deleted, "profiles": sum(map(forget, wanted.values()))}


def _values(lake: Lake, source: Source, field: str, keys: Collection[str]) -> pa.Array:
    """The values of a field in any version of the records with these keys."""
    if field == source.key:
        return pa.array(sorted(set(keys)), pa.string())
    named = pa.chunked_array([sorted(set(keys))], pa.string())
    rows = lake.read(records_table(source), ["key", field], keys=named, schema=record_schema(source))
    return pa.array([], pa.string()) if rows is None else rows[field].drop_null().unique().cast(pa.string())
