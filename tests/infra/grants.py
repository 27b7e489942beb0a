"""Who may do what on which resource, read from a synthesized template alone.

Resources are named as ``grants.py`` writes them, but by what the template says of them: the outputs name tables,
buckets, queues and machines; a function and its log group are named after the function's own environment.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tests.infra.templates import Assembly, as_list, mentioned

_OUTPUT: Final = re.compile(r"(\w+?)(Dead)?(Bucket|Table|Queue|Machine|Topic)$")


@dataclass(frozen=True, slots=True, order=True)
class Granted:
    """One action that one role may do on one resource.

    Attributes:
        who: ``ingestion/collect``, ``machine/training`` or ``schedule/daily``: what the role is of.
        action: the action.
        on: the resource, like ``table:online``, ``bucket:lake/models/*`` or ``logs:ingestion/collect``.
        limits: the conditions, each as operator, key and value.
    """

    who: str
    action: str
    on: str
    limits: tuple[tuple[str, str, str], ...] = ()


class Names:
    """The names of an assembly's resources and roles."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    @cached_property
    def resources(self) -> Mapping[str, str]:
        """The name of each resource that a grant or a setting can be on, by logical id."""
        named = {mentioned(value): name for output, value in self._assembly.outputs.items() for name in _named(output)}
        for logical_id, function in self._assembly.properties("AWS::Lambda::Function").items():
            job = function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
            named[logical_id] = f"function:{job}"
            named[mentioned(function["LoggingConfig"]["LogGroup"])] = f"logs:{job}"
        return named

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """What each role is of, by the role's logical id."""
        users = {
            **_users(self._assembly, "AWS::Lambda::Function", "Role"),
            **_users(self._assembly, "AWS::StepFunctions::StateMachine", "RoleArn"),
        }
        roles = {role: self._user(self.resources[user]) for role, user in users.items()}
        for schedule in self._assembly.properties("AWS::Scheduler::Schedule").values():
            started = self.of(schedule["Target"]["Arn"])
            roles[mentioned(schedule["Target"]["RoleArn"])] = f"schedule/{re.split('[:/]', started)[-1]}"
        return roles

    @staticmethod
    def _user(name: str) -> str:
        return name.replace("machine:", "machine/").removeprefix("function:")

    def of(self, value: Any) -> str:
        """The name of what an ARN or a reference of the template is of, with the key behind a bucket's."""
        parts = value["Fn::Join"][1] if isinstance(value, Mapping) and "Fn::Join" in value else [value]
        return self._of_own_arn("".join(self._part(part) for part in parts))

    def _part(self, part: Any) -> str:
        if isinstance(part, str):
            return part
        if "Fn::ImportValue" in part:
            export = part["Fn::ImportValue"].partition(":")[2]
            return self.resources[mentioned(self._assembly.outputs[export])]
        logical_id = mentioned(part)
        return f"<{logical_id}>" if logical_id.startswith("AWS::") else self.resources[logical_id]

    def _of_own_arn(self, spelled: str) -> str:
        """An ARN that is written out is of a machine that has a name."""
        for logical_id, machine in self._assembly.properties("AWS::StepFunctions::StateMachine").items():
            own, name = machine.get("StateMachineName"), self.resources[logical_id]
            if spelled.endswith(f":stateMachine:{own}"):
                return name
            if spelled.endswith(f":execution:{own}:*"):
                return f"{name.replace('machine:', 'executions:')}:*"
        return spelled


def _users(assembly: Assembly, kind: str, field: str) -> dict[str, str]:
    return {mentioned(found[field]): name for name, found in assembly.properties(kind).items()}


def _named(output: str) -> Iterator[str]:
    """The resource that an output is of.

    >>> [name for output in ("LakeBucket", "DecideDeadQueue", "ApiUrl") for name in _named(output)]
    ['bucket:lake', 'queue:decide-dead']
    """
    if found := _OUTPUT.fullmatch(output):
        name, dead, kind = found.groups()
        yield f"{kind.lower()}:{name.lower()}{'-dead' if dead else ''}"


def granted(assembly: Assembly) -> set[Granted]:
    """Everything that the roles of an assembly are allowed."""
    names = Names(assembly)
    return {
        Granted(names.roles[role], action, names.of(resource), _limits(statement))
        for role, statement in assembly.statements()
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def _limits(statement: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (operator, key, value)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
        for value in as_list(values)
    )
