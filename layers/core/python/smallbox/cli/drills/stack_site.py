"""The drills' system as a deployed local stack, driven from outside."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import pandas as pd

from smallbox.cli.data import drop
from smallbox.cli.drills.rung import opened_rung, releases_of, rung_of
from smallbox.cli.drills.senders import moment_texts
from smallbox.cli.drills.site import AlarmName, BrokenPart, Rung
from smallbox.cli.drills.stack_damage import (
    look_at_freshness,
    send_poison,
    spoil_model_files,
    start_bad_candidate,
    stop_worker,
)
from smallbox.cli.models import close_day
from smallbox.cli.replay.recording import as_line
from smallbox.cli.system import ALL_QUEUES, FEATURE_QUEUES, System
from smallbox.errors import NotReady
from smallbox.times import DAY, Micros, day_of, format_moment

_FEATURES: Final = "FeaturesQueue"
_LOG: Final = "PredictionsQueue"


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
        return releases_of(self._system.request("GET", f"/models/{self._model}/history")["history"])

    def look(self, now: Micros) -> Sequence[Rung]:
        """Run the hourly function, and read the incidents."""
        look_at_freshness(self._system, now)
        found = self._system.request("GET", f"/models/{self._model}/incidents")["incidents"]
        return [opened_rung(one) for one in found if one["state"] != "closed"]

    def alarms(self) -> Sequence[AlarmName]:
        """The alarms that ring. The emulator publishes no figures of queues, so their messages are counted instead."""
        ringing = [name for name, state in self._system.alarms().items() if state == "ALARM"]
        found: list[AlarmName] = [one for one in get_args(AlarmName) if any(one in name for name in ringing)]
        if self._system.dead_letters():
            found.append("Dead")
        if any(map(self._system.waiting, self._undrained)):
            found.append("Waiting")
        return found

    def damage(self, part: BrokenPart, now: Micros) -> None:
        """Break one of the parts of :data:`STACK_PARTS`."""
        self.damages(now)[part]()

    def damages(self, now: Micros) -> Mapping[BrokenPart, Callable[[], None]]:
        """How each of these parts is broken."""
        return {
            "model file": lambda: spoil_model_files(self._system),
            "poison message": lambda: send_poison(self._system),
            "dead worker": lambda: self._stop(_FEATURES),
            "log worker": lambda: self._stop(_LOG),
            "bad candidate": lambda: start_bad_candidate(self._system, self._model, now),
        }

    def _stop(self, queue: str) -> None:
        stop_worker(self._system, queue)
        self._undrained = (queue,)

    def _drain(self, queues: Sequence[str]) -> None:
        self._system.drain([queue for queue in queues if queue not in self._undrained])


def record_lines(rows: pd.DataFrame) -> list[str]:
    """Records as JSON texts; a missing number is null."""
    found = moment_texts(rows).to_dict("records")
    return [as_line({str(n): None if v != v else v for n, v in one.items()}) for one in found]  # noqa: PLR0124
