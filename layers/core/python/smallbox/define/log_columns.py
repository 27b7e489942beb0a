"""The columns of a model's prediction log that depend on its signature."""

from collections.abc import Mapping
from functools import lru_cache

from smallbox.define.fields import FieldType
from smallbox.define.signature import Signature
from smallbox.table_columns import ENTITY_PREFIX, GROUP, SENT_PREFIX


@lru_cache(maxsize=64)
def logged_names(signature: Signature) -> Mapping[str, str]:
    """By request field, its column in the prediction log, for the fields that only on-demand features read."""
    return {name: SENT_PREFIX + name for name in signature.sent_fields if name not in signature.inputs}


@lru_cache(maxsize=64)
def logged_types(signature: Signature) -> Mapping[str, FieldType]:
    """The columns of the prediction log that depend on the signature, with their types.

    The outputs, the group of a ranking, the inputs, the sent fields that only on-demand features read, and the entity
    of each view.
    """
    columns: dict[str, FieldType] = dict.fromkeys(signature.objective.outputs, "number")
    columns |= {GROUP: "text"} if signature.objective.group else {}
    columns |= dict.fromkeys(signature.columns.numeric, "number")
    columns |= dict.fromkeys(signature.columns.categorical, "text")
    columns |= {column: signature.request.fields[name].type for name, column in logged_names(signature).items()}
    return columns | {ENTITY_PREFIX + view.name: "text" for view in signature.views}
