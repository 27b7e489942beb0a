"""The contracts that are deployed, as documents: what the registry keeps of them, and what the check compares."""

from typing import TypedDict


class ContractField(TypedDict):
    """One field of a contract; see :class:`~smallbox.define.fields.Field`. ``choices`` are sorted."""

    type: str
    nullable: bool
    minimum: float | None
    maximum: float | None
    choices: list[str]
    pattern: str
    unit: str
    pii: bool


class ContractDocument(TypedDict):
    """The contract of a source.

    Attributes:
        key: the field that identifies a record.
        time: the field with the event time.
        known_after: microseconds from event time to when a record is known; ``None``: when it is received.
        fields: every field with all its rules, by name.
    """

    key: str
    time: str
    known_after: int | None
    fields: dict[str, ContractField]


class ContractDeployment(TypedDict):
    """When a version of a contract was first deployed; ``deployed_at`` is ISO 8601."""

    version: str
    deployed_at: str


class DeployedColumn(TypedDict):
    """What a column of a source's tables holds; the unit is ``""`` while none was declared."""

    type: str
    unit: str


class DeployedSource(TypedDict):
    """A source as it is deployed.

    Attributes:
        contract: its contract.
        version: the version of this contract.
        history: every version that was deployed, oldest first.
        columns: every column that its tables ever had; a field that was removed is among them.
    """

    contract: ContractDocument
    version: str
    history: list[ContractDeployment]
    columns: dict[str, DeployedColumn]


class DeployedLog(TypedDict):
    """The types of all columns that signatures ever gave a model's prediction log, by name."""

    columns: dict[str, str]


class ReaderDocument(TypedDict):
    """A live version: its model, the source of its requests, and the fields that it reads, by source."""

    label: str
    model: str
    request: str
    fields: dict[str, list[str]]


class ContractsSnapshot(TypedDict):
    """All that a deployment is checked against: sources and models by name, and the live versions."""

    sources: dict[str, DeployedSource]
    models: dict[str, DeployedLog]
    readers: list[ReaderDocument]
