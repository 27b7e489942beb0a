"""Proves that the table of drills is whole, and that a drill is judged by what it says."""

from typing import Final, get_args

import pytest

from infra.deployment import ROOT
from smallbox.cli import main
from smallbox.cli.contexts import Context
from smallbox.cli.drills.drill import Drill, incident
from smallbox.cli.drills.drive import Seen, drill_result_of
from smallbox.cli.drills.site import STACK_PARTS, BrokenPart, Rung
from smallbox.cli.drills.stack_site import StackSite
from smallbox.cli.drills.table import DRILLS, drill_rows
from smallbox.cli.stack import Stack
from smallbox.cli.system import System
from smallbox.monitoring.findings import FindingKind

WITHOUT: Final = {
    "source_flooded": "the same check as a silent source, on its other side",
    "prediction_shift": "it comes with other drills; by itself it has no cause",
    "lost_definition": "a bundle that is gone is tried by a unit test of the check",
    "label_coverage": "the drill of stalled labels takes it in the place of `labels_stalled`",
    "loss": "the drill of a concept shift takes it in the place of `concept_shift`",
    "feedback_loop": "the drills' model decides nothing that is seen; `test_exposure.py` has a market, from its log",
    "joint_shift": "it takes five weeks of days, and drills last one; a unit test does it with seeded days",
    "slice_loss": "a drill's world has no slice that can fail by itself; a unit test does it with seeded days",
    "guardrail": "a guardrail is a limit that a definition declares",
}
"""The kinds of finding that no drill is for, each with the reason."""


def test_every_kind_of_finding_has_a_drill_or_a_reason() -> None:
    """A new kind asks for a drill."""
    first = {one.expected.names[0] for one in DRILLS.values() if one.expected.what == "incident"}
    assert {kind for kind in get_args(FindingKind) if kind not in first} == set(WITHOUT)


def test_every_part_that_can_be_broken_is() -> None:
    """No drill site has to know how to break a part that no drill breaks."""
    assert {one.part for one in DRILLS.values()} - {None} == set(get_args(BrokenPart))


def test_the_page_shows_the_table() -> None:
    """The table of the page is that of the code."""
    page = (ROOT / "docs/drills.md").read_text()
    for name, breaks, expected, days in drill_rows():
        assert f"| `{name}` | {breaks} | {expected} | {days} |" in page


DRILL = Drill("a_drill", "something", incident("missing_values"), 3, along=("data_fault",))


def _found(kind: FindingKind, cause: str = "", severity: str = "incident") -> Rung:
    return Rung(kind, cause or kind, "a", severity, f"{kind} in words")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "came", "others"),
    [
        ([[], [_found("missing_values")]], 2, 0),
        ([[_found("missing_values", severity="notice")], []], None, 0),
        ([[_found("loss")], [_found("missing_values")]], 2, 1),
        ([[_found("data_fault")], [_found("missing_values")]], 2, 0),
        ([[_found("source_stale", "weather"), _found("missing_values", "weather")]], 1, 0),
        ([[_found("covariate_shift", severity="notice")], [_found("missing_values")]], 2, 0),
        ([], None, 0),
    ],
)
def test_what_rang_is_judged(days: list[list[Rung]], came: int | None, others: int) -> None:
    """The first day of the expected incident counts; a notice does not ring; one cause is one incident."""
    result = drill_result_of(DRILL, [Seen(found, (), ()) for found in days])
    assert (result.came, len(result.others)) == (came, others)
    assert result.passed == (came is not None and others == 0)


def test_a_stack_can_break_what_its_drills_need() -> None:
    """Every drill that is for stacks finds its part there, and no other does."""
    site = StackSite(System(Stack(Context("local"), None)), "a_model")
    assert set(site.damages(0)) == STACK_PARTS
    assert {drill.part for drill in DRILLS.values() if drill.is_for_stacks} - {None} == STACK_PARTS


@pytest.mark.parametrize(("name", "said"), [("slow_store", "in one process"), ("no_such", "there is no drill")])
def test_a_drill_that_no_stack_can_have_is_refused_before_one_starts(
    name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It costs no deployment."""
    assert main.main(["--on", "local", "drill", name]) != 0
    assert said in capsys.readouterr().err
