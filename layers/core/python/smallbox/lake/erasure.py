"""The erasure of keys: every row about some records of a source, from every table of the lake."""

from collections.abc import Collection

import pyarrow as pa

from smallbox.define.project import Project
from smallbox.lake.catalogue import catalogue
from smallbox.ports import Lake


def delete_keys(project: Project, lake: Lake, source: str, keys: Collection[str]) -> dict[str, int]:
    """Delete every row about records of a source, by their keys; running it again deletes nothing more.

    No reader sees the rows afterwards. Their old files stay readable by version until the next vacuum after the
    retention of replaced files. Online states, queues, quarantine, training datasets and dropped files are not touched.

    Args:
        project: whose tables.
        lake: where they are.
        source: the source's name.
        keys: the records' keys.

    Returns:
        For each table about the source, how many rows were deleted.

    Raises:
        NotFound: when there is no such source.
    """
    name, wanted = project.source(source).name, pa.array(sorted(set(keys)), pa.string())
    # the log comes first: the upkeep makes `current` from it, and would put a deleted row back
    return {
        table.name: lake.delete(table.name, wanted) for table in catalogue(project).values() if table.source == name
    }
