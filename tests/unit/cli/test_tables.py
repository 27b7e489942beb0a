"""Proves that versions of every release are shown, each with the figures that it has."""

from typing import Any

from smallbox.cli.output import TableBlock
from smallbox.cli.tables import models
from tests.unit.cli.samples import VERSION


def test_a_version_of_an_earlier_release_is_shown_beside_one_of_this() -> None:
    """Its metrics have other names and no loss: the cell is empty, and its own figures stand beside it."""
    earlier: Any = {**VERSION, "number": 7, "metrics": {"auc": 0.71, "calibration_error": 0.02}}
    versions = next(models({"versions": [earlier, VERSION], "history": []}))
    assert isinstance(versions, TableBlock)
    (_, _, _, loss, figures, *_), (_, _, _, known, *_) = versions.rows
    assert (loss, known is None) == (None, False)
    assert "auc: 0.71" in figures
