"""The verdict on one stage of a replay."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageVerdict:
    """Whether a stage worked, with the evidence in one sentence."""

    stage: str
    worked: bool
    evidence: str
