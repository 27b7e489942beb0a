"""The contracts that are deployed, and the types of all columns that tables of the lake ever had."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

from smallbox.define.contract_document import contract_of_source, contract_version
from smallbox.define.log_columns import logged_types
from smallbox.define.project import Project
from smallbox.define.refusals import Reader
from smallbox.define.signature import Signature
from smallbox.define.source import Source
from smallbox.documents.deployed_contracts import (
    ContractDocument,
    ContractsSnapshot,
    DeployedColumn,
    DeployedLog,
    DeployedSource,
)
from smallbox.errors import Conflict
from smallbox.ports import Documents
from smallbox.times import Micros, format_moment

_PARTITION: Final = "contracts"
_SOURCE: Final = "source#"
_MODEL: Final = "model#"
_ATTEMPTS: Final = 5

_Known = Mapping[str, Any] | None
"""A stored document; ``None`` before the first deployment."""


class Contracts:
    """What is deployed, over a document store."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def record(self, project: Project, now: Micros) -> None:
        """Record that the contracts and logs of a project are deployed; idempotent.

        Nothing is forgotten: sources and models that the project lacks, and columns that a contract lost, stay.

        Raises:
            Conflict: when other writers changed a document during every attempt.
        """
        for source in project.sources.values():
            self._change(_SOURCE + source.name, partial(_of_source, source, now))
        for model in project.models.values():
            self._change(_MODEL + model.name, partial(_of_log, model))

    def _change(self, sort: str, changed: Callable[[_Known], Mapping[str, Any]]) -> None:
        for _ in range(_ATTEMPTS):
            known = self._documents.get(_PARTITION, sort)
            document = {"name": sort.partition("#")[2], **changed(known)}
            revision = known["revision"] if known else 0
            if known == {**document, "revision": revision}:
                return
            try:
                self._documents.swap(_PARTITION, sort, document, revision)
            except Conflict:
                continue
            return
        raise Conflict(f"other writers changed {_PARTITION} {sort} during all {_ATTEMPTS} attempts; run it again")

    def snapshot(self, readers: Sequence[Reader] = ()) -> ContractsSnapshot:
        """All that the next deployment is checked against.

        Args:
            readers: the live versions.
        """
        return {
            "sources": {name: cast("DeployedSource", document) for name, document in self._by_name(_SOURCE)},
            "models": {name: cast("DeployedLog", document) for name, document in self._by_name(_MODEL)},
            "readers": [reader.as_json() for reader in readers],
        }

    def _by_name(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for document in self._documents.query(_PARTITION, prefix):
            yield (
                document["name"],
                {name: value for name, value in document.items() if name not in {"name", "revision"}},
            )


def _of_source(source: Source, now: Micros, known: _Known) -> DeployedSource:
    contract = contract_of_source(source)
    version = contract_version(contract)
    history = [] if known is None else list(known["history"])
    if version not in [one["version"] for one in history]:
        history.append({"version": version, "deployed_at": format_moment(now)})
    columns = {} if known is None else known["columns"]
    return {"contract": contract, "version": version, "history": history, "columns": _columns(columns, contract)}


def _columns(known: Mapping[str, DeployedColumn], contract: ContractDocument) -> dict[str, DeployedColumn]:
    """All columns so far. The first type stays, because the tables have it; so does the first unit."""
    found = dict(known)
    for name, field in contract["fields"].items():
        column = found.get(name, {"type": field["type"], "unit": ""})
        found[name] = {"type": column["type"], "unit": column["unit"] or field["unit"]}
    return found


def _of_log(signature: Signature, known: _Known) -> DeployedLog:
    return {"columns": {**logged_types(signature), **({} if known is None else known["columns"])}}
