"""The ``TokenBuckets`` port on a DynamoDB table with partition key ``pk``."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.aws.clock import now as present
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.aws.signed.service import ConditionFailed
from smallbox.errors import Unavailable
from smallbox.serving_ports import BucketMove
from smallbox.times import DAY, SECOND, Micros

_ATTEMPTS: Final = 4
"""A bucket that others move meanwhile needs a second attempt, and seldom a third."""

_FROM_NOW: Final = {
    "UpdateExpression": "SET full_at = :until, expires_at = :expires",
    "ConditionExpression": "attribute_not_exists(full_at) OR full_at < :now",
}
_FROM_THERE: Final = {
    "UpdateExpression": "SET full_at = full_at + :cost, expires_at = :expires",
    "ConditionExpression": "full_at BETWEEN :now AND :last",
}


class DynamoTokenBuckets:
    """The ``TokenBuckets`` port on one table: one conditional ``UpdateItem``, without a read before it.

    A bucket that is full now is set, another one is incremented; the condition says which. Where the guess is wrong,
    the refusal shows the item, and the other update follows. An item expires a day after its bucket is full.

    Args:
        table: the table's name.
        dynamodb: a client of signed requests.
    """

    def __init__(self, table: str, dynamodb: SignedDynamoDb) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def move(
        self, key: str, cost: Micros, now: Micros, latest: Micros, seen: Micros, within: Micros | None = None
    ) -> BucketMove:
        """Take tokens, unless the bucket has too few."""
        ends, full_at = None if within is None else present() + within, seen
        if now + cost > latest:
            return BucketMove(is_moved=False, full_at=seen)
        for _ in range(_ATTEMPTS):
            left = None if ends is None else max(ends - present(), 1)
            try:
                moved = self._dynamodb.update_item(left, **self._update(key, cost, now, latest, is_full=full_at < now))
            except ConditionFailed as refused:
                full_at = _full_at(refused.item)
                if full_at + cost > latest:
                    return BucketMove(is_moved=False, full_at=full_at)
            else:
                return BucketMove(is_moved=True, full_at=_full_at(moved["Attributes"]))
        raise Unavailable(f"the bucket was moved by others in each of {_ATTEMPTS} attempts")

    def _update(self, key: str, cost: Micros, now: Micros, latest: Micros, *, is_full: bool) -> dict[str, Any]:
        values = {":now": now, ":expires": (latest + DAY) // SECOND}
        values |= {":until": now + cost} if is_full else {":cost": cost, ":last": latest - cost}
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": key}},
            **(_FROM_NOW if is_full else _FROM_THERE),
            "ExpressionAttributeValues": {name: {"N": str(value)} for name, value in values.items()},
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def _full_at(item: Mapping[str, Any]) -> Micros:
    """When a bucket is full again; 0 for one that is not there, which is full."""
    return int(item["full_at"]["N"]) if "full_at" in item else 0
