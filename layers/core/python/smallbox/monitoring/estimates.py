"""The estimated losses of past days, and how often they were right."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from smallbox.monitoring.diagnosis import Diagnosed
from smallbox.monitoring.estimated_loss import EstimateMethod
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.report import metrics_partition
from smallbox.monitoring.track_record import TrackRecord, reconciled, track_record
from smallbox.ports import Documents
from smallbox.registry.version import Version

_KINDS: Final[Mapping[EstimateMethod, str]] = {"cbpe": "estimate", "pape": "weighted-estimate"}
"""How the keys of a method's documents begin."""

_ESTIMATED: Final = frozenset({"covariate_shift", "joint_shift"})
"""The kinds of finding whose effect on the loss no label has shown."""


class Estimates:
    """Keeps one small document for each day of a version and each method that estimated it."""

    def __init__(self, metrics: Documents) -> None:
        self._metrics = metrics

    def keep(self, model: str, champion: Version | None, day: str, diagnosed: Diagnosed) -> dict[str, Any]:
        """Keep the day's estimates, reconcile those whose labels have come, and say how often they were right.

        Returns:
            The estimate that is shown, with ``record``, its track record in words, and ``trusted``, whether the
            estimates may decide anything. It is PAPE's where there is one, until its own record shows that it is wrong;
            else CBPE's, with ``why_not_weighted`` where PAPE refused or is distrusted. ``trusted`` is of CBPE always:
            the effect of a covariate shift is computed as it does.
        """
        if champion is None or not diagnosed.estimate:
            return {}
        realised = diagnosed.realised
        plain = self._tracked(model, champion, day, "cbpe", diagnosed.estimate, realised)
        weighted = self._tracked(model, champion, day, "pape", diagnosed.weighted, realised)
        why = _why_not(diagnosed.weighted, weighted)
        is_weighted = bool(diagnosed.weighted) and not why
        shown, record = (diagnosed.weighted, weighted) if is_weighted else (diagnosed.estimate, plain)
        told = {"record": record.sentence, "trusted": plain.is_trusted, "why_not_weighted": why}
        unweighted = {"unweighted": {**diagnosed.estimate, "record": plain.sentence}} if is_weighted else {}
        return {**shown, **told, **unweighted}

    def _tracked(
        self,
        model: str,
        champion: Version,
        day: str,
        method: EstimateMethod,
        estimate: Mapping[str, Any],
        realised: Mapping[str, float],
    ) -> TrackRecord:
        """The track record of a method, with the day's estimate kept."""
        partition, prefix = metrics_partition(model), f"{_KINDS[method]}#{champion.number}#"
        if estimate:
            self._metrics.put(partition, f"{prefix}{day}", {"day": day, **estimate, "realised": None})
        records = []
        for one in self._metrics.query(partition, prefix):
            known = realised.get(one["day"])
            record = one if known is None or one["realised"] is not None else reconciled(one, known)
            if record is not one:
                self._metrics.put(partition, f"{prefix}{one['day']}", record)
            records.append(record)
        return track_record(records)


def _why_not(weighted: Mapping[str, Any], track: TrackRecord) -> str:
    """Why the weighted estimate of a day is not shown; empty when it is, or inputs have not moved."""
    if not weighted:
        return ""
    if weighted["refused"]:
        return str(weighted["refused"])
    return track.sentence if track.is_distrusted else ""


def believed(findings: Sequence[Finding], *, is_trusted: bool) -> list[Finding]:
    """The findings; those whose effect is only estimated are notices while the track record is not trusted."""
    return [one if is_trusted or one.kind not in _ESTIMATED else replace(one, severity="notice") for one in findings]
