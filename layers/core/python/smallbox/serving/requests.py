"""Validation of a prediction request: its instances, by the contract of their source."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.errors import ContractViolation, MalformedBody, TooLarge
from smallbox.ingestion.contract import check_values
from smallbox.records import Rejection

MAX_INSTANCES: Final = 500


def parse_instances(model: Model, document: Any) -> list[dict[str, Any]]:
    """The instances of a body ``{"instances": [...]}``, with the fields of the model's request.

    Fields of the source that the model does not need may be left out; those that are sent are validated too.

    Raises:
        MalformedBody: when there is no array of instances.
        TooLarge: when there are too many.
        ContractViolation: when an instance breaks the contract; details name index, field and rule.
    """
    instances = document.get("instances") if isinstance(document, Mapping) else None
    if not isinstance(instances, list) or not instances:
        raise MalformedBody('the body must be {"instances": [{...}, ...]} with at least one instance')
    if len(instances) > MAX_INSTANCES:
        raise TooLarge(f"{len(instances)} instances; send at most {MAX_INSTANCES} at once", limit=MAX_INSTANCES)
    return [_checked(model, instance, index) for index, instance in enumerate(instances)]


def _checked(model: Model, instance: Any, index: int) -> dict[str, Any]:
    found = check_values(model.request, instance, index, required=model.request_fields)
    if isinstance(found, Rejection):
        details = {"index": index, "field": found.field, "rule": found.rule}
        raise ContractViolation(f"instance {index}: {found.message}", **details)
    return found
