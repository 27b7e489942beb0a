"""Verdicts on whether every stage worked; they decide the exit code of a replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smallbox.cli.replay.evidence import Evidence
from smallbox.cli.replay.phases import ReplayResults
from smallbox.cli.replay.stage_verdict import StageVerdict
from smallbox.define.model import Model
from smallbox.labels.join import ASKED_LATE, PENDING, UNLABELLED


@dataclass(frozen=True, slots=True)
class Alarms:
    """The state of the system's alarms and dead-letter queues.

    Attributes:
        before: whether the alarm of the model's incidents had gone off before the replay.
        rang: whether it has gone off by its end.
        dead: the number of messages in dead-letter queues.
    """

    before: bool
    rang: bool
    dead: int


def verdicts_of(
    model: Model, results: ReplayResults, evidence: Evidence, asked: int, alarms: Alarms
) -> list[StageVerdict]:
    """One verdict per stage.

    Args:
        model: the model; its monitoring rules give the minimum label coverage.
        results: the results of each phase.
        evidence: the results read back.
        asked: the number of requests to predict, without those of the interludes.
        alarms: the alarms that went off, and dead letters.
    """
    asked += sum(interlude.asked for interlude in results.interludes)
    return [
        _ingestion(results, alarms.dead),
        _features(evidence),
        _training(results),
        _registry(evidence),
        _release(results, evidence),
        _serving(results, evidence, asked),
        _feedback(evidence, model.monitor.min_coverage),
        _monitoring(results, alarms),
        _retraining(results),
        *(interlude.verdict for interlude in results.interludes),
    ]


def _ingestion(results: ReplayResults, dead: int) -> StageVerdict:
    dropped = sum(drop["accepted"] for drop in results.drops)
    refused = sum(drop["rejected"] for drop in results.drops) + results.history_rejected + results.counts.rejected
    sent = results.history_sent + results.counts.sent
    said = f"{dropped:,} records from files, {sent:,} over HTTPS, {refused:,} in quarantine, {dead} dead letters"
    return StageVerdict("ingestion", sent > 0 and not dead, said)


def _features(evidence: Evidence) -> StageVerdict:
    said = f"{evidence.served:,} values served, {evidence.unequal} unlike their batch recomputation; "
    said += f"outputs recomputed from it differ by at most {evidence.largest_gap:.0e}"
    return StageVerdict("features", evidence.served > 0 and not evidence.unequal, said)


def _training(results: ReplayResults) -> StageVerdict:
    runs, failures = [results.first_training, *results.counts.trainings], results.counts.failures
    gap = max(run["parity"]["largest"] for run in runs)
    failed = f"; {len(failures)} failed, the last: {failures[-1]}" if failures else ""
    return StageVerdict("training", not failures, f"{len(runs)} runs, ONNX within {gap:.0e} of scikit-learn{failed}")


def _registry(evidence: Evidence) -> StageVerdict:
    by_status: dict[str, list[int]] = {}
    for version in evidence.versions:
        by_status.setdefault(version["status"], []).append(version["number"])
    said = ", ".join(f"{status} {', '.join(map(str, numbers))}" for status, numbers in by_status.items())
    return StageVerdict("registry", len(by_status.get("champion", ())) == 1, f"versions: {said}")


def _release(results: ReplayResults, evidence: Evidence) -> StageVerdict:
    """Works if each accepted version was released, waits or is undecided, and no other was released automatically."""
    started = {e["version"]: "who" in e for e in evidence.history if e["event"] in {"shadow", "challenger"}}
    ended = [e for e in evidence.history if e["event"] in {"promote", "roll_back", "undecided"}]
    running = set(started) - {e["version"] for e in ended}
    passed = {v["number"] for v in evidence.versions if v.get("verdict", {}).get("accepted")}
    unasked = {version for version, by_hand in started.items() if not by_hand} - passed
    waiting = {v["number"] for v in evidence.versions if v["status"] == "registered"}
    accepted = {run["version"] for run in results.counts.trainings if run["accepted"]}
    lost = accepted - set(started) - waiting - {e["version"] for e in ended}
    said = f"releases: {len(started)} begun, {len(started) - len(running)} decided; versions waiting: {len(waiting)}"
    if ended:
        said += f"; the last: {ended[-1]['event']}, {ended[-1]['why']}"
    return StageVerdict("release", not lost and not unasked and len(running) <= 1, said)


def _serving(results: ReplayResults, evidence: Evidence, asked: int) -> StageVerdict:
    scored = results.scored.get("scored", 0)
    said = f"{evidence.predictions:,} of {asked:,} requests predicted over HTTPS, {scored:,} from a file"
    return StageVerdict("serving", evidence.predictions == asked and (scored > 0 or not results.scored), said)


def _feedback(evidence: Evidence, least: float) -> StageVerdict:
    counts = evidence.statuses
    ended = evidence.labels + counts.get(UNLABELLED, 0)
    late = f", {counts[ASKED_LATE]:,} asked when the outcome was known" if ASKED_LATE in counts else ""
    if not ended:
        said = f"no prediction has a label yet: {counts.get(PENDING, 0):,} wait for theirs{late}"
        return StageVerdict("feedback", counts.get("absent", 0) == 0, said)
    coverage = evidence.labels / ended
    waiting = f", {counts[PENDING]:,} still wait for theirs" if PENDING in counts else ""
    said = f"{evidence.labels:,} labels joined, coverage {coverage:.1%}{waiting}{late}"
    return StageVerdict("feedback", coverage >= least, said)


def _monitoring(results: ReplayResults, alarms: Alarms) -> StageVerdict:
    days: Sequence[Mapping[str, Any]] = results.counts.days
    opened = {one["id"]: one["sentence"] for day in days for one in day["incidents"] if one["opened"] == day["day"]}
    told = ", ".join(opened) or "none"
    said = f"{len(days)} days checked; incidents opened: {told}; their alarm {'rang' if alarms.rang else 'is silent'}"
    # an incident of an earlier replay may have rung before
    has_rung = alarms.rang == bool(opened) or (alarms.rang and alarms.before)
    return StageVerdict("monitoring", len(days) > 0 and has_rung, said)


def _retraining(results: ReplayResults) -> StageVerdict:
    decisions = [day["retraining"] for day in results.counts.days]
    started = [decision for decision in decisions if decision["train"]]
    why = f"; the last: {started[-1]['why']}" if started else ""
    said = f"{len(decisions)} decisions, {len(started)} to train{why}"
    return StageVerdict("retraining", bool(decisions) and all(decision["why"] for decision in decisions), said)
