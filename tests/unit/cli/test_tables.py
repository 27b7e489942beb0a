"""Proves that versions and reports of every release are shown, each with the figures that it has."""

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


def test_a_report_shows_its_slices_and_one_of_an_earlier_release_none() -> None:
    """A slice is a row: its loss, how far it lies above the others, and its bias, each with bounds."""
    metric = {"value": 0.5, "low": 0.4, "high": 0.6}
    metrics: Any = {"rows": 900, "loss_name": "log loss", "loss": metric, "figures": {}}
    one = {
        "slice": "carrier=UA",
        "rows": 90,
        "worse": metric,
        "bias": metric,
        "loss": metric,
        "figures": {"auc": metric},
    }
    judged = {"first": "2013-03-01", "last": "2013-03-01", "metrics": metrics}
    sliced = {**judged, "sliced_from": "2013-02-22", "sliced_to": "2013-03-01", "slices": [one]}
    document: Any = {"model": "m", "day": "d", "sentences": [], "checks": [], "accuracy": {"online": sliced}}
    table = list(report(document))[-1]
    assert isinstance(table, TableBlock)
    bounded = "0.5 (0.4 to 0.6)"
    assert table.rows == [["carrier=UA", 90, bounded, bounded, bounded, "auc 0.5"]]
    before = [*report({**document, "accuracy": {"online": judged}})]
    assert len(before) == len([*report(document)]) - 1


def test_a_report_tells_the_expected_loss_and_why_inputs_were_not_weighed() -> None:
    """With its method, bounds and record; a refusal is told in its place."""
    told = {"method": "cbpe", "loss": 0.5, "low": 0.4, "high": 0.6, "record": "right", "why_not_weighted": "few rows"}
    document: Any = {"model": "m", "day": "d", "sentences": [], "checks": [], "accuracy": {}, "estimate": told}
    lines = [one for one in report(document) if isinstance(one, str)]
    assert lines[2:] == [
        "expected loss, by CBPE: 0.5 (0.4 to 0.6)",
        "  right",
        "  inputs have moved, and PAPE does not weigh them: few rows",
    ]
    document["estimate"] = {**told, "loss": None, "refused": "too few days"}
    assert "expected loss: not estimated: too few days" in list(report(document))
