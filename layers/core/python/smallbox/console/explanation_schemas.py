"""The schemas of what an answer says of itself: explanation, flags, and times."""

from typing import Final, get_args

from smallbox.console.json_schema import Schema, object_of
from smallbox.define.model import Model
from smallbox.explanations.terms import Background, Method, Scale

MILLISECONDS: Final[Schema] = {
    "type": "object",
    "additionalProperties": {"type": "number"},
    "description": "with explain: what each step of the request took",
}
_VALUE: Final[Schema] = {"type": ["number", "string", "boolean", "null"]}
_VALUES: Final[Schema] = {"type": "object", "additionalProperties": _VALUE}


def explanation_schema(model: Model) -> Schema:
    """Of an explanation, or of why there is none."""
    numbers = object_of({name: {"type": ["number", "null"]} for name in model.objective.outputs}, [])
    contribution = object_of({"feature": {"type": "string"}, "value": _VALUE, "contribution": numbers})
    entity: Schema = {"type": ["string", "null"]}
    found = object_of(
        {
            "request": _VALUES,
            "state": {"type": "object", "additionalProperties": object_of({"entity": entity, "features": _VALUES})},
            "method": {"enum": list(get_args(Method))},
            "exact": {"type": "boolean", "description": "whether contributions are Shapley values, or estimates"},
            "scale": {"enum": list(get_args(Scale)), "description": "what base and contributions add up to"},
            "background": {"enum": list(get_args(Background)), "description": "what they are differences from"},
            "base": numbers,
            "contributions": {"type": "array", "items": contribution, "description": "the largest first"},
            "total": numbers,
        }
    )
    return {"anyOf": [found, object_of({"unavailable": {"type": "string"}})], "description": "with explain"}


def flags_schema() -> Schema:
    """Of the flags; null where the version has no profile of its training rows."""
    names: Schema = {"type": "array", "items": {"type": "string"}}
    flags = {"out_of_range": names, "unseen_category": names, "far_from_training": {"type": "boolean"}}
    return {"anyOf": [object_of(flags), {"type": "null"}], "description": "with explain or flags: edge cases"}
