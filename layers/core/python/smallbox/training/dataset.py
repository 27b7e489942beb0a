"""The first task of a training run: its point-in-time dataset."""

from smallbox.define.frozen import signature_digest
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.signature import Signature
from smallbox.documents.training_run import DatasetCounts, DatasetRun, TrainingRequest
from smallbox.errors import NotReady
from smallbox.labels.join import ASKED_LATE, LABELLED, UNLABELLED
from smallbox.lake.names import records_table
from smallbox.lake.parquet import ParquetParts
from smallbox.ports import Blobs, Lake
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.times import Micros, asked_moment, format_moment
from smallbox.training.dataset_rows import DatasetParts


class DatasetTask:
    """Builds the point-in-time dataset and stores it as immutable Parquet."""

    def __init__(self, project: Project, lake: Lake, blobs: Blobs, registry: Registry, signatures: Signatures) -> None:
        self._project = project
        self._lake = lake
        self._blobs = blobs
        self._registry = registry
        self._signatures = signatures

    def run(self, document: TrainingRequest, now: Micros) -> DatasetRun:
        """Build the dataset of the model as of the requested moment, or of ``now``.

        Raises:
            NotFound: when there is no such model.
            InvalidInput: when ``as_of`` is not a moment, or lies in the future.
            NotReady: when no request of the training window has a label.
        """
        model = self._project.model(document["model"])
        as_of = asked_moment(document, now)
        # versions first: the dataset holds at least what these commits hold
        versions = {name: self._lake.version(name) for name in self._tables(model)}
        champion, other = self._champion(model)
        parts = DatasetParts(self._project, model, self._lake, as_of, other)
        _check_labelled(model, parts, as_of)
        rows, silent, compared = self._store(f"datasets/{model.name}/{as_of}-", parts)
        return {
            "reason": "asked for",
            **document,
            "as_of": format_moment(as_of),
            "signature": signature_digest(model),
            "dataset": rows,
            "silent": silent,
            "compared_with": None if champion is None else {"version": champion.number, "inputs": compared},
            "counts": _counts(parts),
            "data_versions": versions,
        }

    def _champion(self, model: Model) -> tuple[Version | None, Signature | None]:
        """The champion to compare with, and its signature if its inputs differ from the definition's.

        A champion that predicts another label, or that this release cannot load, cannot be compared with.
        """
        routing = self._registry.routing(model.name)
        if routing is None:
            return None, None
        champion = self._registry.get(model.name, routing.champion)
        if champion.is_outdated:
            return None, None
        if champion.fits(signature_digest(model)):
            return champion, None
        signature = self._signatures.of_version(champion)
        return (champion, signature) if signature.label == model.label else (None, None)

    def _store(self, prefix: str, parts: DatasetParts) -> tuple[str, str, str]:
        """Store the labelled rows, the sample of unlabelled ones, and the other inputs; their keys, "" for none."""
        with ParquetParts() as rows, ParquetParts() as silent, ParquetParts() as compared:
            for part in parts:
                rows.add(part.rows)
                silent.add(part.silent)
                if part.compared is not None:
                    compared.add(part.compared)
            keys = rows.store(self._blobs, prefix), silent.store(self._blobs, prefix)
            return *keys, compared.store(self._blobs, prefix) if parts.is_compared else ""

    def _tables(self, model: Model) -> list[str]:
        label = self._project.source(model.label.source_name)
        sources = [model.request, label, *(view.source for view in model.views)]
        return list(dict.fromkeys(records_table(source) for source in sources))


def _check_labelled(model: Model, parts: DatasetParts, as_of: Micros) -> None:
    if not parts.count(LABELLED):
        raise NotReady(
            f"none of {parts.requests} requests of {model.name} whose window is over by {format_moment(as_of)} has a "
            f"label that became known within {model.label.within}; load history, and check that its sources say when "
            "a record is known (known_after): without it, a record is known when it is received",
            requests=parts.requests,
        )


def _counts(parts: DatasetParts) -> DatasetCounts:
    return {
        "requests": parts.requests,
        "rows": parts.count(LABELLED),
        "unlabelled": parts.count(UNLABELLED),
        "asked_late": parts.count(ASKED_LATE),
    }
