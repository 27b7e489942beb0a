"""What the lake needs from time to time: ``current`` brought forward, small files made large, replaced ones removed."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.errors import SmallboxError
from smallbox.feedback.run import labelled_table
from smallbox.ingestion.current import bring_forward, current_of
from smallbox.ingestion.table import name_of
from smallbox.ports import Lake
from smallbox.serving.log import predictions_table
from smallbox.times import Micros, asked_moment, format_moment

_TABLES_OF_A_MODEL: Final = (predictions_table, labelled_table)


class Upkeep:
    """The one writer of the tables ``current``; it also compacts and vacuums every table that the project fills.

    Each step leaves every table right and may be run again, so a run may be killed anywhere. The log of a source is
    vacuumed only when ``current`` has taken it up.
    """

    def __init__(self, project: Project, lake: Lake) -> None:
        self._project = project
        self._lake = lake

    def run(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Look after every table, as of the document's ``as_of`` or now.

        Returns:
            ``as_of``, and for each source where its table ``current`` stands and how many rows were written to it.

        Raises:
            InvalidInput: when ``as_of`` is no moment, or lies in the future.
            SmallboxError: the first thing that went wrong, after the other tables have been looked after.
        """
        as_of = asked_moment(document, now)
        standing: dict[str, Any] = {}
        works = [partial(self._source, source, as_of, standing) for source in self._project.sources.values()]
        works += [partial(self._tidy, table(m)) for m in self._project.models for table in _TABLES_OF_A_MODEL]
        failures = [error for work in works if (error := _failure(work))]
        if failures:
            raise failures[0]
        return {"as_of": format_moment(as_of), "current": standing}

    def _source(self, source: Source, as_of: Micros, standing: dict[str, Any]) -> None:
        stands = bring_forward(source, self._lake, as_of)
        if stands is not None:
            standing[source.name] = {"as_of": format_moment(stands.as_of), "written": stands.written}
        self._tidy(name_of(source))
        self._tidy(current_of(source))

    def _tidy(self, table: str) -> None:
        self._lake.compact(table)
        self._lake.vacuum(table)


def _failure(work: Callable[[], None]) -> SmallboxError | None:
    try:
        work()
    except SmallboxError as error:
        return error
    return None
