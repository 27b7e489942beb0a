"""The ``CanaryCounters`` port on a DynamoDB table with partition key ``pk`` and sort key ``sk``."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.aws.clients import aws_errors, client, reason_of
from smallbox.errors import Unavailable
from smallbox.times import DAY, SECOND, Micros

_AT_ONCE: Final = 100
"""Counters of one update: an expression may have 300 operators, and 4 KB."""

_KEPT: Final[Micros] = 60 * DAY
_KEYS: Final = ("pk", "sk", "expires_at")


class DynamoCanaryCounters:
    """The ``CanaryCounters`` port: one item for each minute, with an attribute for each counter.

    Args:
        table: the table's name; its items expire by ``expires_at``, 60 days after their minute.
        dynamodb: a boto3 client; by default the process's own.
    """

    def __init__(self, table: str, dynamodb: Any = None) -> None:
        self._table = table
        self._dynamodb = dynamodb or client("dynamodb")

    def add(self, model: str, challenger: int, minute: Micros, counters: Mapping[str, int]) -> None:
        """Add to the counters of a minute."""
        for some in _batches(sorted(counters.items())):
            adds = ", ".join(f"#c{at} :c{at}" for at in range(len(some)))
            values = {f":c{at}": {"N": str(count)} for at, (_, count) in enumerate(some)}
            expires = {":expires": {"N": str((minute + _KEPT) // SECOND)}}
            self._update(
                Key={"pk": {"S": _partition(model, challenger)}, "sk": {"S": _sort(minute)}},
                UpdateExpression=f"SET expires_at = :expires ADD {adds}",
                ExpressionAttributeNames={f"#c{at}": name for at, (name, _) in enumerate(some)},
                ExpressionAttributeValues={**values, **expires},
            )

    def read(self, model: str, challenger: int, since: Micros) -> Sequence[Mapping[str, int]]:
        """The counters of each minute from a moment on, oldest first."""
        try:
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :p AND sk >= :s",
                ExpressionAttributeValues={
                    ":p": {"S": _partition(model, challenger)},
                    ":s": {"S": _sort(since)},
                },
            )
            return [_counters(item) for page in pages for item in page["Items"]]
        except aws_errors() as error:
            raise Unavailable(f"DynamoDB did not answer for the counters of {model}: {reason_of(error)}") from error

    def _update(self, **request: Any) -> None:
        try:
            self._dynamodb.update_item(TableName=self._table, **request)
        except aws_errors() as error:
            raise Unavailable(f"DynamoDB did not take the counters of a canary: {reason_of(error)}") from error


def _batches(counters: Sequence[tuple[str, int]]) -> Sequence[Sequence[tuple[str, int]]]:
    return [counters[first : first + _AT_ONCE] for first in range(0, len(counters), _AT_ONCE)]


def _partition(model: str, challenger: int) -> str:
    return f"canary#{model}#{challenger}"


def _sort(moment: Micros) -> str:
    """The first whole second that is not before the moment; as text in the same order."""
    return f"{max(-(-moment // SECOND), 0):012d}"


def _counters(item: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if name not in _KEYS}
