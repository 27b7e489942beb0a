"""Whether every stage did its work: what the demonstration's exit code says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smallbox.cli.demo.evidence import Evidence
from smallbox.cli.demo.story import Story

_COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a stage did its work, and by what one can tell."""

    stage: str
    worked: bool
    evidence: str


def verdicts_of(story: Story, evidence: Evidence, asked: int, rang: Sequence[str], dead: int) -> list[Verdict]:
    """One verdict a stage.

    Args:
        story: what was done.
        evidence: what it left behind.
        asked: how many flights there were to predict.
        rang: the breach alarms that rang.
        dead: messages in dead-letter queues.
    """
    return [
        _ingestion(story, dead),
        _features(evidence),
        _training(story),
        _registry(evidence),
        _release(story, evidence),
        _serving(story, evidence, asked),
        _feedback(evidence),
        _monitoring(story, rang),
        _retraining(story),
    ]


def _ingestion(story: Story, dead: int) -> Verdict:
    dropped = sum(drop["accepted"] for drop in story.drops)
    refused = sum(drop["rejected"] for drop in story.drops) + story.counts.rejected
    sent = story.counts.sent
    said = f"{dropped:,} records from files, {sent:,} over HTTPS, {refused} in quarantine, {dead} dead letters"
    return Verdict("ingestion", dropped > 0 and sent > 0 and not dead, said)


def _features(evidence: Evidence) -> Verdict:
    said = f"{evidence.served:,} values served, {evidence.unequal} unlike their batch recomputation; "
    said += f"scores recomputed from it differ by at most {evidence.largest_score_gap:.0e}"
    return Verdict("features", evidence.served > 0 and not evidence.unequal, said)


def _training(story: Story) -> Verdict:
    runs = [story.first_training, *story.counts.trainings]
    gap = max(run["parity"]["largest"] for run in runs)
    return Verdict("training", len(runs) > 0, f"{len(runs)} runs, ONNX within {gap:.0e} of scikit-learn")


def _registry(evidence: Evidence) -> Verdict:
    by_status: dict[str, list[int]] = {}
    for version in evidence.versions:
        by_status.setdefault(version["status"], []).append(version["number"])
    said = ", ".join(f"{status} {', '.join(map(str, numbers))}" for status, numbers in by_status.items())
    return Verdict("registry", len(by_status.get("champion", ())) == 1, f"versions: {said}")


def _release(story: Story, evidence: Evidence) -> Verdict:
    started = {e["version"] for e in evidence.history if e["event"] == "challenger"}
    ended = [e for e in evidence.history if e["event"] in {"promote", "roll_back", "undecided"}]
    running = started - {e["version"] for e in ended}
    waiting = {version["number"] for version in evidence.versions if version["status"] == "registered"}
    accepted = {run["version"] for run in story.counts.trainings if run["accepted"]}
    lost = accepted - started - waiting - {e["version"] for e in ended}
    said = f"{len(started)} canaries, {len(started) - len(running)} decided, {len(waiting)} waiting"
    if ended:
        said += f"; the last: {ended[-1]['event']}, {ended[-1]['why']}"
    return Verdict("release", not lost and len(running) <= 1, said)


def _serving(story: Story, evidence: Evidence, asked: int) -> Verdict:
    said = f"{evidence.predictions:,} of {asked:,} flights predicted over HTTPS, {story.scored['scored']:,} from a file"
    return Verdict("serving", evidence.predictions == asked and story.scored["scored"] > 0, said)


def _feedback(evidence: Evidence) -> Verdict:
    ended = evidence.labels + evidence.statuses.get("unlabelled", 0)
    coverage = evidence.labels / ended if ended else 0.0
    return Verdict("feedback", coverage >= _COVERAGE, f"{evidence.labels:,} labels joined, coverage {coverage:.1%}")


def _monitoring(story: Story, rang: Sequence[str]) -> Verdict:
    days: Sequence[Mapping[str, Any]] = story.counts.days
    breached = {kind for day in days for kind, count in day["breaches"].items() if count}
    kinds, alarms = ", ".join(sorted(breached)) or "nothing", ", ".join(rang) or "none"
    said = f"{len(days)} days checked; breached: {kinds}; alarms that rang: {alarms}"
    return Verdict("monitoring", len(days) > 0 and breached == set(rang), said)


def _retraining(story: Story) -> Verdict:
    decisions = [day["retraining"] for day in story.counts.days]
    started = [decision for decision in decisions if decision["train"]]
    why = f"; the last: {started[-1]['why']}" if started else ""
    said = f"{len(decisions)} decisions, {len(started)} to train{why}"
    return Verdict("retraining", bool(decisions) and all(decision["why"] for decision in decisions), said)
