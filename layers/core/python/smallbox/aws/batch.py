"""What every queue consumer shares: one poor message never fails the batch that it came in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smallbox.aws.logs import log_failure, logger
from smallbox.errors import SmallboxError, policy_of
from smallbox.messages.encoded import EncodedMessage, Message

_Member = tuple[str, Message]
_Process = Callable[[Sequence[Message]], object]


def consume(
    event: Mapping[str, Any],
    group: Callable[[Message], str],
    process: _Process,
) -> dict[str, Any]:
    """Process an SQS event's messages group by group; of a group that fails only the bad ones are tried again.

    A group that fails is halved, and each half processed by itself, down to single messages; unless both halves fail of
    what passes, like a store that does not answer: then all wait. A group may have done a part of its work before it
    failed, so ``process`` must take a message again without changing what a reader sees.

    Args:
        event: what Lambda got from SQS.
        group: names the group of a message; groups succeed and fail apart.
        process: does the work for some messages of one group, in their order; may be called again with the same ones.

    Returns:
        SQS's partial batch response: the ids to try again, which end in the dead-letter queue.
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
    logger.info("messages processed", extra={"messages": len(event["Records"]), "failed": len(failed)})
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _attempt(name: str, members: Sequence[_Member], process: _Process) -> list[str]:
    """The ids of the messages that failed."""
    return [] if _error_of(name, members, process) is None else _narrowed(name, members, process)


def _narrowed(name: str, members: Sequence[_Member], process: _Process) -> list[str]:
    """Of messages that failed together, the ids of those that fail by themselves."""
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
    except Exception as error:  # noqa: BLE001 - whatever it is, the other messages must not share its fate
        log_failure("messages failed", error, group=name, messages=len(members))
        return error
    return None
