"""The verdict of an experiment, in one word and one sentence."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from smallbox.release.experiment_effects import Effect, by_version, effects_of
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_sentences import breach, held_by_guardrails, ratio_mismatch, said, undecided
from smallbox.release.experiment_sums import UNIT_COUNTS
from smallbox.times import DAY, Micros, format_moment

RATIO_ERROR: Final = 0.001
"""A sample ratio below this p-value is a mismatch: by custom."""

ExperimentWord = Literal["wait", "better", "worse", "no_difference", "cannot_tell", "guardrail", "sample_ratio"]
"""``better``: a version is better than the first; ``worse``: the first is better than all others."""

ENDS: Final[frozenset[ExperimentWord]] = frozenset({"guardrail", "sample_ratio"})
"""The verdicts that stop an experiment by themselves."""


@dataclass(frozen=True, slots=True)
class ExperimentVerdict:
    """What is to be said of an experiment now.

    Attributes:
        word: in one word.
        sentence: in one sentence.
        version: the version that it is about; ``None`` where it is about none.
    """

    word: ExperimentWord
    sentence: str
    version: int | None = None


def judged_experiment(record: ExperimentRecord, as_of: Micros) -> dict[str, Any]:
    """The result of an experiment at a moment: the verdict with all that it rests on."""
    effects = effects_of(record)
    verdict = _verdict(record, effects, as_of)
    main = record.sums.outcomes[record.experiment.outcome.name]
    versions = [
        {
            "version": version,
            "weight": weight,
            **{kind: record.sums.ratios[kind].counts.get(version, 0) for kind in UNIT_COUNTS},
            "mean": main.plain[version].mean if version in main.plain else None,
        }
        for version, weight in record.running.weights
    ]
    return {
        "as_of": format_moment(as_of),
        "verdict": verdict.word,
        "sentence": verdict.sentence,
        "version": verdict.version,
        "days": round(_days(record, as_of), 2),
        "versions": versions,
        "effects": [effect.as_json() for effect in effects],
        "sample_ratio": {kind: record.sums.ratios[kind].p for kind in UNIT_COUNTS},
    }


def in_short(result: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a look for its history: the verdict, and the bounds of each effect."""
    kept = ("outcome", "version", "units", "value", "low", "high")
    effects = [{name: effect[name] for name in kept} for effect in result["effects"]]
    return {"as_of": result["as_of"], "verdict": result["verdict"], "effects": effects}


def _days(record: ExperimentRecord, as_of: Micros) -> float:
    return (as_of - record.running.since) / DAY


def _verdict(record: ExperimentRecord, effects: list[Effect], as_of: Micros) -> ExperimentVerdict:
    mismatch = next((kind for kind in UNIT_COUNTS if record.sums.ratios[kind].p < RATIO_ERROR), None)
    if mismatch is not None:
        return ExperimentVerdict("sample_ratio", ratio_mismatch(record, mismatch))
    broken = next((effect for effect in effects if effect.known == "breached"), None)
    if broken is not None:
        return ExperimentVerdict("guardrail", breach(record, broken), broken.version)
    shortest = record.experiment.min_days
    if _days(record, as_of) < shortest:
        return ExperimentVerdict("wait", f"it has run for {_days(record, as_of):.1f} of at least {shortest} days")
    return _of_main(record, effects, as_of)


def _of_main(record: ExperimentRecord, effects: list[Effect], as_of: Micros) -> ExperimentVerdict:
    first, found = record.running.versions[0], by_version(effects, record.experiment.outcome)
    better = sorted(
        (main for main, _ in found.values() if main.known == "better"), key=lambda one: -abs(one.difference.value)
    )
    for main in better:
        open_ = [one for one in found[main.version][1] if one.known != "within"]
        if not open_:
            sentence = f"{said(record, main)}; stop the experiment and promote it"
            return ExperimentVerdict("better", sentence, main.version)
    if better:
        return ExperimentVerdict(
            "cannot_tell", held_by_guardrails(record, better[0], found[better[0].version][1]), better[0].version
        )
    mains = [main for main, _ in found.values()]
    if all(main.known == "worse" for main in mains):
        return ExperimentVerdict("worse", f"{'; '.join(said(record, main) for main in mains)}", first)
    if all(main.known in {"worse", "no_difference"} for main in mains):
        return ExperimentVerdict("no_difference", "; ".join(said(record, main) for main in mains))
    open_main = next(main for main in mains if main.known in {"cannot_tell", "too_few"})
    return ExperimentVerdict("cannot_tell", undecided(record, open_main, as_of), open_main.version)
