"""What a definition is written with."""

from smallbox.define.aggregates import count, last, maximum, mean, minimum, rate, total
from smallbox.define.fields import boolean, integer, number, text, timestamp
from smallbox.define.model import Columns, Model, label
from smallbox.define.prepare import prepare
from smallbox.define.rules import Gate, Monitor, Release, Retrain
from smallbox.define.source import Source
from smallbox.define.view import FeatureView

__all__ = [
    "Columns",
    "FeatureView",
    "Gate",
    "Model",
    "Monitor",
    "Release",
    "Retrain",
    "Source",
    "boolean",
    "count",
    "integer",
    "label",
    "last",
    "maximum",
    "mean",
    "minimum",
    "number",
    "prepare",
    "rate",
    "text",
    "timestamp",
    "total",
]
