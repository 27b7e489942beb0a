"""A prediction request on its way through serving, or the part of it that one version answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from smallbox.define.model import Model
from smallbox.records import Channel
from smallbox.serving.logged_answers import Asked
from smallbox.serving.steps import UNMEASURED, Steps
from smallbox.times import Micros, Moment


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What was asked of a model.

    Attributes:
        model: the deployed definition.
        raws: the instances as they were sent.
        instances: the same, validated.
        rows: their positions in the whole request.
        moment: the moment of the features.
        now: the present.
        version: the version that the caller names; ``None`` leaves it to the routing.
        fresh: whether nothing that is remembered may be used.
        steps: measures what each step takes, when somebody asks.
        is_ranked: whether the instances are candidates of one group, to be answered as an ordered list.
    """

    model: Model
    raws: Sequence[Any]
    instances: Sequence[Mapping[str, Any]]
    rows: Sequence[int]
    moment: Moment
    now: Micros
    version: int | None = None
    fresh: bool = False
    steps: Steps = UNMEASURED
    is_ranked: bool = False

    @property
    def may_remember(self) -> bool:
        """Whether remembered states, routings and answers may be used; a replay expects what was written just now."""
        return not (self.fresh or self.moment.is_replayed)

    def part(self, rows: Sequence[int]) -> "PredictRequest":
        """The part with some of the rows."""
        if len(rows) == len(self.rows):
            return self
        raws, instances = ([values[row] for row in rows] for values in (self.raws, self.instances))
        return replace(self, raws=raws, instances=instances, rows=rows)

    def asked(self, batch: str, as_of: Micros | None = None) -> Asked:
        """The instances, with the ids that they have in the whole request; ``as_of`` is that of their inputs."""
        moments = np.full(len(self.rows), self.moment.at if as_of is None else as_of, np.int64)
        channel: Channel = "online" if self.version is None else "pinned"
        return Asked(self.instances, [f"{batch}-{row}" for row in self.rows], moments, self.now, channel)
