"""The four kinds of checks, each a pure function of rows and a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.rules import Label, Monitor
from smallbox.define.source import Source
from smallbox.features.window import Ints
from smallbox.feedback.join import LABELLED, coverage
from smallbox.monitoring.drift import missing_share, psi, psi_by_chance
from smallbox.monitoring.report import DRIFT, Check, Kind
from smallbox.monitoring.skew import Skew
from smallbox.times import HOUR, Micros
from smallbox.training.metrics import measure


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came of a source by the end of a day.

    Attributes:
        accepted: records that became known on the day.
        quarantined: records that were rejected on the day.
        usual: records a day over the days before; 0 when there were none.
        age: how old the newest known record is at the end of the day; ``None`` when none is known. See
            :func:`newest_age`.
    """

    accepted: int
    quarantined: int
    usual: float
    age: Micros | None = None


def newest_age(source: Source, times: Ints, known_at: Ints, as_of: Micros) -> Micros | None:
    """How old the newest of some records is, which are all known by ``as_of``; ``None`` of none.

    A record's age is counted from its event time, plus ``known_after`` where that is declared, or from when it became
    known, whichever is earlier: neither old records that arrive today nor records of tomorrow are news of today.
    """
    if not len(times):
        return None
    news = np.minimum(times + (source.known_after_micros or 0), known_at)
    return as_of - int(news.max())


def data_checks(rule: Monitor, source: Source, arrivals: Arrivals) -> list[Check]:
    """A source's records of a day: the share that was rejected, the volume, and the freshness where it is declared.

    A declared volume takes the place of the usual one, which knows no upper limit.
    """
    accepted, received = arrivals.accepted, arrivals.accepted + arrivals.quarantined
    share = arrivals.quarantined / received if received else None
    too_many = (share or 0) > rule.max_quarantined
    least, most = source.volume_range or (arrivals.usual * rule.min_volume, None)
    is_above = most is not None and accepted > most
    limit = most if most is not None and is_above else least
    return [
        Check("data", f"quarantined:{source.name}", share, rule.max_quarantined, too_many, received),
        Check("data", f"volume:{source.name}", float(accepted), limit, accepted < least or is_above, accepted),
        *_freshness(source, arrivals),
    ]


def _freshness(source: Source, arrivals: Arrivals) -> list[Check]:
    if source.freshness_micros is None:
        return []
    age, limit = arrivals.age, source.freshness_micros
    hours = None if age is None else age / HOUR
    is_stale = age is None or age > limit
    return [Check("data", f"freshness_hours:{source.name}", hours, limit / HOUR, is_stale, arrivals.accepted)]


def skew_check(rule: Monitor, skew: Skew) -> Check:
    """How many added values were served that the batch recomputation as of the same moment does not give.

    The two engines promise equal bits; see ``Monitor.max_skew`` for what the limit allows.
    """
    limit = rule.max_skew * skew.values
    return Check("features", "skew", float(skew.unequal), limit, skew.unequal > limit, skew.values)


def drift_checks(model: Model, reference: Mapping[str, Any], seen: Mapping[str, Any], *, whole: bool) -> list[Check]:
    """Every input, and the score, against the reference profile.

    Args:
        model: whose rule and columns.
        reference: the champion's profile.
        seen: the profile of what was served, in the same bins.
        whole: whether the window is full; until then nothing breaches, since part of a week is not like a week.
    """
    names = [*model.columns.names, "score"]
    return [
        check
        for name in names
        for check in _drift(model.monitor, name, reference[name], seen[name], columns=len(names), whole=whole)
    ]


def _drift(
    rule: Monitor, name: str, reference: Mapping[str, Any], seen: Mapping[str, Any], *, columns: int, whole: bool
) -> list[Check]:
    kind: Kind = "predictions" if name == "score" else "features"
    rows = sum(seen["counts"]) + seen["missing"]
    judged = whole and rows >= rule.min_rows and name not in rule.expected_drift
    moved = psi(reference["counts"], seen["counts"])
    limit = max(rule.max_psi, psi_by_chance(reference["counts"], seen["counts"], columns))
    more_missing = missing_share(seen) - missing_share(reference)
    return [
        Check(kind, f"{DRIFT}{name}", moved, limit, judged and moved > limit, rows),
        Check(
            kind, f"missing:{name}", more_missing, rule.max_missing, judged and more_missing > rule.max_missing, rows
        ),
    ]


def accuracy_checks(rule: Monitor, label: Label, labelled: pa.Table, as_of: Micros) -> list[Check]:
    """The labelled predictions of a day whose attribution windows are over: ranking, calibration, coverage."""
    known = labelled.filter(pc.equal(labelled["status"], LABELLED))
    figures = measure(known["score"].to_numpy(), known["label"].to_numpy().astype(bool))
    covered = coverage(label, labelled, as_of)
    auc, error = figures["auc"], figures["calibration_error"]
    enough, asked = known.num_rows >= rule.min_rows, labelled.num_rows >= rule.min_rows
    low = auc is not None and auc < rule.min_auc
    far = error is not None and error > rule.max_calibration_error
    scarce = covered is not None and covered < rule.min_coverage
    return [
        Check("accuracy", "auc", auc, rule.min_auc, enough and low, known.num_rows),
        Check("accuracy", "calibration_error", error, rule.max_calibration_error, enough and far, known.num_rows),
        Check("accuracy", "coverage", covered, rule.min_coverage, asked and scarce, labelled.num_rows),
    ]
