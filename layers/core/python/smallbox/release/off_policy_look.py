"""What a version would have earned, judged on the shuffled lists of the champion: ``smallbox release off-policy``."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Floats
from smallbox.define.project import Project
from smallbox.errors import Conflict, InvalidInput
from smallbox.labels.explored import judge_off_policy
from smallbox.labels.interleaved import interleaved_columns
from smallbox.lake.names import labelled_table
from smallbox.lake.schemas import labelled_schema
from smallbox.objectives.objective import Objective
from smallbox.ports import Lake
from smallbox.registry.loader import ModelLoader
from smallbox.registry.store import Registry
from smallbox.release.looks import USUAL_DAYS
from smallbox.release.shadow_rows import ShadowRows, started_in
from smallbox.release.shadow_scoring import ShadowScorer
from smallbox.times import DAY, Micros, asked_moment


class OffPolicyTask:
    """Judges a version on lists that it did not order; it need not be in a release."""

    def __init__(self, project: Project, lake: Lake, registry: Registry, loader: ModelLoader) -> None:
        self._project = project
        self._lake = lake
        self._registry = registry
        self._scorer = ShadowScorer(lake, loader)

    def run(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Judge ``document["version"]`` on the lists of the last ``document["days"]`` days.

        Raises:
            InvalidInput: the model explores nothing, no version is named, or ``days`` is not at least 1.
            NotFound: no such model or version.
            Conflict: the model has no champion yet, or the version is the champion.
            NotReady: the version cannot be loaded.
        """
        model, at = self._project.model(document["model"]), asked_moment(document, now)
        days, number = int(document.get("days") or USUAL_DAYS), document.get("version")
        if model.exploration is None:
            raise InvalidInput(
                f"{model.name} shuffles no list; declare Model(exploration=Exploration(share=0.05)) and wait for labels"
            )
        if number is None or days < 1:
            raise InvalidInput("name the version to judge, and at least 1 day")
        version, routing = self._registry.get(model.name, number), self._registry.routing(model.name)
        if routing is None or number == routing.champion:
            raise Conflict(f"version {number} is judged against a champion, and there is no other one")
        rows = self._lists(model.name, model.objective, routing.champion, at - days * DAY, at)
        kept, scores = self._scored(model.name, version.number, rows, at)
        found = judge_off_policy(model.objective, kept, scores, model.exploration.within)
        return {
            "model": model.name,
            "version": number,
            "champion": routing.champion,
            "days": days,
            "lists": found.lists,
            "incomplete": found.incomplete,
            "effective": round(found.judged.effective, 1),
            "verdict": found.judged.verdict,
            "refused": list(found.judged.refused),
            "gains": {name: asdict(gain) for name, gain in found.judged.gains.items()},
            "sentence": found.judged.sentence(f"version {number}", f"version {routing.champion}"),
        }

    def _lists(self, model: str, objective: Objective, champion: int, start: Micros, end: Micros) -> pa.Table:
        """The champion's rows of these days, with and without a label."""
        columns, schema = interleaved_columns(objective), labelled_schema(objective)
        rows = self._lake.read(labelled_table(model), columns, started_in(start, end), schema=schema)
        if rows is None:
            return schema.empty_table().select(columns)
        return rows.filter(pc.and_(pc.equal(rows["version"], champion), pc.is_null(rows["interleaving"])))

    def _scored(self, model: str, number: int, rows: pa.Table, now: Micros) -> tuple[pa.Table, Floats]:
        """The rows that the version can score, and its scores."""
        if not rows.num_rows:
            return rows, np.empty(0)
        logged = ShadowRows(self._lake, rows.num_rows).logged(model, rows)
        found = self._scorer.score(model, number, logged, now)
        at = pc.index_in(rows["id"].combine_chunks(), value_set=found.rows["id"].combine_chunks())
        known = pc.is_valid(at)
        return rows.filter(known), found.outputs[at.filter(known).to_numpy(), 0]
