"""Interleavings of a model: what is asked of them, their beginning and their looks."""

from dataclasses import dataclass, replace
from typing import Any, Final

from smallbox.errors import InvalidInput
from smallbox.objectives.objective import Objective
from smallbox.registry.routing import RunningExperiment
from smallbox.registry.signatures import label_of_version
from smallbox.release.experiment_columns import check_names_units
from smallbox.release.experiment_kinds import AskedExperiment, last_moment
from smallbox.release.experiment_request import asked_interleaving, asked_weights
from smallbox.release.interleaving_look import day_of_preference, judged_interleaving, shown_in
from smallbox.release.interleaving_record import InterleavingRecord
from smallbox.release.running_experiments import ModelExperiments
from smallbox.times import Micros

_OF_OUTCOMES: Final = (
    "outcome", "within", "covariate", "guardrails", "better", "only_measured", "on_unit", "on_key", "smallest_effect",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InterleavingExperiments:
    """The interleavings of one model: each list is made by two versions.

    Attributes:
        own: what is stored of them.
        ends: the verdicts that stop one by themselves.
    """

    own: ModelExperiments
    ends: frozenset[str] = frozenset({"better", "worse"})

    def plan(self, asked: AskedExperiment) -> dict[str, Any]:
        """There is none.

        Raises:
            InvalidInput: always, with the reason.
        """
        self._check_ranks()
        _check_no_outcome(asked)
        raise InvalidInput(
            "an interleaving has no plan: no traffic before it says how often people prefer either version; start it, "
            "its daily look says what it would take, and --max-days ends it"
        )

    def begin(self, asked: AskedExperiment) -> InterleavingRecord:
        """The record of an interleaving that begins.

        Raises:
            InvalidInput: the model does not rank, not two versions of one label, a unit that is none, or a setting of
                A/B experiments.
            DefinitionError: a setting out of its range.
            NotFound: no such version.
        """
        who, why = asked.who_and_why()
        self._check_ranks()
        _check_no_outcome(asked)
        weights = asked_weights(asked.document)
        self._check_comparable(tuple(version for version, _ in weights))
        rules = asked_interleaving(self.own.model, asked.document)
        unit = self._unit(rules.unit)
        running = RunningExperiment(asked.name_for(weights), "interleaving", weights, unit, asked.at, rules.merge)
        return InterleavingRecord(running, rules, "running", who, why)

    def looked(self, record: InterleavingRecord, as_of: Micros, *, is_kept: bool) -> InterleavingRecord:
        """The record with a look as of a moment; a look needs nothing of the one before, so it keeps nothing."""
        del is_kept
        objective = self._objective(record.running.versions[0])
        moment = last_moment(record, self.own.model.label.within_micros, as_of)
        rows = shown_in(self.own.lake, self.own.model.name, objective, record.running, moment)
        result = judged_interleaving(objective, rows, record, moment)
        before = tuple(day for day in record.days if day["as_of"] != result["as_of"])
        return replace(record, result=result, days=(*before, day_of_preference(result)))

    def _objective(self, version: int) -> Objective:
        registry = self.own.registry
        return label_of_version(registry, registry.get(self.own.model.name, version)).objective

    def _check_ranks(self) -> None:
        model = self.own.model
        if not model.objective.group:
            raise InvalidInput(
                f"model {model.name} does not rank: its label has no Ranking objective, and only ranked lists can be "
                "interleaved; compare its versions with --kind ab"
            )

    def _check_comparable(self, versions: tuple[int, ...]) -> None:
        registry, model = self.own.registry, self.own.model
        if len(versions) != 2:  # noqa: PLR2004 - a list is made of two rankings
            raise InvalidInput(f"an interleaving has exactly two versions, not {len(versions)}, like --versions 3,5")
        first, second = (label_of_version(registry, registry.get(model.name, number)) for number in versions)
        if first != second or first.objective.group != model.objective.group:
            raise InvalidInput(
                f"versions {versions[0]} and {versions[1]} do not both rank by the label of the definition, so one "
                "click is not the same credit for both; train the older one again"
            )

    def _unit(self, unit: str | None) -> str:
        fields = self.own.model.request.fields
        if not unit:
            return ""
        if unit not in fields:
            raise InvalidInput(
                f"the unit {unit!r} is no field of the request; it has {', '.join(fields)}", field="unit"
            )
        check_names_units(unit, fields[unit].type, is_personal=fields[unit].pii)
        return unit


def _check_no_outcome(asked: AskedExperiment) -> None:
    named = [name for name in _OF_OUTCOMES if asked.document.get(name)]
    if named:
        raise InvalidInput(
            f"an interleaving has no {', '.join(named)}: the label of each shown row is its credit; leave that out, or "
            "measure an outcome with --kind ab"
        )
