"""The ``OnlineStore`` port on a DynamoDB table with partition key ``pk``."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from smallbox.aws.backoff import jittered
from smallbox.aws.clients import aws_errors, client, code_of, reason_of
from smallbox.aws.clock import now
from smallbox.aws.signed.service import TransactionCanceled
from smallbox.errors import Conflict, SmallboxError, Unavailable
from smallbox.ports import Marker, StateKey, StateWrite, StoredState
from smallbox.times import DAY, SECOND, Micros

GET_BATCH: Final = 100
WRITE_BATCH: Final = 25
_ATTEMPTS: Final = 6
_LEAST_LIFE: Final[Micros] = 30 * DAY
"""Minimum TTL of a marker: a paused replay may continue days later, so markers must outlive the pause."""

_LONGEST_ENTITY: Final = 256
"""Longer entity keys are hashed, in characters of at most four bytes: a partition key has at most 2,048 bytes."""
_CONTENTION: Final = {"None", "ConditionalCheckFailed", "TransactionConflict"}
_CONFLICTS: Final = {"TransactionCanceledException", "TransactionConflictException", "ConditionalCheckFailedException"}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except TransactionCanceled as error:
        if _CONTENTION.issuperset(error.reasons):
            raise Conflict("another worker wrote the same entity or record first") from error
        raise Unavailable(f"the online store did not answer: {error}") from error
    except SmallboxError:
        raise
    except aws_errors() as error:
        if code_of(error) in _CONFLICTS and not _is_refused(error):
            raise Conflict("another worker wrote the same entity or record first") from error
        raise Unavailable(f"the online store did not answer: {reason_of(error)}") from error


def _is_refused(error: Exception) -> bool:
    """Whether a transaction was cancelled for another reason than a concurrent write."""
    reasons = getattr(error, "response", {}).get("CancellationReasons", ())
    return any(reason.get("Code", "None") not in _CONTENTION for reason in reasons)


def _state_key(key: StateKey) -> str:
    entity = key.entity
    if len(entity) > _LONGEST_ENTITY:
        entity = "#" + hashlib.blake2b(entity.encode(), digest_size=32).hexdigest()
    return f"s#{key.view}#{key.version}#{entity}"


def _marker_key(identity: str) -> str:
    return f"m#{identity}"


def _marker_item(marker: Marker) -> dict[str, Any]:
    """The item of a marker. Its TTL is counted from the present at least, because DynamoDB expires by wall clock."""
    expires_at = max(marker.expires_at, now() + _LEAST_LIFE)
    return {
        "pk": {"S": _marker_key(marker.id)},
        "digest": {"S": marker.digest},
        "expires_at": {"N": str(expires_at // SECOND)},
    }


def _left(ends: Micros | None) -> dict[str, Micros]:
    """The argument of a signed read that ends in time."""
    return {} if ends is None else {"within": ends - now()}


class DynamoOnlineStore:
    """The ``OnlineStore`` port on one table, with consistent reads.

    Args:
        table: the table's name.
        dynamodb: a boto3 client or an equivalent; by default the process's own.
        reads: another client for ``batch_get_item``, like :mod:`smallbox.aws.signed.dynamodb`; by default ``dynamodb``.
        writes: another client for ``transact_write_items``, like it; by default ``dynamodb``.
        pause: sleeps before a retry of the unprocessed items of a batch; gets the number of the attempt.
    """

    def __init__(
        self,
        table: str,
        dynamodb: Any = None,
        reads: Any = None,
        pause: Callable[[int], None] = jittered,
        writes: Any = None,
    ) -> None:
        self._table = table
        self._given = dynamodb
        self._reads = reads or self._dynamodb
        self._pause = pause
        self._writes = writes

    @property
    def _dynamodb(self) -> Any:
        return self._given or client("dynamodb")

    def read(self, keys: Sequence[StateKey], within: Micros | None = None) -> Mapping[StateKey, StoredState]:
        """The stored states; keys without a state are left out. ``within`` needs signed ``reads``."""
        by_key = {_state_key(key): key for key in keys}
        items = self._get(list(by_key), within)
        return {by_key[item["pk"]["S"]]: StoredState(item["packed"]["B"], int(item["version"]["N"])) for item in items}

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The content hash of each record that has a marker, by marker id."""
        by_key = {_marker_key(identity): identity for identity in ids}
        return {by_key[item["pk"]["S"]]: item["digest"]["S"] for item in self._get(list(by_key))}

    def _get(self, keys: Sequence[str], within: Micros | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        ends = None if within is None else now() + within
        for start in range(0, len(keys), GET_BATCH):
            wanted = [{"pk": {"S": key}} for key in keys[start : start + GET_BATCH]]
            found += self._until_done(
                lambda rest: self._reads.batch_get_item(RequestItems=rest, **_left(ends)),
                {self._table: {"Keys": wanted, "ConsistentRead": True}},
                "UnprocessedKeys",
            )
        return found

    def _until_done(self, call: Callable[[Any], Any], request: dict[str, Any], rest: str) -> list[dict[str, Any]]:
        """Repeat a batch call for its unprocessed items, with a pause: DynamoDB returns throttled items unprocessed."""
        found: list[dict[str, Any]] = []
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(attempt)
            with _translated():
                answer = call(request)
            found += answer.get("Responses", {}).get(self._table, [])
            request = answer.get(rest, {})
            if not request:
                return found
        raise Unavailable(f"the online store left items of a batch unprocessed after {_ATTEMPTS} attempts")

    def commit(self, markers: Sequence[Marker], states: Sequence[StateWrite]) -> None:
        """Write markers and states in one transaction; raises ``Conflict`` unless all conditions hold."""
        new = [self._put(_marker_item(m), "attribute_not_exists(pk)") for m in markers]
        with _translated():
            (self._writes or self._dynamodb).transact_write_items(
                TransactItems=new + [self._put_state(s) for s in states]
            )

    def _put_state(self, state: StateWrite) -> dict[str, Any]:
        item = {
            "pk": {"S": _state_key(state.key)},
            "packed": {"B": state.packed},
            "version": {"N": str(state.expected + 1)},
        }
        if state.lifetime is not None:
            item["expires_at"] = {"N": str((now() + state.lifetime) // SECOND)}
        if not state.expected:
            return self._put(item, "attribute_not_exists(pk)")
        return self._put(item, "version = :v", ExpressionAttributeValues={":v": {"N": str(state.expected)}})

    def _put(self, item: Mapping[str, Any], condition: str, **values: Any) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": condition, **values}}

    def mark(self, markers: Sequence[Marker]) -> None:
        """Write or overwrite any number of markers; not atomic."""
        for start in range(0, len(markers), WRITE_BATCH):
            requests = [{"PutRequest": {"Item": _marker_item(m)}} for m in markers[start : start + WRITE_BATCH]]
            self._until_done(
                lambda rest: self._dynamodb.batch_write_item(RequestItems=rest),
                {self._table: requests},
                "UnprocessedItems",
            )
