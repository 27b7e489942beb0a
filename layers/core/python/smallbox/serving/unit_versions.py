"""The version of an experiment that a unit is assigned to, for who analyses it."""

from smallbox.registry.routing import Routing, RunningExperiment
from smallbox.serving.sticky_assignment import arm_of


def version_of_unit(running: RunningExperiment, unit: str) -> int | None:
    """The version that answers a unit; ``None`` when it is outside the experiment.

    >>> version_of_unit(RunningExperiment("prices", "ab", ((3, 0.5), (5, 0.5))), "ada") in {3, 5}
    True
    """
    arm, version = arm_of(Routing(champion=0, experiment=running), unit)
    return version if arm == "experiment" else None
