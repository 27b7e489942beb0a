"""``serving/score``: scores a file of requests. A state machine scores the parts of a large file in parallel.

Every write is idempotent. The plan fixes the present and the versions that answer, so a part that is scored again,
alone and later, gives the same rows of the log and the same file. A file whose content has been scored is left alone.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, BinaryIO, Final

from smallbox.define.project import Project
from smallbox.error_codes import error_body, policy_of
from smallbox.errors import Conflict, SmallboxError, Unavailable
from smallbox.ingestion.file_parts import FilePart, FileSplitter, Sizes
from smallbox.ingestion.parts_folder import parts_folder_of
from smallbox.ingestion.readers import Limits
from smallbox.lake.names import predictions_table
from smallbox.lake.parquet import to_parquet_quickly
from smallbox.ports import Blobs, Lake, StoredObject, Workflow
from smallbox.registry.loader import ModelLoader
from smallbox.registry.routing import Routing
from smallbox.serving.daily_file import DailyFile
from smallbox.serving.part_scorer import Occasion, PartScorer, ScoredRows
from smallbox.serving.profiled_predictions import PredictionProfiles
from smallbox.serving.scored_file import (
    OutFolder,
    ScoredCounts,
    ScoreFolder,
    ScorePlan,
    ScoreReport,
    is_request,
    model_of,
    predictions_name,
    score_folder,
)
from smallbox.table_columns import is_scored
from smallbox.times import WEEK, Micros, asked_moment

_Document = Mapping[str, Any]
SCORE_SIZES: Final = Sizes(part=Limits(rows=100_000, bytes=32_000_000))
"""A worker scores a part of this size in some seconds and less than 600 MiB; see ``benchmarks/scoring.py``."""


class ScoreTask:
    """Scores a dropped file, or one part of it.

    Args:
        project: the models.
        lake: the records, and the prediction log.
        loader: the versions.
        inbox: holds the files, the parts of large ones, and the predictions.
        machine: scores the parts of a large file: ``part`` for each, then ``finish``; ``refuse`` when a part fails.
        sizes: sizes of batches and parts.
        profiles: of what is logged; ``None`` keeps none.
    """

    def __init__(
        self,
        project: Project,
        lake: Lake,
        loader: ModelLoader,
        inbox: Blobs,
        machine: Workflow,
        sizes: Sizes = SCORE_SIZES,
        *,
        profiles: PredictionProfiles | None = None,
    ) -> None:
        self._project = project
        self._lake = lake
        self._loader = loader
        self._inbox = inbox
        self._machine = machine
        self._scorer = PartScorer(lake, loader, sizes.batch)
        self._sizes = sizes
        self._profiles = profiles

    def take(self, key: str) -> None:
        """Score a small file, or cut a large one and start the state machine.

        A key outside ``in/``, such as an output, is ignored. A file that cannot be read to its end is not scored at
        all; its report names the error.

        Raises:
            SmallboxError: when a retry may help.
        """
        if not is_request(key):
            return
        with tempfile.TemporaryFile() as content:
            stored = self._inbox.download(key, content)
            with self._reported(key):
                self._score_or_cut(key, content, stored)

    def run(self, step: str, document: _Document, now: Micros) -> dict[str, Any]:
        """Run a step: ``part``, ``finish`` or ``refuse`` of the state machine, or ``days`` of the daily schedule.

        Args:
            step: which one.
            document: for ``days`` the models, by default all with ``score_daily``, and ``as_of``, by default ``now``.
            now: the present.
        """
        if step == "days":
            named = document.get("models") or [name for name, one in self._project.models.items() if one.score_daily]
            moment, files = asked_moment(document, now), DailyFile(self._lake, self._inbox)
            return {"days": [files.write(self._project.model(name), moment) for name in named]}
        steps = {"part": self._part, "finish": self._finish_parts, "refuse": self._refuse}
        return steps[step](document)

    def _score_or_cut(self, key: str, content: BinaryIO, stored: StoredObject) -> None:
        model, out = self._project.model(model_of(key)), OutFolder(self._inbox, key)
        if out.holds(stored.tag):
            return
        folder = score_folder(self._inbox, parts_folder_of(key, stored.tag))
        plan = folder.plan()
        if plan is None:
            routing = self._loader.routing(model.name)
            splitter = FileSplitter(key, content, self._sizes)
            parts = splitter.parts()
            first = list(islice(parts, 2))
            is_small = len(first) < 2  # noqa: PLR2004 - one part needs no other worker
            firsts = [part.first for part in first] if is_small else folder.keep(key, chain(first, parts))
            if splitter.error is not None:
                folder.remove()
                raise splitter.error
            plan = ScorePlan(key, model.name, stored.tag, stored.at, routing.as_json(), firsts)
            if is_small:
                self._score_whole(plan, out, next(iter(first), None))
                return
            out.clear()
            folder.write(plan)
        self._start(folder, plan, stored)

    def _score_whole(self, plan: ScorePlan, out: OutFolder, part: FilePart | None) -> None:
        rows = self._score(plan, part)
        out.clear()
        out.complete(ScoreReport.of(plan, [self._keep(plan, 0, rows)]))

    def _start(self, folder: ScoreFolder, plan: ScorePlan, stored: StoredObject) -> None:
        """Start the state machine; once for each upload, so that the file can be dropped again after a failure."""
        parts = [{"folder": folder.path, "number": number} for number in range(len(plan.firsts))]
        name = f"{folder.path.rpartition('/')[2]}-{stored.at}"
        self._machine.start(name, {"key": plan.key, "folder": folder.path, "parts": parts})

    def _part(self, document: _Document) -> dict[str, Any]:
        """Score one part, unless it is done."""
        folder, number = score_folder(self._inbox, document["folder"]), document["number"]
        plan = folder.plan()
        if plan is None:
            raise Conflict(f"the parts in {folder.path!r} are gone; drop the file again", folder=folder.path)
        if number not in folder.done():
            folder.report(number, self._keep(plan, number, self._score(plan, folder.part(plan, number))))
        return {"number": number}

    def _finish_parts(self, document: _Document) -> dict[str, Any]:
        """Write the report and ``_SUCCESS``, then delete the parts; nothing when that is done already."""
        folder = score_folder(self._inbox, document["folder"])
        plan = folder.plan()
        if plan is None:
            return {"key": document["key"]}
        report = ScoreReport.of(plan, folder.results(plan))
        OutFolder(self._inbox, plan.key).complete(report)
        folder.remove()
        return {"key": plan.key, "parts": report.parts, "scored": report.scored, "rejected": report.rejected}

    def _refuse(self, document: _Document) -> dict[str, Any]:
        """Write into the report that a part failed; what is done stays, for when the file is dropped again."""
        folder, key = score_folder(self._inbox, document["folder"]), document["key"]
        parts, done = len(document["parts"]), len(folder.done())
        said = (
            f"{parts - done} of {parts} parts of {key!r} could not be scored; the execution of the state machine says"
        )
        error = Unavailable(f"{said} why; drop the same file again to score only these parts", key=key)
        body = error_body(error)["error"]
        OutFolder(self._inbox, key).refuse({"error": {**body, "message": error.message}})
        return dict(document)

    def _score(self, plan: ScorePlan, part: FilePart | None) -> ScoredRows:
        occasion = Occasion(plan.key, plan.tag, plan.at, Routing(**plan.routing))
        return self._scorer.score(self._project.model(plan.model), occasion, part)

    def _keep(self, plan: ScorePlan, number: int, rows: ScoredRows) -> ScoredCounts:
        """Log the predictions and their profiles, and write those of the part beside the others of its file."""
        self._lake.append(predictions_table(plan.model), rows.log)
        if self._profiles is not None:
            self._profiles.add(plan.model, rows.log, plan.at - WEEK)
        outputs = [name for name in rows.log.column_names if is_scored(name)]
        answers = rows.log.select(["key", "time", *outputs, "version", "arm"])
        OutFolder(self._inbox, plan.key).put(predictions_name(number, len(plan.firsts)), to_parquet_quickly(answers))
        return ScoredCounts(len(answers), rows.rejected, [one.as_json() for one in rows.rejections])

    @contextmanager
    def _reported(self, key: str) -> Iterator[None]:
        """Write an error that a retry cannot fix to the report, instead of raising it."""
        try:
            yield
        except SmallboxError as error:
            if policy_of(error).delivery == "retry":
                raise
            OutFolder(self._inbox, key).refuse(error_body(error))
