"""The four kinds of checks, each a pure function of rows and a rule."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.rules import Monitor
from smallbox.feedback.join import LABELLED, coverage
from smallbox.monitoring.drift import missing_share, psi, psi_by_chance
from smallbox.monitoring.report import Check, Kind
from smallbox.monitoring.skew import Skew
from smallbox.training.metrics import measure


def data_checks(rule: Monitor, source: str, accepted: int, quarantined: int, usual: float) -> list[Check]:
    """A source's records of a day: the share that was rejected, and the volume.

    Args:
        rule: the limits.
        source: the source's name.
        accepted: records that became known on the day.
        quarantined: records that were rejected on the day.
        usual: records a day over the days before; 0 when there were none.
    """
    received = accepted + quarantined
    share = quarantined / received if received else None
    least = usual * rule.min_volume
    return [
        Check(
            "data", f"quarantined:{source}", share, rule.max_quarantined, (share or 0) > rule.max_quarantined, received
        ),
        Check("data", f"volume:{source}", float(accepted), least, accepted < least, accepted),
    ]


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
        Check(kind, f"psi:{name}", moved, limit, judged and moved > limit, rows),
        Check(
            kind, f"missing:{name}", more_missing, rule.max_missing, judged and more_missing > rule.max_missing, rows
        ),
    ]


def accuracy_checks(rule: Monitor, labelled: pa.Table) -> list[Check]:
    """The labelled predictions of a day whose attribution windows are over: ranking, calibration, coverage."""
    known = labelled.filter(pc.equal(labelled["status"], LABELLED))
    figures = measure(known["score"].to_numpy(), known["label"].to_numpy().astype(bool))
    covered = coverage(labelled)
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
