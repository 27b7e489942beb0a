"""The definition is changed while the champion serves and records flow: deploy, fill, train, release, roll back."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from smallbox.cli.checkout import root, state_folder
from smallbox.cli.demo.changed_definition import write_changed_checkout
from smallbox.cli.demo.probe import Probe
from smallbox.cli.replay.phases import InterludeReport, ReplayResults
from smallbox.cli.replay.recording import Timeline
from smallbox.cli.replay.stage_verdict import StageVerdict
from smallbox.cli.system import System
from smallbox.errors import Unavailable
from smallbox.times import HOUR, Micros, format_moment

_WHO: Final = "the demo"


@dataclass
class ChangeResults:
    """What was seen while the definition was changed.

    Attributes:
        answered: how many probes each version answered, by phase.
        failures: probes that got no answer, or the fallback's.
        slowest: the longest that a probe took, in seconds, by phase.
        cut_off: probes that were sent again; see :class:`~smallbox.cli.demo.probe.Probe`.
        seconds: how long each phase took.
        old: the champion's version at the start; 0: not begun.
        new: the version of the changed definition; 0: not trained.
        seconds_back: seconds from the request to roll back to the old version's first answer; ``None``: none came.
    """

    answered: dict[str, Counter[int]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)
    cut_off: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    old: int = 0
    new: int = 0
    seconds_back: float | None = None

    @property
    def asked(self) -> int:
        """The number of probes."""
        return sum(counts.total() for counts in self.answered.values())


class DefinitionChange:
    """Changes the definition of a running system, with a probe asking all the while.

    The daily review starts the canary of the new version, and decides it.

    Args:
        system: the running system.
        asked: the requests of the replay; the probe asks for those of one hour.
        say: prints a line of progress.
        model: the model.
        at: the midnight at which the definition is changed.
    """

    def __init__(self, system: System, asked: Timeline, say: Callable[[str], None], *, model: str, at: Micros) -> None:
        self._system = system
        self._model = model
        self._asked = asked
        self._say = say
        self._at = at
        self.results = ChangeResults()

    def after_day(self, midnight: Micros) -> None:
        """Change the definition, if this is the day."""
        if midnight == self._at:
            self.deploy_and_train(midnight)

    def after_replay(self, midnight: Micros) -> None:
        """Let the new version take over, and roll it back."""
        self.take_over_and_roll_back(midnight)
        self._system.drain()

    def report(self, results: ReplayResults) -> InterludeReport:
        """Whether nobody was left without an answer, and who answered in each phase."""
        del results
        seen = self.results
        rows = [
            [phase, f"{seen.seconds[phase]:.0f}", _counted(counts), f"{seen.slowest[phase] * 1000:.0f}"]
            for phase, counts in seen.answered.items()
        ]
        head = ("phase", "seconds", "answers", "slowest answer, ms")
        return InterludeReport(change_verdict(seen), seen.asked, head, rows)

    def deploy_and_train(self, now: Micros) -> None:
        """`smallbox up` with the changed definition, and a training run, as of a moment of the replay.

        Raises:
            Unavailable: if the deployment or the training failed.
        """
        self.results.old = self._system.champion(self._model) or 0
        self._watched("deploy", now, lambda: _up(write_changed_checkout(root(), state_folder() / "changed"), now))
        document = {"model": self._model, "as_of": format_moment(now), "reason": "the definition was changed"}
        run = self._watched("train", now, lambda: self._system.run("TrainingMachine", document))
        self.results.new = run["version"]

    def take_over_and_roll_back(self, now: Micros) -> None:
        """The new version takes over, by hand unless its canary has decided so, and is rolled back by one write."""
        if self._system.champion(self._model) != self.results.new:
            self._by_hand("promote", now, version=self.results.new)
        self._watched("served by the new version", now, lambda: time.sleep(1))
        self._watched("roll back", now, lambda: self._roll_back(now))

    def _due(self, now: Micros) -> Sequence[str]:
        """The requests of the hour that begins; after the last day those of the hour that ended."""
        return self._asked.between(now - 1, now + HOUR - 1) or self._asked.between(now - HOUR, now - 1)

    def _roll_back(self, now: Micros) -> None:
        self._by_hand("roll-back", now)
        time.sleep(1)

    def _by_hand(self, action: str, now: Micros, **version: int) -> None:
        document = {"model": self._model, "action": action, "as_of": format_moment(now), "who": _WHO, **version}
        self._system.release({**document, "why": "the definition was changed"})

    def _watched(self, phase: str, now: Micros, work: Callable[[], Any]) -> Any:
        began, lines = time.monotonic(), self._due(now)
        with Probe(self._system, self._model, lines, format_moment(now)) as probe:
            done = work()
            self.results.seconds[phase] = time.monotonic() - began
        results = self.results
        results.answered[phase] = probe.by_version
        results.failures += [f"{phase}: {answer.arm}" for answer in probe.failures]
        results.slowest[phase] = probe.slowest
        results.cut_off += probe.cut_off
        if phase == "roll back":
            results.seconds_back = probe.first_of(results.old)
        self._say(f"[bold]change[/] {phase}: {results.seconds[phase]:.0f} s, {_counted(probe.by_version)}")
        return done


def _up(folder: Path, now: Micros) -> None:
    """Run `smallbox up` in a checkout, with its own library and definition."""
    paths = [str(folder / f"layers/{layer}/python") for layer in ("definitions", "core")]
    command = [sys.executable, "-m", "smallbox.cli.main", "--on", "local", "up", "--as-of", format_moment(now)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    ended = subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise Unavailable(f"`smallbox up` with the changed definition failed: {ended.stderr.strip()}")


def _counted(by_version: Mapping[int, int]) -> str:
    names = {0: "the fallback", -1: "no one"}
    return ", ".join(f"{count} answers by {names.get(who, f'version {who}')}" for who, count in by_version.items())


def change_verdict(results: ChangeResults) -> StageVerdict:
    """Whether nobody was left without an answer, and both versions answered when they should."""
    took_over = set(results.answered.get("served by the new version", ())) == {results.new}
    before = set(results.answered.get("deploy", ())) | set(results.answered.get("train", ()))
    back = results.answered.get("roll back", Counter())
    said = (
        f"{results.asked} requests while the definition was changed, {len(results.failures)} without an answer of a "
        f"version; version {results.old} answered until version {results.new} took over; rolled back, version "
        f"{results.old} answered after {results.seconds_back or 0:.1f} s"
    )
    if results.cut_off:
        said += f"; {results.cut_off} cut off by the emulator were sent again"
    worked = not results.failures and took_over and before == {results.old} and results.old in back
    return StageVerdict("a changed definition", worked, said)
