"""Proves that versions of every release are shown, each with the figures that it has."""

from typing import Any

from smallbox.cli.output import TableBlock
from smallbox.cli.tables import models, report
from tests.unit.cli.samples import REPORT, VERSION


def test_a_version_of_an_earlier_release_is_shown_beside_one_of_this() -> None:
    """Its metrics have other names and no loss: the cell is empty, and its own figures stand beside it."""
    earlier: Any = {**VERSION, "number": 7, "metrics": {"auc": 0.71, "calibration_error": 0.02}}
    versions = next(models({"versions": [earlier, VERSION], "history": []}))
    assert isinstance(versions, TableBlock)
    (_, _, _, loss, figures, *_), (_, _, _, known, *_) = versions.rows
    assert (loss, known is None) == (None, False)
    assert "auc: 0.71" in figures


def test_a_report_says_how_old_the_online_states_are() -> None:
    """How many known records they lack, since when, and which is the newest that they have."""
    tables = [one for one in report(REPORT) if isinstance(one, TableBlock)]
    (row,) = next(one.rows for one in tables if "not counted" in one.columns)
    assert list(row) == ["arrivals", 100, 3, "2.5", "2013-03-01T23:53:20Z", "-"]
    earlier = {name: value for name, value in REPORT.items() if name != "states"}
    assert [one.columns for one in report(earlier) if isinstance(one, TableBlock)] == [
        one.columns for one in tables if "not counted" not in one.columns
    ]
