"""The first task of a training run: its point-in-time dataset."""

import hashlib
from typing import Any

import pyarrow as pa

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import NotReady
from smallbox.lake.names import records_table
from smallbox.ports import Blobs, Lake
from smallbox.times import Micros, asked_moment, format_moment
from smallbox.training.examples import build_dataset
from smallbox.training.fit import Document, _parquet


class DatasetTask:
    """First task: the point-in-time dataset, stored as immutable Parquet."""

    def __init__(self, project: Project, lake: Lake, blobs: Blobs) -> None:
        self._project = project
        self._lake = lake
        self._blobs = blobs

    def run(self, document: Document, now: Micros) -> dict[str, Any]:
        """Build the dataset of ``document["model"]`` as of ``document["as_of"]``, or of the present.

        Raises:
            NotFound: no such model.
            InvalidInput: ``as_of`` is no moment, or lies ahead.
            NotReady: no request of the training window has a label.
        """
        model = self._project.model(document["model"])
        as_of = asked_moment(document, now)
        versions = {name: self._lake.version(name) for name in self._tables(model)}
        dataset = build_dataset(self._project, model, self._lake, as_of)
        if not dataset.rows.num_rows:
            raise NotReady(
                f"of {dataset.requests} requests of {model.name} whose window is over by {format_moment(as_of)} none "
                f"has a label that became known within {model.label.within}; load history, and see that its sources "
                "say when a record is known (known_after): without it that is when it was received",
                requests=dataset.requests,
            )
        counts = {
            "requests": dataset.requests,
            "rows": dataset.rows.num_rows,
            "unlabelled": dataset.unlabelled,
            "asked_late": dataset.asked_late,
        }
        found = {
            "as_of": format_moment(as_of),
            "dataset": self._store(model, as_of, dataset.rows),
            "silent": self._store(model, as_of, dataset.silent),
            "counts": counts,
            "data_versions": versions,
        }
        return {"reason": "asked for", **document, **found}

    def _store(self, model: Model, as_of: Micros, rows: pa.Table) -> str:
        content = _parquet(rows)
        key = f"datasets/{model.name}/{as_of}-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
        self._blobs.put(key, content)
        return key

    def _tables(self, model: Model) -> list[str]:
        label = self._project.source(model.label.source_name)
        sources = [model.request, label, *(view.source for view in model.views)]
        return list(dict.fromkeys(records_table(source) for source in sources))
