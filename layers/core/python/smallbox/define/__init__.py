"""The public names for writing definitions: sources, views, models and their rules."""

from smallbox.define.aggregates import (
    count,
    distinct,
    first,
    last,
    maximum,
    mean,
    minimum,
    rate,
    since_last,
    std,
    total,
)
from smallbox.define.attributes import Attributes, attribute
from smallbox.define.conditions import above, at_least, at_most, below, equal, one_of, unequal
from smallbox.define.experiments import Experiment, GuardrailOutcome, outcome
from smallbox.define.exploration import Exploration
from smallbox.define.fields import boolean, integer, number, text, timestamp
from smallbox.define.interleavings import Interleaving
from smallbox.define.model import Model, label
from smallbox.define.release_rules import Canary, HarmLimits, Release, Shadow
from smallbox.define.rules import Gate, Loop, Monitor, Retrain, ceiling, floor
from smallbox.define.serve import RateLimit, Serve
from smallbox.define.signature import Columns
from smallbox.define.source import Source
from smallbox.define.view import FeatureView
from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.objectives.ranking import Ranking
from smallbox.objectives.regression import Regression
from smallbox.prepare.pipeline import prepare

__all__ = [
    "Attributes",
    "Binary",
    "Canary",
    "Columns",
    "Experiment",
    "Exploration",
    "FeatureView",
    "Gate",
    "GuardrailOutcome",
    "HarmLimits",
    "Interleaving",
    "Loop",
    "Model",
    "Monitor",
    "Multiclass",
    "Ranking",
    "RateLimit",
    "Regression",
    "Release",
    "Retrain",
    "Serve",
    "Shadow",
    "Source",
    "above",
    "at_least",
    "at_most",
    "attribute",
    "below",
    "boolean",
    "ceiling",
    "count",
    "distinct",
    "equal",
    "first",
    "floor",
    "integer",
    "label",
    "last",
    "maximum",
    "mean",
    "minimum",
    "number",
    "one_of",
    "outcome",
    "prepare",
    "rate",
    "since_last",
    "std",
    "text",
    "timestamp",
    "total",
    "unequal",
]
