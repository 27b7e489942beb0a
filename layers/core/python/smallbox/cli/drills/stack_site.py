"""The drills' system as a deployed local stack, driven from outside."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from smallbox.cli.data import drop
from smallbox.cli.drills.rung import rung_of
from smallbox.cli.drills.senders import moment_texts
from smallbox.cli.drills.site import BrokenPart, Rung
from smallbox.cli.drills.stack_damage import send_poison, spoil_model_files, start_bad_candidate, stop_worker
from smallbox.cli.models import close_day
from smallbox.cli.replay.recording import as_line
from smallbox.cli.system import ALL_QUEUES, FEATURE_QUEUES, System
from smallbox.errors import InvalidInput, NotReady
from smallbox.times import DAY, Micros, day_of, format_moment

_FEATURES: Final = "FeaturesQueue"


class StackSite:
    """A :class:`~smallbox.cli.drills.site.DrillSite` over the command line's client of a running stack.

    Args:
        system: the stack, as the account's root, who may break it.
        model: the model's name.
    """

    def __init__(self, system: System, model: str) -> None:
        self._system = system
        self._model = model
        self._is_behind = False
        self._undrained: tuple[str, ...] = ()

    def drop(self, source: str, rows: pd.DataFrame, as_of: Micros) -> None:
        """Load a file of records."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{source}.parquet"
            rows.drop(columns="at").to_parquet(file, index=False)
            drop(self._system, source, file, format_moment(as_of))

    def train(self, as_of: Micros) -> None:
        """Train the first version."""
        document = {"model": self._model, "as_of": format_moment(as_of), "reason": "the first version"}
        run = self._system.run("TrainingMachine", document)
        if not self._system.champion(self._model):
            raise NotReady(run["verdict"]["why"])

    def send(self, source: str, rows: pd.DataFrame, as_of: Micros) -> None:
        """Send records; the next prediction waits until they are applied."""
        self._system.send(source, record_lines(rows), format_moment(as_of))
        self._is_behind = True

    def predict(self, rows: pd.DataFrame, as_of: Micros) -> Sequence[Mapping[str, Any]]:
        """The answers to requests."""
        if self._is_behind:
            self._drain(FEATURE_QUEUES)
            self._is_behind = False
        return self._system.predict(self._model, record_lines(rows), format_moment(as_of))

    def close_day(self, midnight: Micros) -> Sequence[Rung]:
        """Run the daily machine, and read its report."""
        self._drain(ALL_QUEUES)
        self._is_behind = True
        close_day(self._system, self._model, format_moment(midnight))
        report = self._system.request("GET", f"/models/{self._model}/metrics/{day_of(midnight - DAY)}")
        return rung_of(report)

    def releases(self) -> Sequence[str]:
        """The events of the model's history."""
        history = self._system.request("GET", f"/models/{self._model}/history")["history"]
        return [event["event"] for event in history]

    def alarms(self) -> Sequence[str]:
        """The symptoms that ring. The emulator publishes no figures of queues, so dead letters are counted instead."""
        ringing = [name.lower() for name, state in self._system.alarms().items() if state == "ALARM"]
        fallbacks = ["fallback answers"] * any("fallback" in name for name in ringing)
        return ["dead letters"] * bool(self._system.dead_letters()) + fallbacks

    def damage(self, part: BrokenPart, now: Micros) -> None:
        """Break a part; the emulator's tables can be neither slowed nor throttled."""
        damages: Mapping[BrokenPart, Callable[[], None]] = {
            "model file": lambda: spoil_model_files(self._system),
            "poison message": lambda: send_poison(self._system),
            "dead worker": self._stop_features,
            "bad candidate": lambda: start_bad_candidate(self._system, self._model, now),
        }
        if part not in damages:
            raise InvalidInput(f"a {part} cannot be made on the local stack; the tests run this drill in one process")
        damages[part]()

    def _stop_features(self) -> None:
        stop_worker(self._system, _FEATURES)
        self._undrained = (_FEATURES,)

    def _drain(self, queues: Sequence[str]) -> None:
        self._system.drain([queue for queue in queues if queue not in self._undrained])


def record_lines(rows: pd.DataFrame) -> list[str]:
    """Records as JSON texts; a missing number is null."""
    found = moment_texts(rows).to_dict("records")
    return [as_line({str(n): None if v != v else v for n, v in one.items()}) for one in found]  # noqa: PLR0124
