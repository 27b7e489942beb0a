"""Validation of a prediction request: its instances, by the contract of their source."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from smallbox.define.source import Source
from smallbox.errors import ContractViolation, MalformedBody
from smallbox.ingestion.contract import check_values
from smallbox.records import Rejection
from smallbox.request_sizes import check_instance_count


def parse_instances(request: Source, document: Any) -> list[dict[str, Any]]:
    """The instances of a body ``{"instances": [...]}``: the fields that are sent, validated by the contract.

    Only the key must be there. Which other fields an instance needs depends on the version that answers it; see
    :func:`require`.

    Raises:
        MalformedBody: when there is no array of instances.
        TooLarge: when there are too many.
        ContractViolation: when an instance breaks the contract; details name index, field and rule.
    """
    instances = document.get("instances") if isinstance(document, Mapping) else None
    if not isinstance(instances, list) or not instances:
        raise MalformedBody('the body must be {"instances": [{...}, ...]} with at least one instance')
    check_instance_count(len(instances))
    return [_checked(request, instance, index) for index, instance in enumerate(instances)]


def instance_count(document: Any) -> int:
    """How many instances a body has, before any is validated; 0 when it has no array of them."""
    instances = document.get("instances") if isinstance(document, Mapping) else None
    return len(instances) if isinstance(instances, list) else 0


def _checked(request: Source, instance: Any, index: int) -> dict[str, Any]:
    found = check_values(request, instance, index, required=(request.key,))
    if isinstance(found, Rejection):
        raise _violation(found)
    return found


def require(
    request: Source,
    fields: Collection[str],
    raws: Sequence[Any],
    instances: Sequence[Mapping[str, Any]],
    rows: Sequence[int],
) -> None:
    """Raise unless all instances have the fields that a version needs.

    Args:
        request: the source whose contract says which fields may be null.
        fields: the fields that the version needs.
        raws: the instances as they were sent.
        instances: the same, validated.
        rows: their positions in the request, for the error.

    Raises:
        ContractViolation: when a field is null or missing that may not be; details name index, field and rule.
    """
    needed = [name for name in fields if not request.fields[name].nullable]
    for row, raw, instance in zip(rows, raws, instances, strict=True):
        if any(instance[name] is None for name in needed):
            found = check_values(request, raw, row, required=needed)
            if isinstance(found, Rejection):
                raise _violation(found)


def _violation(found: Rejection) -> ContractViolation:
    details = {"index": found.index, "field": found.field, "rule": found.rule}
    return ContractViolation(f"instance {found.index}: {found.message}", **details)
