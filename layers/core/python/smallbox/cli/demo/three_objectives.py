"""The three models of the flights side by side: two more are trained, asked, scored as a file and labelled once."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow.compute as pc

from smallbox.cli.replay.evidence import lake_of
from smallbox.cli.replay.phases import InterludeReport, ReplayResults, score_lines, training_sentence
from smallbox.cli.replay.recording import Timeline
from smallbox.cli.replay.stage_verdict import StageVerdict
from smallbox.cli.system import FEATURE_QUEUES, System
from smallbox.labels.join import LABELLED
from smallbox.lake.names import labelled_table
from smallbox.times import DAY, HOUR, Micros, format_moment

_HEAD: Final = ("model", "rows trained", "loss", "of the baseline", "figures", "an answer", "rows of a file", "labels")


@dataclass
class ModelRound:
    """One model's way round the loop.

    Attributes:
        training: the document of its training run.
        answers: its answers over HTTPS.
        tensors: its output tensors by the inference protocol.
        scored: the number of rows that were scored in a file.
        labels: the number of its predictions that have a label.
    """

    training: Mapping[str, Any] = field(default_factory=dict)
    answers: list[Mapping[str, Any]] = field(default_factory=list)
    tensors: Sequence[Mapping[str, Any]] = ()
    scored: int = 0
    labels: int = 0

    @property
    def worked(self) -> bool:
        """Whether its version was accepted, answered every request, scored a file and got labels."""
        are_its_own = all(answer["version"] >= 1 for answer in self.answers)
        is_asked = bool(self.answers and self.tensors) and are_its_own
        return bool(self.training.get("accepted")) and is_asked and self.scored > 0 and self.labels > 0


class ThreeObjectives:
    """Sends models that share their features with the replayed one round the loop, once.

    Args:
        system: the running system.
        asked: the requests of the replay.
        say: prints a line of progress.
        model: the replayed model.
        others: the models that are not replayed.
        at: the midnight at which they are trained. All are asked then and a day later; two days later windows of the
            first answers are over.
    """

    def __init__(
        self,
        system: System,
        asked: Timeline,
        say: Callable[[str], None],
        *,
        model: str,
        others: Sequence[str],
        at: Micros,
    ) -> None:
        self._system = system
        self._asked = asked
        self._say = say
        self._model = model
        self._others = others
        self._at = at
        self.rounds = {name: ModelRound() for name in (model, *others)}

    def after_day(self, midnight: Micros) -> None:
        """Train and ask, if this is the day; ask again a day later."""
        if midnight == self._at:
            self.train(midnight)
        if midnight in {self._at, self._at + DAY}:
            self.ask(midnight)

    def after_replay(self, midnight: Micros) -> None:
        """Score the last day as a file, and join the labels."""
        self.score_and_join(midnight)

    def report(self, results: ReplayResults) -> InterludeReport:
        """Each model's figures, an answer of each, and whether each went round."""
        replayed = self.rounds[self._model]
        replayed.training, replayed.scored = results.first_training, results.scored.get("scored", 0)
        return InterludeReport(rounds_verdict(self.rounds), len(replayed.answers), _HEAD, rounds_table(self.rounds))

    def train(self, now: Micros) -> None:
        """Train the other models at the same time, as of a moment."""
        document = {"as_of": format_moment(now), "reason": "the first version"}
        for name, run in self._together("TrainingMachine", document).items():
            self.rounds[name].training = run
            self._say(training_sentence(run))

    def ask(self, now: Micros) -> None:
        """Ask every model about the flights of the hour that begins, and about one by the inference protocol."""
        self._system.drain(FEATURE_QUEUES)
        lines = self._asked.between(now - 1, now + HOUR - 1) or self._asked.between(now - HOUR - 1, now - 1)
        for name, one in self.rounds.items():
            one.answers += self._system.predict(name, lines, format_moment(now))
            one.tensors = self._system.infer(name, lines[0])

    def score_and_join(self, now: Micros) -> None:
        """Score the requests of the day that ends as a file by the other models, and close their day."""
        lines = self._asked.between(now - DAY - 1, now - 1)
        for name in self._others:
            self.rounds[name].scored = score_lines(self._system, name, lines)["scored"]
        self._system.drain()
        self._together("DailyMachine", {"as_of": format_moment(now)})
        for name, one in self.rounds.items():
            one.labels = self._labels(name)

    def _together(self, machine: str, document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        started = {name: self._system.start(machine, {"model": name, **document}) for name in self._others}
        return {name: self._system.wait_for_execution(arn) for name, arn in started.items()}

    def _labels(self, model: str) -> int:
        labelled = lake_of(self._system).read(labelled_table(model), ["status"])
        return 0 if labelled is None else int(pc.sum(pc.equal(labelled["status"], LABELLED)).as_py() or 0)


def rounds_verdict(rounds: Mapping[str, ModelRound]) -> StageVerdict:
    """Whether every model went round; a refused one with its reason."""
    asked, scored, labels = (
        ", ".join(str(count(one)) for one in rounds.values())
        for count in (lambda one: len(one.answers), lambda one: one.scored, lambda one: one.labels)
    )
    refused = [
        f"; {name} was not accepted: {one.training['verdict']['why']}"
        for name, one in rounds.items()
        if one.training and not one.training["accepted"]
    ]
    said = f"{', '.join(rounds)}: {asked} answers to requests, {scored} rows of a file, {labels} labels joined"
    worked = all(one.worked for one in rounds.values())
    return StageVerdict("three objectives", worked, said + "".join(refused))


def rounds_table(rounds: Mapping[str, ModelRound]) -> list[list[str]]:
    """A row of the table for each model that has been trained."""
    return [_row(name, one) for name, one in rounds.items() if one.training]


def _row(name: str, one: ModelRound) -> list[str]:
    counts, metrics, baseline = (one.training[part] for part in ("counts", "metrics", "baseline"))
    figures = ", ".join(f"{figure} {_short(metric['value'])}" for figure, metric in metrics["figures"].items())
    trained = counts["fitted"] + counts["calibrated"]
    losses = (f"{metrics['loss']['value']:.4g}", f"{baseline['loss']:.4g}")
    return [name, f"{trained:,}", *losses, figures, _answer(one.answers), f"{one.scored:,}", f"{one.labels:,}"]


def _answer(answers: Sequence[Mapping[str, Any]]) -> str:
    """The first answer, without the keys that say who answered."""
    if not answers:
        return "-"
    said = {key: answers[0][key] for key in ("score", "class", "quantiles") if key in answers[0]}
    return json.dumps(json.loads(json.dumps(said), parse_float=lambda digits: float(_short(float(digits)))))


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
