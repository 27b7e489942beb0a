"""The gate's verdict as a document."""

from typing import Literal, TypedDict

GateOutcome = Literal["accepted", "refused", "cannot_tell"]
"""``cannot_tell``: the validation rows are too few to decide."""


class GateCheckReport(TypedDict):
    """One check of the gate; see :class:`smallbox.registry.gate.GateCheck`.

    Attributes:
        name: the check.
        value: what was measured; ``None`` when the rows could not give it.
        limit: the limit that the value was tested against, in the value's unit.
        outcome: result of the test.
        why: one sentence for people.
        rows_needed: with ``cannot_tell``, about how many validation rows would decide; ``None`` when unknown.
    """

    name: str
    value: float | None
    limit: float
    outcome: GateOutcome
    why: str
    rows_needed: int | None


class VerdictReport(TypedDict):
    """The gate's verdict; see :class:`smallbox.registry.gate.Verdict`.

    Attributes:
        outcome: result of all checks together.
        accepted: whether ``outcome`` is ``accepted``.
        why: sentences for people: the checks that gave the outcome, then the warnings.
        rows_needed: with ``cannot_tell``, about how many validation rows would decide; ``None`` when unknown.
        checks: every check that was done.
        warnings: the run's warnings.
    """

    outcome: GateOutcome
    accepted: bool
    why: str
    rows_needed: int | None
    checks: list[GateCheckReport]
    warnings: list[str]
