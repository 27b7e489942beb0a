"""Exploration: a declared share of rankings is shuffled, so that later versions can be judged on what was shown."""

from dataclasses import dataclass

from smallbox.define.argument_types import check_declared, check_share
from smallbox.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Exploration:
    """Shuffled rankings, with the probability of each position in the log.

    A shuffled list stays within blocks of positions: what the model ranks first to tenth may change places, and
    nothing from further down comes up.

    Attributes:
        share: the share of the groups whose list is shuffled, above 0 and up to 1.
        within: how many positions a block has. Rows of one block change places with each other.
    """

    share: float = 0.05
    within: int = 10

    def __post_init__(self) -> None:
        check_declared("Exploration", self)
        check_share("Exploration", "share", self.share)
        if self.share == 0:
            raise DefinitionError("Exploration: share=0 explores nothing; leave exploration out")
        if self.within < 2:  # noqa: PLR2004 - one row has nothing to change places with
            raise DefinitionError(f"Exploration: within={self.within} must be at least 2")
