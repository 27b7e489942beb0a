"""Small files to large ones, in every table that the project fills."""

from smallbox.define.project import Project
from smallbox.feedback.run import labelled_table
from smallbox.ingestion.table import name_of
from smallbox.ports import Lake
from smallbox.serving.log import predictions_table


def compact(project: Project, lake: Lake) -> None:
    """Compact the records of every source, and the predictions and labels of every model."""
    tables = [name_of(source) for source in project.sources.values()]
    tables += [table(name) for name in project.models for table in (predictions_table, labelled_table)]
    for table in tables:
        lake.compact(table)
