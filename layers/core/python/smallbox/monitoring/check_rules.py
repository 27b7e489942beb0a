"""The checks of data, features and predictions, each a pure function of figures and a rule."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import numpy as np

from smallbox.arrays import Ints
from smallbox.define.rules import Monitor
from smallbox.define.signature import Signature
from smallbox.define.source import Source
from smallbox.monitoring.degraded_answers import Answerer
from smallbox.monitoring.psi import missing_share, psi, psi_by_chance
from smallbox.monitoring.report import Check, CheckKind
from smallbox.monitoring.sent_fields import Sent
from smallbox.monitoring.skew import Skew, ValueSkew
from smallbox.records import Cause
from smallbox.statistics.shares import surely_above
from smallbox.times import HOUR, Micros

_MOST_RULES: Final = 3


@dataclass(frozen=True, slots=True)
class SourceDayStats:
    """The records of a source on a day.

    Attributes:
        accepted: how many records became known on the day.
        quarantined: how many records were rejected on the day.
        usual: the mean number of records per day over the days before; 0 when there were none, and on a day
            that was declared to differ.
        age: the age of the newest record at the end of the day, microseconds; ``None`` without a record. See
            :func:`newest_age`.
        repeated: how many rows of the day repeat a record that was there: they change nothing.
        late: how many records of the day arrived later than the source's allowed lateness.
        rules: how many of the rejected records broke which rule, like ``{"weight: maximum": 12}``.
    """

    accepted: int
    quarantined: int
    usual: float
    age: Micros | None = None
    repeated: int = 0
    late: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)


def newest_age(source: Source, times: Ints, known_at: Ints, as_of: Micros) -> Micros | None:
    """The age of the newest record, microseconds, of records that are all known by ``as_of``; ``None`` of none.

    A record's age counts from its event time plus the declared ``known_after``, or from ``known_at`` when that is
    earlier. So neither an old record that arrives today nor a record of tomorrow makes a source look fresh.
    """
    if not len(times):
        return None
    news = np.minimum(times + (source.known_after_micros or 0), known_at)
    return as_of - int(news.max())


def data_checks(rule: Monitor, source: Source, arrivals: SourceDayStats) -> list[Check]:
    """A source's records of a day: the share that was rejected, the volume, and the freshness where it is declared.

    A declared volume replaces the usual one, which has no upper limit. The shares of repeated and of late records are
    shown without a limit.
    """
    accepted, received = arrivals.accepted, arrivals.accepted + arrivals.quarantined
    share = arrivals.quarantined / received if received else None
    too_many = (share or 0) > rule.max_quarantined
    least, most = source.volume_range or (arrivals.usual * rule.min_volume, None)
    is_above = most is not None and accepted > most
    limit = most if most is not None and is_above else least
    broken = ", ".join(f"{rule} ({count})" for rule, count in islice(arrivals.rules.items(), _MOST_RULES))
    return [
        Check("data", f"quarantined:{source.name}", share, rule.max_quarantined, too_many, received, broken),
        Check("data", f"volume:{source.name}", float(accepted), limit, accepted < least or is_above, accepted),
        *freshness_checks(source, arrivals.age, arrivals.accepted),
        _figure(f"repeated:{source.name}", arrivals.repeated, accepted + arrivals.repeated),
        _figure(f"late:{source.name}", arrivals.late, accepted),
    ]


def _figure(name: str, count: int, rows: int) -> Check:
    """A share that is shown, and has no limit of its own."""
    return Check("data", name, count / rows if rows else None, 1.0, breached=False, rows=rows)


def freshness_checks(source: Source, age: Micros | None, rows: int) -> list[Check]:
    """Whether a source is stale, if it declares a freshness: the daily check and the hourly look judge alike.

    Args:
        source: the source.
        age: of its newest record, by :func:`newest_age`; ``None``, which is stale, without one.
        rows: how many records this was seen in.
    """
    if source.freshness_micros is None:
        return []
    limit = source.freshness_micros
    hours = None if age is None else age / HOUR
    is_stale = age is None or age > limit
    return [Check("data", f"freshness_hours:{source.name}", hours, limit / HOUR, is_stale, rows)]


def skew_checks(rule: Monitor, skews: Sequence[Skew]) -> list[Check]:
    """For each added feature, the share of served values that differ from their batch recomputation.

    Both engines compute equal bits; ``Monitor.max_skew`` says why the limit is not 0.

    Args:
        rule: the limits.
        skews: one per signature that was served; the rows of a feature that several have are added.
    """
    found, rows = defaultdict[str, ValueSkew](ValueSkew), Counter[str]()
    for skew in skews:
        for name, one in skew.by_feature.items():
            found[name] += one
        rows.update(dict.fromkeys(skew.by_feature, skew.rows))
    return [
        _share("features", f"skew:{name}", one.unequal, rows[name], rule.max_skew, one.sentence)
        for name, one in found.items()
    ]


def sent_checks(rule: Monitor, sents: Sequence[Sent]) -> list[Check]:
    """For each sent field, the share that differs from the lake's record; then the lead of the requests.

    A key without a record counts as a row, not as a difference.

    Args:
        rule: the limits.
        sents: one per signature that was served; the rows of a field that several have are added.
    """
    different, found = Counter[str](), Counter[str]()
    for sent in sents:
        different.update(sent.by_field)
        found.update(dict.fromkeys(sent.by_field, sent.found))
    rows = sum(sent.rows for sent in sents)
    note = f"{rows - sum(sent.found for sent in sents)} of {rows} keys have no record in the lake"
    fields = [_share("features", f"sent:{name}", different[name], found[name], rule.max_skew, note) for name in found]
    return [*fields, *_lead_checks(rule, np.concatenate([np.empty(0, np.int64), *(sent.leads for sent in sents)]))]


def _lead_checks(rule: Monitor, leads: Ints) -> list[Check]:
    if not len(leads):
        return []
    median, limit, rows = float(np.median(leads)) / HOUR, rule.max_lead_micros / HOUR, len(leads)
    said = "before" if median >= 0 else "after"
    note = f"the median request is asked {said} its event time, and training asks at it"
    is_off = abs(median) > limit
    off_time = int((np.abs(leads) > rule.max_lead_micros).sum())
    beyond = f"asked more than {rule.max_lead} before or after the event time"
    return [
        Check("features", "lead_hours", median, limit, is_off, rows, note),
        _share("features", "off_time", off_time, rows, rule.max_off_time, beyond),
    ]


def fallback_check(rule: Monitor, fallbacks: int, rows: int) -> Check:
    """The share of a day's online answers that came from the fallback."""
    return _share("predictions", "fallback", fallbacks, rows, rule.max_fallback)


def degraded_checks(rule: Monitor, degraded: Mapping[Answerer, int], rows: int) -> list[Check]:
    """For each cause that was seen, the share of a day's online answers that were degraded for it.

    Args:
        rule: the limit, ``max_fallback``.
        degraded: how many answers, by cause and who answered; the cause ``prior`` is :func:`fallback_check`'s.
        rows: the number of online answers of the day.
    """
    by_cause = defaultdict[Cause, list[tuple[Answerer, int]]](list)
    for answerer, count in degraded.items():
        by_cause[answerer.cause].append((answerer, count))
    return [
        _share(
            "predictions",
            f"degraded:{cause}",
            sum(count for _, count in found),
            rows,
            rule.max_fallback,
            ", ".join(f"{count} by version {who.version} ({who.arm})" for who, count in sorted(found)),
        )
        for cause, found in sorted(by_cause.items())
    ]


def lost_checks(lost: Mapping[int, int]) -> list[Check]:
    """A breach for each version whose answers of the day cannot be audited, because its definition is lost."""
    note = "the signature or the bundle of the version is lost; restore it from a backup"
    return [
        Check("features", f"lost:version_{number}", float(rows), 0.0, True, rows, note) for number, rows in lost.items()
    ]


def _share(kind: CheckKind, name: str, count: int, rows: int, limit: float, note: str = "") -> Check:
    """A share; it breaches when it is above its limit by more than chance explains."""
    share = count / rows if rows else None
    return Check(kind, name, share, limit, surely_above(count, rows, limit), rows, note)


def drift_checks(signature: Signature, reference: Mapping[str, Any], seen: Mapping[str, Any]) -> list[Check]:
    """How far every input and output is from the reference profile; shown, and never a breach.

    A distribution that is far from the training data is no news: whether it *has changed* is found day by day, within a
    stated number of false alarms; see :mod:`smallbox.monitoring.change_watch`.

    Args:
        signature: the champion's.
        reference: the champion's profile.
        seen: the profile of what was served, in the same bins.
    """
    kinds: dict[str, CheckKind] = dict.fromkeys(signature.columns.names, "features")
    kinds |= dict.fromkeys(signature.objective.outputs, "predictions")
    return [check for name, kind in kinds.items() for check in _distance(kind, name, reference[name], seen[name])]


def _distance(kind: CheckKind, name: str, reference: Mapping[str, Any], seen: Mapping[str, Any]) -> list[Check]:
    rows = sum(seen["counts"]) + seen["missing"]
    moved, by_chance = (of(reference["counts"], seen["counts"]) for of in (psi, psi_by_chance))
    more_missing = missing_share(seen) - missing_share(reference)
    note = "distance from the training data; the limit is what chance does to independent rows"
    return [
        Check(kind, f"psi:{name}", moved, by_chance, breached=False, rows=rows, note=note),
        Check(kind, f"missing:{name}", more_missing, 1.0, breached=False, rows=rows),
    ]
