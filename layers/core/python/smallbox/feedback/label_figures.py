"""The figures of a day's labels: how many came, how late, what recent days would say, and whether to trust them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Floats, Ints, np
from smallbox.define.rules import Label
from smallbox.feedback.label_breaker import LabelDay
from smallbox.labels.join import ASKED_LATE, LABELLED
from smallbox.labels.table import encoded_labels, of_objective, scored_rows
from smallbox.ports import Between
from smallbox.statistics.estimates import none_if_nan
from smallbox.statistics.label_delay import (
    Corrected,
    MaturityCurve,
    corrected_mean,
    corrected_share,
    curve_figures,
    delay_counts,
    delays_differ,
)
from smallbox.table_columns import SETTLES_FROM
from smallbox.times import DAY, HOUR, Micros, day_of

CURVE_DAYS: Final = 28
"""The delay curve is that of this many settled days: whole weeks, recent enough."""

_UNLIKE_CLASSES: Final = 20
"""A label of more classes has one curve."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelRows:
    """What the figures need of joined predictions of one label; row by row.

    Attributes:
        settles_from: microseconds.
        known_at: when the outcome became known; meaningless without one.
        is_reported: whether an outcome counts; silence is none, even where it means no.
        is_late: whether it was asked late.
        values: the labels as the objective's numbers; NaN without one.
        names: the class of each label; ``all`` where labels are numbers.
        losses: NaN without a label.
    """

    settles_from: Ints
    known_at: Ints
    is_reported: Bools
    is_late: Bools
    values: Floats
    names: Sequence[str]
    losses: Floats

    @classmethod
    def of(cls, label: Label, rows: pa.Table) -> "LabelRows":
        """Those of joined rows of one label."""
        objective, column = label.objective, rows[label.objective.label_column]
        known = np.asarray(pc.fill_null(rows["label_known_at"], 0).to_numpy())
        status = rows["status"].to_numpy(zero_copy_only=False)
        closes = rows["event_time"].to_numpy() + label.within_micros
        is_silent = np.zeros(len(rows), bool)
        if label.otherwise is not None:
            is_silent = (known == closes) & _mask(pc.equal(column, pa.scalar(label.otherwise, column.type)))
        values, losses = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        is_labelled = (status == LABELLED) & _mask(pc.is_valid(column))
        values[is_labelled] = encoded_labels(objective, column.filter(pa.array(is_labelled)))
        if all(name in rows.column_names for name in objective.outputs) and not objective.group:
            scored = is_labelled & _mask(of_objective(objective, rows))
            losses[scored] = objective.losses(scored_rows(objective, rows.filter(pa.array(scored)))).values
        is_number = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
        names = ["all"] * len(rows) if is_number else [str(one).lower() for one in column.to_pylist()]
        late = status == ASKED_LATE
        return cls(rows[SETTLES_FROM].to_numpy(), known, is_labelled & ~is_silent, late, values, names, losses)

    @classmethod
    def together(cls, parts: Sequence["LabelRows"]) -> "LabelRows":
        """The rows of several ranges."""
        return cls(
            settles_from=np.concatenate([part.settles_from for part in parts]),
            known_at=np.concatenate([part.known_at for part in parts]),
            is_reported=np.concatenate([part.is_reported for part in parts]),
            is_late=np.concatenate([part.is_late for part in parts]),
            values=np.concatenate([part.values for part in parts]),
            names=[name for part in parts for name in part.names],
            losses=np.concatenate([part.losses for part in parts]),
        )


def _mask(column: Any) -> Bools:
    return np.asarray(pc.fill_null(column, fill_value=False).to_numpy(zero_copy_only=False))


@dataclass(frozen=True, slots=True)
class History:
    """The delay curves of the settled days before a day, from their documents.

    Attributes:
        curves: by class.
        reported: the share of predictions that get an outcome; ``None`` before there are any.
    """

    curves: Mapping[str, MaturityCurve]
    reported: float | None

    @classmethod
    def of(cls, documents: Sequence[Mapping[str, Any]]) -> "History":
        """That of the last ``CURVE_DAYS`` settled days."""
        last = list({one["settled_day"]: one for one in documents}.values())[-CURVE_DAYS:]
        names = sorted({name for one in last for name in one["delays"]})
        none = delay_counts(np.empty(0)).tolist()
        curves = {name: MaturityCurve(np.array([one["delays"].get(name, none) for one in last])) for name in names}
        asked, reported = (sum(one[name] for one in last) for name in ("asked", "reported"))
        return cls(curves, reported / asked if asked else None)

    @property
    def pooled(self) -> MaturityCurve | None:
        """The curve of all classes together; ``None`` before there is a label."""
        return MaturityCurve(np.sum([curve.days for curve in self.curves.values()], axis=0)) if self.curves else None

    @property
    def differs(self) -> bool | None:
        """Whether a class matures at another speed than the others; ``None``: cannot tell."""
        pooled = self.pooled
        if pooled is None or not 1 < len(self.curves) <= _UNLIKE_CLASSES:
            return False if self.curves else None
        found = [delays_differ(one, MaturityCurve(pooled.days - one.days)) for one in self.curves.values()]
        return True if True in found else None if None in found else False

    def chosen(self) -> Mapping[str, MaturityCurve]:
        """A curve for each class when they differ, else one for all."""
        pooled = self.pooled
        if self.differs:
            return self.curves
        return {} if pooled is None else dict.fromkeys(self.curves, pooled)


def day_figures(label: Label, rows: LabelRows, day: Between, history: History, as_of: Micros) -> dict[str, Any]:
    """The document of a day's labels, JSON-ready.

    Args:
        label: the label.
        rows: the joined predictions whose windows may be open, and those of ``day``.
        day: the newest settled day, whose delays it stores.
        history: the days before.
        as_of: the end of the day.
    """
    inside = (rows.settles_from >= day.start) & (rows.settles_from < day.end) & ~rows.is_late
    own = inside & rows.is_reported
    delays = (rows.known_at - rows.settles_from) / label.within_micros
    names = np.array(rows.names, dtype=object)
    return {
        "day": day_of(as_of - DAY),
        "settled_day": day_of(day.start),
        "asked": int(inside.sum()),
        "reported": int(own.sum()),
        "delays": {
            str(n): delay_counts(delays[own & (names == n)]).tolist() for n in np.unique(names[own].astype(str))
        },
        **asdict(_known(label, rows, history, as_of)),
        "known_after_hours": curve_figures(history.curves, label.within_micros / HOUR),
        "classes_differ": history.differs,
        "recent": _recent(label, rows, day.end, history, as_of),
    }


def _known(label: Label, rows: LabelRows, history: History, as_of: Micros) -> LabelDay:
    """The labels that became known on the day before ``as_of``, and how many were due."""
    now = rows.is_reported & (rows.known_at > as_of - DAY) & (rows.known_at <= as_of)
    values, pooled, expected = rows.values[now], history.pooled, None
    if pooled is not None and history.reported is not None and pooled.labels:
        asked = rows.settles_from[~rows.is_late & (rows.settles_from < as_of)]
        until, before = (np.clip((at - asked) / label.within_micros, 0, 1) for at in (as_of, as_of - DAY))
        expected = history.reported * float((pooled.known_by(until) - pooled.known_by(before)).sum())
    column, is_judged = label.objective.label_column, len(values) > 0 and label.objective.label_column != "label_text"
    mean, deviation = (float(values.mean()), float(values.std())) if is_judged else (None, 0.0)
    return LabelDay(day_of(as_of - DAY), int(now.sum()), expected, mean, deviation, column == "label")


def _recent(label: Label, rows: LabelRows, since: Micros, history: History, as_of: Micros) -> dict[str, Any]:
    """The rate and the mean loss of the days that still wait for labels, corrected for those to come."""
    is_recent = (rows.settles_from >= since) & (rows.settles_from < as_of) & ~rows.is_late
    ages, days = np.clip((as_of - rows.settles_from) / label.within_micros, 0, 1), max((as_of - since) // DAY, 1)
    known, curves = is_recent & rows.is_reported, history.chosen()
    if label.otherwise is not None:
        is_yes = known & np.array([name != str(label.otherwise).lower() for name in rows.names], bool)
        curve = history.pooled or MaturityCurve(np.empty((0, 1), np.int64))
        share = corrected_share(ages[is_yes], ages[is_recent], curve, days)
        return {
            "rate": _json(share),
            "mean_loss": _json(_refused("silence means no, and who stays silent is not known")),
        }
    unseen = sorted({rows.names[at] for at in np.flatnonzero(known).tolist()} - curves.keys())
    if unseen or not curves:
        refused = _json(
            _refused(f"the delay curve has no label {unseen[0]!r}" if unseen else "there is no delay curve")
        )
        return {"rate": refused, "mean_loss": refused}
    distinct = [curves[name] for name in history.curves] if history.differs else [next(iter(curves.values()))]
    place = {name: at if history.differs else 0 for at, name in enumerate(history.curves)}
    classes = np.array([place.get(name, 0) for name in rows.names], np.int64)
    found = {}
    for name, values in (("rate", rows.values), ("mean_loss", rows.losses)):
        taken = known & ~np.isnan(values)
        found[name] = _json(corrected_mean(values[taken], ages[taken], classes[taken], distinct, days))
    if label.objective.label_column == "label_text":
        found["rate"] = _json(_refused("labels are texts; see label shift by class"))
    return found


def _refused(why: str) -> Corrected:
    return Corrected(None, 0.0, why)


def _json(found: Corrected) -> dict[str, Any]:
    value, error = (None, None) if found.estimate is None else (found.estimate.value, found.estimate.standard_error)
    return {
        "value": value if value is None else none_if_nan(value),
        "standard_error": error if error is None else none_if_nan(error),
        "effective": round(found.effective, 1),
        "by_class": found.is_by_class,
        "why": found.why,
    }


def label_day(document: Mapping[str, Any]) -> LabelDay:
    """A day as its document has it."""
    names = ("day", "known", "expected", "mean", "deviation", "is_share")
    return LabelDay(**{name: document[name] for name in names}, found=tuple(document["found"]))
