"""Shared code of the SQS consumers: partial batch responses, so that a poison message does not fail its batch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smallbox.aws.logs import log_failure, log_line
from smallbox.error_codes import policy_of
from smallbox.errors import SmallboxError
from smallbox.messages.encoded import EncodedMessage, Message

_Member = tuple[str, Message]
_Process = Callable[[Sequence[Message]], object]


def consume(
    event: Mapping[str, Any],
    group: Callable[[Message], str],
    process: _Process,
) -> dict[str, Any]:
    """Process an SQS event's messages group by group; only the messages that fail are retried.

    A group that fails is bisected: each half is processed again, down to single messages. If both halves fail with a
    transient error, such as a store that does not answer, the whole group is retried later instead. A group may fail
    after part of its work, so ``process`` must be idempotent.

    Args:
        event: the SQS event.
        group: returns the group of a message; groups succeed and fail independently.
        process: processes some messages of one group, in order; may be called again with the same messages.

    Returns:
        SQS's partial batch response: the ids of the messages to retry. After the last attempt SQS moves them to the
        dead-letter queue.
    """
    groups: dict[str, list[_Member]] = {}
    failed: list[str] = []
    for record in event["Records"]:
        try:
            message = EncodedMessage.read(record["body"])
            groups.setdefault(group(message), []).append((record["messageId"], message))
        except (ValueError, KeyError, TypeError) as error:
            log_failure("message cannot be read", error, message_id=record["messageId"])
            failed.append(record["messageId"])
    for name, members in groups.items():
        failed += _attempt(name, members, process)
    log_line("messages processed", messages=len(event["Records"]), failed=len(failed))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _attempt(name: str, members: Sequence[_Member], process: _Process) -> list[str]:
    """The ids of the messages that failed."""
    return [] if _error_of(name, members, process) is None else _narrowed(name, members, process)


def _narrowed(name: str, members: Sequence[_Member], process: _Process) -> list[str]:
    """Bisect messages that failed together; returns the ids of those that fail on their own."""
    ids = [message_id for message_id, _ in members]
    if len(members) == 1:
        return ids
    middle = len(members) // 2
    halves = members[:middle], members[middle:]
    errors = [_error_of(name, half, process) for half in halves]
    if all(isinstance(error, SmallboxError) and policy_of(error).delivery == "retry" for error in errors):
        return ids
    return [one for half, error in zip(halves, errors, strict=True) if error for one in _narrowed(name, half, process)]


def _error_of(name: str, members: Sequence[_Member], process: _Process) -> Exception | None:
    try:
        process([message for _, message in members])
    except Exception as error:  # noqa: BLE001 - no error may fail the other messages
        log_failure("messages failed", error, group=name, messages=len(members))
        return error
    return None
