"""A synthesized app, to ask questions of."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STACKS = ("SmallboxStores", "SmallboxPipeline")


@dataclass(frozen=True)
class Assembly:
    """The resources of both stacks by logical id, the values of their outputs, and what the validation found."""

    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]
    report: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Assembly":
        """Read what a synthesis wrote."""
        templates = [json.loads((folder / f"{stack}.template.json").read_text()) for stack in STACKS]
        resources = {name: resource for template in templates for name, resource in template["Resources"].items()}
        outputs = {name: output["Value"] for template in templates for name, output in template["Outputs"].items()}
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

    def alarmed(self, metric: str, dimension: str) -> set[str]:
        """The logical ids of what has an alarm on the metric, alone or among others in its expression."""
        return {
            mentioned(entry["Value"])
            for alarm in self.properties("AWS::CloudWatch::Alarm").values()
            for found in watched_by(alarm)
            if found.get("MetricName") == metric
            for entry in found.get("Dimensions", [])
            if entry["Name"] == dimension
        }


def watched_by(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The metrics of an alarm, those of its expression too, as ``MetricName``, ``Namespace`` and ``Dimensions``."""
    return [alarm, *(found["MetricStat"]["Metric"] for found in alarm.get("Metrics", []) if "MetricStat" in found)]


def tasks_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every task of a state machine's definition, those inside a map too, by name."""
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            yield name, state
        if state["Type"] == "Map":
            yield from tasks_of(state["ItemProcessor"])


def mentioned(value: Any) -> str:
    """The logical id that a reference or an attribute is of."""
    if "Ref" in value:
        return str(value["Ref"])
    return str(value["Fn::GetAtt"][0])


def as_list(value: Any) -> list[Any]:
    """CloudFormation writes a list of one as the one."""
    return value if isinstance(value, list) else [value]
