"""The nine stages of an ML system: the same words, in this order, name folders, constructs and pages."""

from typing import Final

STAGES: Final = (
    "ingestion",
    "features",
    "training",
    "registry",
    "release",
    "serving",
    "feedback",
    "monitoring",
    "retraining",
)
