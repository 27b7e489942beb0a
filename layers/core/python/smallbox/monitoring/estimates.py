"""The estimated losses of past days, and how often they were right."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from smallbox.monitoring.diagnosis import Diagnosed
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.report import metrics_partition
from smallbox.monitoring.track_record import reconciled, track_record
from smallbox.ports import Documents
from smallbox.registry.version import Version


class Estimates:
    """Keeps one small document for each day of a version."""

    def __init__(self, metrics: Documents) -> None:
        self._metrics = metrics

    def keep(self, model: str, champion: Version | None, day: str, diagnosed: Diagnosed) -> dict[str, Any]:
        """Keep the day's estimate, reconcile those whose labels have come, and say how often they were right.

        Returns:
            The estimate with ``record``, the track record in words, and ``trusted``, whether it may decide anything.
        """
        if champion is None or not diagnosed.estimate:
            return {}
        partition, prefix = metrics_partition(model), f"estimate#{champion.number}#"
        self._metrics.put(partition, f"{prefix}{day}", {"day": day, **diagnosed.estimate, "realised": None})
        records = []
        for one in self._metrics.query(partition, prefix):
            known = diagnosed.realised.get(one["day"])
            record = one if known is None or one["realised"] is not None else reconciled(one, known)
            if record is not one:
                self._metrics.put(partition, f"{prefix}{one['day']}", record)
            records.append(record)
        track = track_record(records)
        return {**diagnosed.estimate, "record": track.sentence, "trusted": track.is_trusted}


def believed(findings: Sequence[Finding], *, is_trusted: bool) -> list[Finding]:
    """The findings; those whose effect is only estimated are notices while the track record is not trusted."""
    return [one if is_trusted or one.kind != "covariate_shift" else replace(one, severity="notice") for one in findings]
