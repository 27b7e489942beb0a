"""What the feedback's function does: joins what became known to the predictions that still wait for it."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.rules import Label
from smallbox.documents.daily_run import DayDocument, JoinCounts
from smallbox.errors import NotFound, NotReady
from smallbox.feedback.label_breaker import label_breaker
from smallbox.feedback.label_figures import History, LabelRows, day_figures, label_day
from smallbox.feedback.late_outcomes import Late, Restating, outcomes_of
from smallbox.feedback.profiled_labels import LabelProfiles
from smallbox.feedback.restatements import Since
from smallbox.feedback.settling import CLOSES, Settled, settled, touched_ranges
from smallbox.labels.join import ASKED_LATE, LABELLED, PENDING, REMEMBERED, UNLABELLED, coverage, join_labels
from smallbox.labels.stored import BreakerDocument, LabelFigures
from smallbox.labels.table import settled_days
from smallbox.lake.history import FOREVER
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog, of_versions
from smallbox.lake.schemas import ARROW_TYPES, LABELLED_COLUMNS
from smallbox.lake.spans import spans_of
from smallbox.ports import Between, Documents, Lake
from smallbox.registry.live_versions import live_versions
from smallbox.registry.signatures import label_of_version
from smallbox.registry.store import Registry
from smallbox.table_columns import LABEL_COLUMNS, RANKED_COLUMNS, SETTLES_FROM, is_scored
from smallbox.times import DAY, Micros, asked_moment, day_of, format_moment


class JoinTask:
    """A task of the day: joins the predictions that still wait for labels, and writes the days that changed.

    What is settled stays; what becomes known of it later goes into restatements. It reads what the attribution window
    and :data:`~smallbox.labels.join.REMEMBERED` reach, however long the history is.
    """

    def __init__(
        self,
        project: Project,
        lake: Lake,
        registry: Registry,
        metrics: Documents,
        profiles: LabelProfiles | None = None,
    ) -> None:
        self._project = project
        self._lake = lake
        self._registry = registry
        self._metrics = metrics
        self._profiles = profiles
        self._log = PredictionLog(lake)

    def run(self, document: DayDocument, now: Micros) -> DayDocument:
        """Pass the document on with ``as_of`` and ``feedback``: counts by status, and the newest day's coverage."""
        model = self._project.model(document["model"])
        as_of = asked_moment(document, now, default=now // DAY * DAY)
        figures = LabelFigures(self._metrics, model.name)
        judged = figures.joined_until()
        longest, judged_label = self._longest(model), self._judged_label(model)
        start = as_of - DAY if judged is None else min(judged, as_of - DAY)
        day, counts, settled_rows, parts = settled_days(longest, as_of), Counter[str](), list[pa.Table](), []
        for span in self._spans(model, self._open_since(model, longest, judged, start), as_of):
            found = self._settle(model, span, as_of, judged or 0)
            counts.update({one["values"]: one["counts"] for one in pc.value_counts(found.seen["status"]).to_pylist()})
            settled_rows.append(found.seen.filter(_inside(found.seen, day)).select(["event_time", "status"]))
            parts.append(LabelRows.of(judged_label, self._with_label(model, judged_label, found.seen)))
        late = Restating(self._project, self._lake, model, self._label_of).run(self._labels(model), Since(start, as_of))
        rows = LabelRows.together(parts)
        state = self._keep(figures, judged_label, rows, settled_days(judged_label, as_of), as_of, late)
        figures.set_joined_until(format_moment(as_of))
        said: JoinCounts = {
            "labelled": counts[LABELLED],
            "pending": counts[PENDING],
            "unlabelled": counts[UNLABELLED],
            "asked_late": counts[ASKED_LATE],
            "coverage": coverage(longest, pa.concat_tables(settled_rows), as_of),
            "coverage_day": day_of(day.start),
            "restated": late.restated,
            "unmatched": late.unmatched,
            "breaker": state["why"] if state["open"] else "",
        }
        return {**document, "as_of": format_moment(as_of), "feedback": said}

    def _keep(
        self, figures: LabelFigures, label: Label, rows: LabelRows, day: Between, as_of: Micros, late: Late
    ) -> BreakerDocument:
        """Store the day's figures and the breaker's state, which is returned."""
        past = figures.days(as_of - DAY)
        found = day_figures(label, rows, day, History.of(past), as_of)
        state = label_breaker([label_day(one) for one in past], label_day(found))
        found |= {"found": [trip["kind"] for trip in state["trips"]], "breaker": state}
        figures.keep(found["day"], {**found, "restated": late.restated, "unmatched": late.unmatched})
        figures.set_breaker(state)
        return state

    def _open_since(self, model: Model, longest: Label, judged: Micros | None, start: Micros) -> Micros:
        """Where the predictions begin that may change: a day more than the window before the last join.

        Predictions of midnight may reach the log after it. The first join of all begins with the first prediction.
        """
        if judged is None and self._lake.version(labelled_table(model.name)) is None:
            return 0
        return settled_days(longest, start + DAY).start

    def _settle(self, model: Model, span: Between, as_of: Micros, judged: Micros) -> Settled:
        """Join the predictions of a range, and write the days of it that changed."""
        table = labelled_table(model.name)
        before = self._lake.read(table, None, span)
        found = settled(self._joined(model, self._open(model, span, as_of), as_of), before, as_of, judged)
        # a commit for each range: the steps of the day that read the table run after the last one
        for touched in touched_ranges(found, span):
            rows = found.rows.filter(_inside(found.rows, touched))
            # before the rows: a join that is tried again finds no change in rows that were written
            self._profile(model, rows, touched, as_of)
            self._lake.replace(table, rows, touched)
        return found

    def _judged_label(self, model: Model) -> Label:
        """The label that the figures are about: the champion's, before the first champion the definition's."""
        routing = self._registry.routing(model.name)
        return model.label if routing is None else self._label_of(model, routing.champion)

    def _labels(self, model: Model) -> Sequence[Label]:
        """The labels that live versions and the definition predict."""
        live = live_versions(self._registry, model.name)
        return list(dict.fromkeys([model.label, *(self._label_of(model, version.number) for version in live)]))

    def _with_label(self, model: Model, label: Label, rows: pa.Table) -> pa.Table:
        """The rows of the versions that predict a label."""
        numbers = [n for n in pc.unique(rows["version"]).to_pylist() if self._label_of(model, n) == label]
        missing = label.objective.label_column not in rows.column_names
        own = of_versions(rows, [] if missing else numbers)
        name = label.objective.label_column
        return own.append_column(name, pa.nulls(0, ARROW_TYPES[LABEL_COLUMNS[name]])) if missing else own

    def _profile(self, model: Model, rows: pa.Table, touched: Between, as_of: Micros) -> None:
        if self._profiles is None:
            return
        # a label counts from `settles_from` on, so a join labels no row of a later day
        known = Between(SETTLES_FROM, touched.start, min(touched.end, -(-as_of // DAY) * DAY))
        rows = rows.filter(_inside(rows, known))
        for number in sorted(pc.unique(rows["version"]).to_pylist()):
            objective = self._label_of(model, number).objective
            self._profiles.replace(objective, model.name, of_versions(rows, [number]), known)

    def _longest(self, model: Model) -> Label:
        """Of the labels that live versions predict, the one with the longest attribution window."""
        live = live_versions(self._registry, model.name)
        labels = [model.label, *(label_of_version(self._registry, version) for version in live)]
        return max(labels, key=lambda label: label.within_micros)

    def _label_of(self, model: Model, number: int) -> Label:
        """The label that a version predicts; the definition's for the fallback, 0, and for one that cannot be read."""
        if not number:
            return model.label
        try:
            return label_of_version(self._registry, self._registry.get(model.name, number))
        except (NotFound, NotReady):  # one version must not stop the labels of all others
            return model.label

    def _joined(self, model: Model, asked: pa.Table, as_of: Micros) -> pa.Table:
        """Join each prediction to the label of the version that answered it."""
        numbers: dict[Label, list[int]] = {model.label: []}
        for number in sorted(pc.unique(asked["version"]).to_pylist()):
            numbers.setdefault(self._label_of(model, number), []).append(number)
        return pa.concat_tables(
            [self._joined_to(label, of_versions(asked, own), as_of) for label, own in numbers.items()],
            promote_options="permissive",
        )

    def _joined_to(self, label: Label, asked: pa.Table, as_of: Micros) -> pa.Table:
        joined = join_labels(label, asked, self._outcomes(label, asked, as_of), as_of)
        closes = pc.add(asked["event_time"], label.within_micros)
        return _with_label_column(label, joined).append_column(CLOSES, closes)

    def _spans(self, model: Model, since: Micros, as_of: Micros) -> list[Between]:
        """The ranges of ``settles_from`` that are joined one after another."""
        recent = self._log.moments(model.name, Between("time", since, as_of))
        ahead = self._log.moments(model.name, Between("event_time", since, FOREVER))
        moments = chain(
            (np.maximum(time, event_time) for time, event_time in recent),
            (event_time[time < since] for time, event_time in ahead),
        )
        return spans_of(moments, Between(SETTLES_FROM, since, FOREVER))

    def _open(self, model: Model, span: Between, as_of: Micros) -> pa.Table:
        """The predictions asked before ``as_of`` whose ``settles_from`` is in a range."""
        recent = self._log.read(model.name, Between("time", span.start, min(span.end, as_of)), _is_kept)
        ahead = self._log.read(model.name, Between("event_time", span.start, span.end), _is_kept)
        recent = recent.filter(pc.less(recent["event_time"], span.end))
        ahead = ahead.filter(pc.less(ahead["time"], min(span.start, as_of)))
        both = pa.concat_tables([recent, ahead], promote_options="default")
        both = both.select([name for name in both.column_names if _is_kept(name)])
        return both.append_column(SETTLES_FROM, pc.max_element_wise(both["time"], both["event_time"]))

    def _outcomes(self, label: Label, asked: pa.Table, as_of: Micros) -> pa.Table:
        """Every version of the outcomes of these predictions that the join may need.

        One that was known before tells a late asking, for as long as it is remembered. One that became known after
        every window is over, and after every asking, counts for none.
        """
        since, until = -FOREVER, as_of
        if asked.num_rows:
            until = min(as_of, pc.max(asked[SETTLES_FROM]).as_py() + label.within_micros)
            since = pc.min(asked["time"]).as_py() - REMEMBERED
        return outcomes_of(self._project, self._lake, label, asked, Between("known_at", since, until + 1))


def _is_kept(column: str) -> bool:
    """Whether the labelled predictions keep a column of the log: who answered, the outputs, and the ordered list."""
    return column in LABELLED_COLUMNS or column in RANKED_COLUMNS or is_scored(column)


def _with_label_column(label: Label, joined: pa.Table) -> pa.Table:
    """The label in the column of its type, so that versions whose labels have different types share the table."""
    name = label.objective.label_column
    typed = joined["label"].cast(ARROW_TYPES[LABEL_COLUMNS[name]])
    return joined.set_column(joined.column_names.index("label"), name, typed)


def _inside(rows: pa.Table, between: Between) -> pa.Array:
    column = rows[between.column]
    return pc.and_(pc.greater_equal(column, between.start), pc.less(column, between.end))
