"""The columns of a model's prediction log, by name and type."""

from smallbox.define.signature import Signature
from smallbox.table_columns import ENTITY_PREFIX, LOG_COLUMNS, SENT_PREFIX, ColumnType


def log_columns(signature: Signature) -> dict[str, ColumnType]:
    """The columns of a model's prediction log, in their order.

    The request (id, key, moments, channel), the answer (version, arm, score), the names of missing stored features, the
    inputs, the sent fields that only on-demand features read, and the entity of each view.
    """
    fields = signature.request.fields
    sent = [name for name in signature.sent_fields if name not in signature.inputs]
    return {
        **LOG_COLUMNS,
        **dict.fromkeys(signature.columns.numeric, "number"),
        **dict.fromkeys(signature.columns.categorical, "text"),
        **{SENT_PREFIX + name: fields[name].type for name in sent},
        **{ENTITY_PREFIX + view.name: "text" for view in signature.views},
    }
