"""Proves what the registry keeps of the contracts that are deployed, one deployment after another."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define import Source, number, text, timestamp
from smallbox.define.contract_document import contract_of_source, contract_version
from smallbox.define.log_columns import logged_types
from smallbox.define.project import Project, project_of
from smallbox.define.refusals import Reader
from smallbox.documents.deployed_contracts import ContractsSnapshot
from smallbox.errors import Conflict
from smallbox.registry.contracts import Contracts
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import deliveries, late_parcel

FIRST: Final = Source("orders", "id", "at", {"id": text(), "at": timestamp(), "size": number()})
SECOND: Final = Source("orders", "id", "at", {"id": text(), "at": timestamp(), "price": number(unit="EUR")})


def _project(*sources: Source) -> Project:
    return project_of([], sources)


def _version(source: Source) -> str:
    return contract_version(contract_of_source(source))


def test_a_deployment_is_recorded_once() -> None:
    """Contract, version, when it came, and columns; recording it again, later, changes nothing, nor is it written."""
    documents = FakeDocuments()
    contracts = Contracts(documents)
    for day in (1, 2):
        contracts.record(_project(FIRST), day * DAY)
    expected: ContractsSnapshot = {
        "sources": {
            "orders": {
                "contract": contract_of_source(FIRST),
                "version": _version(FIRST),
                "history": [{"version": _version(FIRST), "deployed_at": format_moment(DAY)}],
                "columns": {name: {"type": FIRST.fields[name].type, "unit": ""} for name in ("id", "at", "size")},
            }
        },
        "models": {},
        "readers": [],
    }
    assert contracts.snapshot() == expected
    assert [document["revision"] for document in documents.query("contracts")] == [1]


def test_the_history_has_each_version_when_it_first_came() -> None:
    """A version that comes back is current again, and keeps its moment."""
    contracts = Contracts(FakeDocuments())
    for day, source in ((1, FIRST), (2, SECOND), (3, FIRST)):
        contracts.record(_project(source), day * DAY)
    orders = contracts.snapshot()["sources"]["orders"]
    assert (orders["version"], orders["contract"]) == (_version(FIRST), contract_of_source(FIRST))
    assert orders["history"] == [
        {"version": _version(FIRST), "deployed_at": format_moment(DAY)},
        {"version": _version(SECOND), "deployed_at": format_moment(2 * DAY)},
    ]


def test_columns_are_never_forgotten_and_keep_what_they_hold() -> None:
    """Of fields that went, with the first type and the first unit that was declared."""
    contracts = Contracts(FakeDocuments())
    plain = replace(SECOND, fields={**SECOND.fields, "price": number()})
    other = replace(SECOND, fields={**SECOND.fields, "size": text(), "price": number(unit="USD")})
    for source in (FIRST, plain, SECOND, other):
        contracts.record(_project(source), 0)
    columns = contracts.snapshot()["sources"]["orders"]["columns"]
    assert columns["size"] == {"type": "number", "unit": ""}
    assert columns["price"] == {"type": "number", "unit": "EUR"}


def test_a_log_keeps_the_columns_of_every_definition() -> None:
    """Inputs and features that are gone are among them, with the type of their column."""
    contracts = Contracts(FakeDocuments())
    before, after = late_parcel, replace(late_parcel, views=(), inputs=("weight",))
    for model in (before, after):
        contracts.record(project_of([model], [deliveries]), 0)
    assert contracts.snapshot()["models"]["late_parcel"]["columns"] == {**logged_types(before), **logged_types(after)}
    assert logged_types(before).keys() > logged_types(after).keys()


def test_a_source_that_is_gone_stays() -> None:
    """Its tables are still there, and it may come back."""
    contracts = Contracts(FakeDocuments())
    for project in (_project(FIRST), _project()):
        contracts.record(project, 0)
    assert set(contracts.snapshot()["sources"]) == {"orders"}


def test_the_snapshot_names_the_readers() -> None:
    """As documents, which are read back as the same readers."""
    reader = Reader.of("late_parcel version 1", late_parcel)
    (found,) = Contracts(FakeDocuments()).snapshot([reader])["readers"]
    assert Reader.from_json(found) == reader


class _Overtaken(FakeDocuments):
    """Another deployment records its contract before each of the next writes."""

    def __init__(self, others: int) -> None:
        super().__init__()
        self.others = others

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        if self.others:
            self.others -= 1
            known = self.get(partition, sort)
            faster = replace(FIRST, fields={**FIRST.fields, f"other_{self.others}": number()})
            written = FakeDocuments()
            Contracts(written).record(_project(faster), 5)
            stored = next(iter(written.query(partition)))
            super().swap(partition, sort, stored, known["revision"] if known else 0)
        super().swap(partition, sort, document, revision)


def test_a_record_that_another_overtakes_loses_nothing() -> None:
    """The columns of the faster deployment are kept, and the slower one's contract is current."""
    contracts = Contracts(_Overtaken(2))
    contracts.record(_project(SECOND), DAY)
    orders = contracts.snapshot()["sources"]["orders"]
    assert orders["version"] == _version(SECOND)
    assert {"other_0", "size", "price"} <= orders["columns"].keys()
    assert len(orders["history"]) == 2


def test_a_record_that_is_always_overtaken_gives_up() -> None:
    """It says what changed all the time, and to run it again."""
    with pytest.raises(Conflict, match="contracts source#orders during all 5 attempts; run it again"):
        Contracts(_Overtaken(99)).record(_project(SECOND), DAY)
