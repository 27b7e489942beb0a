"""The daily look at what a model's answers show: feedback loops, and the figures of exposure and exploration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smallbox.define.model import Model
from smallbox.define.rules import Label
from smallbox.monitoring.answered_rows import AnsweredRows
from smallbox.monitoring.exposure_figures import FIGURE_DAYS, exposure_figures
from smallbox.monitoring.feedback_loop import read_loop, reading_findings
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.shown_rows import LOOP_DAYS, shown_rows
from smallbox.ports import Lake
from smallbox.registry.signatures import Signatures
from smallbox.registry.version import Version
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class CheckedExposure:
    """What was found.

    Attributes:
        findings: a feedback loop, where ``Monitor.loop`` is declared.
        figures: as of :func:`exposure_figures`, JSON-ready; empty where the answers decide nothing that is seen.
    """

    findings: Sequence[Finding] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


class ExposureCheck:
    """Reads what the champion's signature answered, with labels: 90 days for a loop, else those of the figures."""

    def __init__(self, lake: Lake, signatures: Signatures) -> None:
        self._rows = AnsweredRows(lake, signatures)

    def of(self, model: Model, champion: Version | None, label: Label, as_of: Micros) -> CheckedExposure:
        """The days before a moment.

        Args:
            model: what it declares says what is looked for.
            champion: the version that answers; ``None``: nothing is said.
            label: what it predicts.
            as_of: the end of the last day.
        """
        loop = model.monitor.loop
        if champion is None:
            return CheckedExposure()
        if loop is None and model.exploration is None:
            return CheckedExposure(figures=exposure_figures(model, label.objective, {}))
        days = FIGURE_DAYS if loop is None else LOOP_DAYS
        by_day = shown_rows(self._rows, champion, label, loop, as_of, days)
        figures = exposure_figures(model, label.objective, by_day)
        if loop is None or not by_day:
            return CheckedExposure(figures=figures)
        reading = read_loop(model.monitor, loop, by_day, label.objective.label_column)
        return CheckedExposure(reading_findings(loop, reading), {**figures, "loop": reading.as_json()})
