"""A synthesized app, to ask questions of."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STACKS = ("SmallboxStores", "SmallboxPipeline")


@dataclass(frozen=True)
class Assembly:
    """The resources of both stacks by logical id, and what the validation found."""

    resources: Mapping[str, Mapping[str, Any]]
    outputs: frozenset[str]
    report: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Assembly":
        """Read what a synthesis wrote."""
        templates = [json.loads((folder / f"{stack}.template.json").read_text()) for stack in STACKS]
        resources = {name: resource for template in templates for name, resource in template["Resources"].items()}
        outputs = frozenset(name for template in templates for name in template["Outputs"])
        report = folder / "validation-report.json"
        return cls(resources, outputs, json.loads(report.read_text()) if report.exists() else {})

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The resources of a type, like ``AWS::SQS::Queue``."""
        return {name: found for name, found in self.resources.items() if found["Type"] == kind}

    def properties(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Their properties."""
        return {name: found.get("Properties", {}) for name, found in self.of_type(kind).items()}

    def statements(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every statement of every role's policies, with the role's id."""
        for name, role in self.properties("AWS::IAM::Role").items():
            for policy in role.get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement

    def machines(self) -> list[Mapping[str, Any]]:
        """The definitions of all state machines, with ``*`` for each ARN in them."""
        found = self.properties("AWS::StepFunctions::StateMachine").values()
        parts = [machine["DefinitionString"]["Fn::Join"][1] for machine in found]
        return [json.loads("".join(part if isinstance(part, str) else "*" for part in joined)) for joined in parts]

    def allowed(self) -> Iterator["Allowed"]:
        """Every action that a function is allowed, resource by resource, with its condition."""
        functions = self.properties("AWS::Lambda::Function").values()
        jobs = {mentioned(one["Role"]): one["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for one in functions}
        for role, statement in self.statements():
            if role in jobs:
                for action in as_list(statement["Action"]):
                    yield Allowed(jobs[role], action, spelled(statement["Resource"]), statement.get("Condition", {}))

    def alarmed(self, metric: str, dimension: str) -> set[str]:
        """The logical ids of what has an alarm on the metric."""
        return {
            mentioned(entry["Value"])
            for alarm in self.properties("AWS::CloudWatch::Alarm").values()
            if alarm.get("MetricName") == metric
            for entry in alarm["Dimensions"]
            if entry["Name"] == dimension
        }


def tasks_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every task of a state machine's definition, those inside a map too, by name."""
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            yield name, state
        if state["Type"] == "Map":
            yield from tasks_of(state["ItemProcessor"])


@dataclass(frozen=True)
class Allowed:
    """What a function may do: one action on one resource, like ``Lake/tables/records/*``."""

    job: str
    action: str
    resource: str
    condition: Mapping[str, Any]


def spelled(resource: Any) -> str:
    """A bucket's ARN as its name, and what follows it; other ARNs as they stand in the template."""
    parts = resource["Fn::Join"][1] if isinstance(resource, Mapping) and "Fn::Join" in resource else [resource]
    return "".join(_spelled_part(part) for part in parts)


def _spelled_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    name = str(part.get("Fn::ImportValue", part))
    return next((bucket for bucket in ("Lake", "Inbox") if f"GetAtt{bucket}" in name), name)


def mentioned(value: Any) -> str:
    """The logical id that a reference or an attribute is of."""
    if "Ref" in value:
        return str(value["Ref"])
    return str(value["Fn::GetAtt"][0])


def as_list(value: Any) -> list[Any]:
    """CloudFormation writes a list of one as the one."""
    return value if isinstance(value, list) else [value]
