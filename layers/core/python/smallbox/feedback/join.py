"""What the feedback's function does: joins what became known to the predictions that still wait for it."""

from collections import Counter
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.rules import Label
from smallbox.documents.daily_run import DayDocument, JoinCounts
from smallbox.errors import NotFound, NotReady
from smallbox.feedback.profiled_labels import LabelProfiles
from smallbox.labels.join import ASKED_LATE, LABELLED, PENDING, UNLABELLED, coverage, join_labels
from smallbox.labels.table import settled_days
from smallbox.lake.history import FOREVER, history
from smallbox.lake.names import labelled_table, records_table
from smallbox.lake.predictions import PredictionLog, of_versions
from smallbox.lake.schemas import ARROW_TYPES, LABELLED_COLUMNS, record_schema
from smallbox.lake.spans import spans_of
from smallbox.ports import Between, Lake
from smallbox.registry.live_versions import live_versions
from smallbox.registry.signatures import label_of_version
from smallbox.registry.store import Registry
from smallbox.table_columns import JOINED_AS_OF, LABEL_COLUMNS, SETTLES_FROM, is_scored
from smallbox.times import DAY, Micros, asked_moment, day_of, format_moment


class JoinTask:
    """A task of the day: rewrites the labelled predictions whose windows may still be open."""

    def __init__(self, project: Project, lake: Lake, registry: Registry, profiles: LabelProfiles | None = None) -> None:
        self._project = project
        self._lake = lake
        self._registry = registry
        self._profiles = profiles
        self._log = PredictionLog(lake)

    def run(self, document: DayDocument, now: Micros) -> DayDocument:
        """Pass the document on with ``as_of`` and ``feedback``: counts by status, and the newest day's coverage."""
        model = self._project.model(document["model"])
        as_of = asked_moment(document, now, default=now // DAY * DAY)
        # a day more than the window: predictions of midnight may reach the log after it
        longest = self._longest(model)
        open_since = settled_days(longest, as_of).start
        day, counts, settled = settled_days(longest, as_of), Counter[str](), []
        for span in self._spans(model, open_since, as_of):
            labelled = self._joined(model, self._open(model, span, as_of), as_of)
            # a commit for each range: the steps of the day that read the table run after the last one
            restated = self._with_later(model, labelled, span, as_of)
            self._lake.replace(labelled_table(model.name), restated, span)
            self._profile(model, restated, span, as_of)
            counts.update({one["values"]: one["counts"] for one in pc.value_counts(labelled["status"]).to_pylist()})
            settled.append(labelled.filter(_inside(labelled, day)).select(["event_time", "status"]))
        found: JoinCounts = {
            "labelled": counts[LABELLED],
            "pending": counts[PENDING],
            "unlabelled": counts[UNLABELLED],
            "asked_late": counts[ASKED_LATE],
            "coverage": coverage(longest, pa.concat_tables(settled), as_of),
            "coverage_day": day_of(day.start),
        }
        return {**document, "as_of": format_moment(as_of), "feedback": found}

    def _profile(self, model: Model, rows: pa.Table, span: Between, as_of: Micros) -> None:
        if self._profiles is None:
            return
        # a label counts from `settles_from` on, so no labelled row lies after the join
        known = Between(SETTLES_FROM, span.start, min(span.end, as_of))
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
        return _with_label_column(label, joined)

    def _with_later(self, model: Model, labelled: pa.Table, between: Between, as_of: Micros) -> pa.Table:
        """The rows, each as the join of the latest moment had it: joining an older day again takes nothing back."""
        rows = labelled.append_column(JOINED_AS_OF, pa.array(np.full(labelled.num_rows, as_of, np.int64)))
        before = self._lake.read(labelled_table(model.name), None, between)
        if before is None or JOINED_AS_OF not in before.column_names:
            return rows
        later = before.filter(pc.greater(before[JOINED_AS_OF], as_of))
        others = rows.filter(pc.invert(pc.is_in(rows["id"], value_set=later["id"].combine_chunks())))
        return pa.concat_tables([others, later], promote_options="permissive")

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
        """Every version of the outcomes of these keys, however old: one that was known before tells a late asking."""
        source, until = self._project.source(label.source_name), as_of
        if asked.num_rows:
            # one that became known after every window is over, and after every asking, counts for none
            until = min(as_of, pc.max(asked[SETTLES_FROM]).as_py() + label.within_micros)
        columns = list(dict.fromkeys(("key", "known_at", "received_at", "digest", label.on, label.value)))
        schema, known = record_schema(source), Between("known_at", -FOREVER, until + 1)
        rows = self._lake.read(records_table(source), columns, known, asked["key"], key=label.on, schema=schema)
        return history(schema.empty_table() if rows is None else rows)


def _is_kept(column: str) -> bool:
    """Whether the labelled predictions keep a column of the log: who answered, and the outputs."""
    return column in LABELLED_COLUMNS or is_scored(column)


def _with_label_column(label: Label, joined: pa.Table) -> pa.Table:
    """The label in the column of its type, so that versions whose labels have different types share the table."""
    name = label.objective.label_column
    typed = joined["label"].cast(ARROW_TYPES[LABEL_COLUMNS[name]])
    return joined.set_column(joined.column_names.index("label"), name, typed)


def _inside(rows: pa.Table, between: Between) -> pa.Array:
    column = rows[between.column]
    return pc.and_(pc.greater_equal(column, between.start), pc.less(column, between.end))
