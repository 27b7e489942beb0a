"""What the experiments of every kind have in common: what a person asks, and what a kind adds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from smallbox.errors import InvalidInput
from smallbox.release.experiment_record import KeptExperiment
from smallbox.times import DAY, Micros, day_of


@dataclass(frozen=True, slots=True)
class AskedExperiment:
    """What a person asks of an experiment.

    Attributes:
        document: what the command line sent.
        now: the present.
        at: the moment that is asked about.
    """

    document: Mapping[str, Any]
    now: Micros
    at: Micros

    def who_and_why(self) -> tuple[str, str]:
        """Who changes the experiment, and the reason.

        Raises:
            InvalidInput: when either is missing.
        """
        who, why = (str(self.document.get(name) or "").strip() for name in ("who", "why"))
        if not who or not why:
            raise InvalidInput("say who changes the experiment and why; the history keeps both")
        return who, why

    def name_for(self, weights: tuple[tuple[int, float], ...]) -> str:
        """The asked name of a new experiment; else the day and the versions."""
        given = self.document.get("name")
        return str(given or "-".join((day_of(self.at), *(str(version) for version, _ in weights))))


def last_moment(record: KeptExperiment, within: Micros, as_of: Micros) -> Micros:
    """The moment of a look, but none after which an experiment learns anything: a look costs a day for each day.

    Args:
        record: the experiment.
        within: the longest window of what it measures.
        as_of: the moment that is asked about; in a replay the present may be years later.
    """
    return min(as_of, record.running.since + record.max_days * DAY + within)


Kept = TypeVar("Kept", bound=KeptExperiment)


class KindOfExperiment(Protocol[Kept]):
    """What a kind of experiment adds to start, look and stop."""

    @property
    def ends(self) -> frozenset[str]:
        """The verdicts that stop an experiment by themselves."""

    def plan(self, asked: AskedExperiment) -> dict[str, Any]:
        """How long an experiment would take."""

    def begin(self, asked: AskedExperiment) -> Kept:
        """The record of an experiment that begins; nothing is written."""

    def looked(self, record: Kept, as_of: Micros, *, is_kept: bool) -> Kept:
        """The record with a look as of a moment; with ``is_kept`` what the next look needs is written."""
