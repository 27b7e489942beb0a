"""Which changes of contracts and of prediction logs may not be deployed, because of what is deployed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.define.compatibility import ChangeKind, ContractChange, changes
from smallbox.define.contract_document import contract_of_source
from smallbox.define.log_columns import logged_types
from smallbox.define.project import Project
from smallbox.define.signature import Signature
from smallbox.define.source import Source
from smallbox.documents.deployed_contracts import (
    ContractDocument,
    ContractsSnapshot,
    DeployedColumn,
    DeployedSource,
    ReaderDocument,
)

LIVE: Final = "a version is live while it is champion, challenger, the last champion, or accepted and waiting"
"""Which versions may not lose what they read; the versions of the refusals."""

_RETIRE: Final = "retire the version: `smallbox release retire MODEL VERSION --why ...`; replace a champion first"
_WAYS_OUT: Final[Mapping[ChangeKind, str]] = {
    "removed": f"keep the field, or {_RETIRE}",
    "tightened": f"add a new field with that rule beside it, or {_RETIRE}",
    "added_required": f"write nullable=True, or {_RETIRE}",
    "made_required": f"keep nullable=True, or {_RETIRE}",
    "key_changed": f"add a new source beside it, or {_RETIRE}",
    "time_changed": f"add a new source beside it, or {_RETIRE}",
    "known_after_changed": f"add a new source beside it, or {_RETIRE}",
}
"""The changes that a live version forbids. A retyped field is refused without one."""

_OF_ONE_FIELD: Final[frozenset[ChangeKind]] = frozenset({"removed", "tightened"})
"""The changes that only the versions forbid which read the field; the others change every record of the source."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A live version, and the fields of records that it reads.

    Attributes:
        label: what messages call it, like ``"late_arrival version 3"``.
        fields: the fields by source. Key and time of a source need not be among them: every reader reads both.
        model: the version's model; empty when it is not known.
        request: the source whose records callers send as requests; empty when it is not known.
    """

    label: str
    fields: Mapping[str, frozenset[str]]
    model: str = ""
    request: str = ""

    def as_json(self) -> ReaderDocument:
        """The reader as a document."""
        fields = {source: sorted(names) for source, names in self.fields.items()}
        return {"label": self.label, "model": self.model, "request": self.request, "fields": fields}

    @classmethod
    def of(cls, label: str, signature: Signature) -> "Reader":
        """The reader of a version with this signature.

        Of the request's source it reads the request fields and the event time; of each view's source key, time, entity
        and what the features read; of the label's source the fields of the label.
        """
        request, outcome = signature.request, signature.label
        fields = {request.name: {*signature.request_fields, request.time}}
        for view in signature.views:
            read = {name for feature in view.features.values() for name in feature.fields}
            of_source = fields.setdefault(view.source.name, {view.source.key, view.source.time})
            of_source.update(read, view.entity_fields)
        fields.setdefault(outcome.source_name, set()).update((outcome.on, outcome.value))
        return cls(label, {source: frozenset(names) for source, names in fields.items()}, signature.name, request.name)

    @classmethod
    def from_json(cls, document: ReaderDocument) -> "Reader":
        """The inverse of :meth:`as_json`."""
        fields = {source: frozenset(names) for source, names in document["fields"].items()}
        return cls(document["label"], fields, document["model"], document["request"])


def refusals(deployed: ContractsSnapshot, project: Project, readers: Sequence[Reader]) -> list[str]:
    """Why a project may not be deployed over what is deployed: one sentence for each reason, none when it may.

    A field keeps type and unit for ever, and so does a column of a prediction log its type: the tables of the lake have
    one column for old and new rows. Everything else is refused only while a live version reads it. The versions of a
    model that the project lacks answer nothing once it is deployed, so they read nothing.

    Args:
        deployed: what is deployed; its own ``readers`` are not used.
        project: what is to be deployed.
        readers: the live versions.
    """
    readers = [reader for reader in readers if reader.model in {"", *project.models}]
    of_sources = (
        sentence
        for name, source in deployed["sources"].items()
        for sentence in _of_source(name, source, project.sources.get(name), readers)
    )
    of_logs = (
        sentence
        for name, log in deployed["models"].items()
        if name in project.models
        for sentence in _of_log(project.models[name], log["columns"])
    )
    return [*of_sources, *_of_requests(project, readers), *of_logs]


def _of_requests(project: Project, readers: Sequence[Reader]) -> Iterator[str]:
    """A caller's request is checked by one contract, so all versions that answer must take the same requests."""
    for reader in readers:
        request = project.models[reader.model].request.name if reader.model else reader.request
        if request != reader.request:
            yield (
                f"model {reader.model}: its requests are of source {request} now, but {reader.label} answers requests "
                f"of source {reader.request}; give the new model another name, or {_RETIRE}"
            )


def _of_source(name: str, deployed: DeployedSource, source: Source | None, readers: Sequence[Reader]) -> Iterator[str]:
    before = deployed["contract"]
    reading = {r.label: {*r.fields[name], before["key"], before["time"]} for r in readers if name in r.fields}
    if source is None:
        if reading:
            yield f"source {name} was removed, but {_read(reading)} it; keep the source, or {_RETIRE}"
        return
    after = contract_of_source(source)
    yield from _retyped(name, deployed["columns"], after)
    for change in changes(before, after):
        is_of_field = change.kind in _OF_ONE_FIELD
        held_by = [label for label, fields in reading.items() if change.field in fields or not is_of_field]
        if change.kind in _WAYS_OUT and held_by:
            what = "it" if is_of_field else "the source"
            yield f"{_subject(name, change)}, but {_read(held_by)} {what}; {_WAYS_OUT[change.kind]}"


def _subject(source: str, change: ContractChange) -> str:
    field = f"field {change.field!r} " if change.field else ""
    return f"source {source}: {field}{change.what}"


def _read(labels: Mapping[str, object] | Sequence[str]) -> str:
    names = list(labels)
    return f"{names[0]} reads" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} read"


def _retyped(source: str, columns: Mapping[str, DeployedColumn], after: ContractDocument) -> Iterator[str]:
    for name, field in after["fields"].items():
        column = columns.get(name)
        if column is None:
            continue
        if column["type"] != field["type"]:
            yield f"{_column(source, name)} holds the type {column['type']}, not {field['type']}; {_BESIDE}"
        elif column["unit"] and field["unit"] and column["unit"] != field["unit"]:
            yield f"{_column(source, name)} holds the unit {column['unit']!r}, not {field['unit']!r}; {_BESIDE}"


_BESIDE: Final = "add a new field of another name beside it"


def _column(source: str, name: str) -> str:
    return f"source {source}: field {name!r}: its column in the lake"


def _of_log(signature: Signature, columns: Mapping[str, str]) -> Iterator[str]:
    for name, kind in logged_types(signature).items():
        if columns.get(name, kind) != kind:
            yield (
                f"model {signature.name}: {name!r}: its column in the prediction log holds the type {columns[name]}, "
                f"not {kind}; give the input or feature another name"
            )
