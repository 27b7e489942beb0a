"""The nine stages of an ML system, in order. Folders, constructs and documentation pages have the same names."""

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
