"""What every queue consumer shares: one poor message never fails the batch that it came in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smallbox.aws.logs import log_failure, logger
from smallbox.written import Written

Message = Mapping[str, Any]


def consume(
    event: Mapping[str, Any],
    group: Callable[[Message], str],
    process: Callable[[Sequence[Message]], object],
) -> dict[str, Any]:
    """Process an SQS event's messages group by group; of a group that fails only the bad ones are tried again.

    A group that fails is halved, and each half processed by itself, down to single messages. It may have done a part
    of its work before it failed, so ``process`` must take a message again without changing what a reader sees.

    Args:
        event: what Lambda got from SQS.
        group: names the group of a message; groups succeed and fail apart.
        process: does the work for some messages of one group, in their order; may be called again with the same ones.

    Returns:
        SQS's partial batch response: the ids to try again, which end in the dead-letter queue.
    """
    groups: dict[str, list[tuple[str, Message]]] = {}
    failed: list[str] = []
    for record in event["Records"]:
        try:
            message = Written.read(record["body"])
            groups.setdefault(group(message), []).append((record["messageId"], message))
        except (ValueError, KeyError, TypeError) as error:
            log_failure("message cannot be read", error, message_id=record["messageId"])
            failed.append(record["messageId"])
    for name, members in groups.items():
        failed += _attempt(name, members, process)
    logger.info("messages processed", extra={"messages": len(event["Records"]), "failed": len(failed)})
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _attempt(
    name: str, members: Sequence[tuple[str, Message]], process: Callable[[Sequence[Message]], object]
) -> list[str]:
    try:
        process([message for _, message in members])
    except Exception as error:  # noqa: BLE001 - whatever it is, the other messages must not share its fate
        log_failure("messages failed", error, group=name, messages=len(members))
        if len(members) == 1:
            return [message_id for message_id, _ in members]
        middle = len(members) // 2
        return [failed for half in (members[:middle], members[middle:]) for failed in _attempt(name, half, process)]
    return []
