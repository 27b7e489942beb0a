"""The definition of an interleaving: how two rankings become one list, what counts of it, and when it is decided."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from smallbox.define.argument_types import check_declared
from smallbox.errors import DefinitionError

Merge = Literal["team_draft", "balanced"]
"""How an interleaving makes one list of two rankings; see :mod:`smallbox.serving.interleave`."""

CountedPairs = Literal["all", "competitive"]
"""What counts of a team draft: all rounds; or those in which the two rankings would have picked different rows."""

_CHOICES: Final = {"merge": get_args(Merge), "pairs": get_args(CountedPairs)}


@dataclass(frozen=True, slots=True)
class Interleaving:
    """An interleaving: two versions make each list together, and people's clicks prefer one of them.

    The versions and their shares are named when it is started, by ``smallbox experiment start``. The label of each
    shown row is its credit, so there is no outcome.

    Attributes:
        unit: the request field that is assigned and counted, like a user; ``None``: the list.
        merge: how a list is made.
        pairs: what counts of a list that was made by team draft. In a round that is not competitive the coin alone
            decides who has the credit. Without these rounds fewer units are needed, and units that clicked in no
            competitive round count 0.
        min_days: no verdict before this many days; whole weeks see every weekday.
        max_days: one that has no verdict by then is stopped.
        confidence: 1 minus the probability that two equally good rankings are ever told apart.
    """

    unit: str | None = None
    merge: Merge = "team_draft"
    pairs: CountedPairs = "all"
    min_days: int = 7
    max_days: int = 28
    confidence: float = 0.95

    def __post_init__(self) -> None:
        check_declared("Interleaving", self)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise DefinitionError(
                    f"Interleaving: {name}={getattr(self, name)!r} must be one of {', '.join(choices)}"
                )
        if self.merge == "balanced" and self.pairs == "competitive":
            raise DefinitionError('Interleaving: pairs="competitive" is of a team draft; a balanced list has no rounds')
        if not 1 <= self.min_days <= self.max_days:
            raise DefinitionError(
                f"Interleaving: min_days={self.min_days} must be at least 1, and at most max_days={self.max_days}"
            )
        if not 0.5 < self.confidence < 1:  # noqa: PLR2004 - 0.5 is a coin flip
            raise DefinitionError(f"Interleaving: confidence={self.confidence} must lie between 0.5 and 1")
