"""The numbers of a settled day's labels that a change is found in: the labels, the loss, and the prediction bias."""

from typing import Final

from smallbox.monitoring.accuracy import Judged
from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.profile_numbers import mean_number, share_number

LABEL: Final = "label"
LOSS: Final = "loss"
BIAS: Final = "bias"
_TWO_CLASSES: Final = 2


def label_numbers(newest: Judged) -> dict[str, DayValue]:
    """The mean label, the share of each class where there are several, the mean loss, and the prediction bias.

    The bias is what was predicted less what happened.

    Args:
        newest: the newest settled day.
    """
    objective, scored = newest.objective, newest.scored
    predicted, happened = objective.agreement(scored)
    parts = objective.parts(scored.labels)
    classes = parts if len(parts) > _TWO_CLASSES else {}
    return {
        f"{LABEL}:mean": mean_number(scored.labels),
        f"{LOSS}:mean": mean_number(objective.losses(scored).values),
        f"{BIAS}:mean": mean_number(predicted - happened),
        **{f"{LABEL}:is {name}": share_number(int(part.sum()), len(part)) for name, part in classes.items()},
    }
