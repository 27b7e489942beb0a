"""Every drill, by name."""

from collections.abc import Mapping
from typing import Final

from smallbox.cli.drills import senders
from smallbox.cli.drills.drill import NOTHING_RINGS, Drill, Expected, alarm, incident
from smallbox.cli.drills.town import Conditions

_ALL: Final = (
    Drill("quiet", "nothing: the world goes on as before", NOTHING_RINGS, 14),
    Drill(
        "null_burst",
        "three of ten orders have no distance",
        incident("missing_values"),
        4,
        sent=senders.null_distances,
        along=("data_fault",),
    ),
    Drill("unit_change", "distances are sent in metres", incident("data_fault"), 4, sent=senders.metres),
    Drill(
        "stale_weather",
        "the weather is twelve hours old when it is sent",
        incident("source_stale"),
        1,
        sent=senders.lagging_weather,
    ),
    Drill("silent_source", "no weather is sent", incident("source_silent"), 1, sent=senders.no_weather),
    Drill(
        "stale_between_checks",
        "no weather is sent, whose newest record is more than seven hours old at seven o'clock",
        Expected("look", ("source_stale",)),
        1,
        sent=senders.no_weather,
        along=("source_silent",),
        by_hour=7,
    ),
    Drill(
        "label_stall",
        "deliveries name their orders in another form, so no outcome finds its request",
        incident("labels_stalled", "label_coverage"),
        4,
        sent=senders.other_keys,
    ),
    Drill(
        "label_rate_jump",
        "every delivery is reported as late",
        incident("labels_jumped"),
        6,
        sent=senders.late_by_mistake,
        along=("loss",),
    ),
    Drill(
        "covariate_shift",
        "shops deliver twice as far, and half of the orders come by phone",
        incident("covariate_shift"),
        5,
        conditions=Conditions(farther=2.0, phone=0.5),
    ),
    Drill(
        "concept_shift",
        "near deliveries are late now, and far ones are punctual",
        incident("concept_shift", "loss"),
        7,
        conditions=Conditions(by_distance=-1.2),
    ),
    Drill(
        "prior_shift",
        "late deliveries are three times as likely, with all that goes with them",
        incident("label_shift"),
        7,
        conditions=Conditions(late_kept=3.0),
        along=("prediction_shift", "labels_jumped"),
    ),
    Drill(
        "skew_by_wrong_default",
        "for one request in twelve the caller sends a distance of 0, where the record has the true one",
        incident("request_skew"),
        1,
        sent=senders.distance_of_zero,
    ),
    Drill(
        "refused_records",
        "every fifth order record has 99 items, which its contract refuses",
        incident("records_rejected"),
        1,
        sent=senders.too_many_items,
    ),
    Drill(
        "slow_store",
        "the online store does not answer in time",
        incident("fallbacks"),
        1,
        part="slow store",
        rings=("Fallback",),
    ),
    Drill(
        "throttled_table",
        "the table of the model's routing refuses every read",
        incident("fallbacks"),
        1,
        part="throttled table",
        rings=("Fallback",),
    ),
    Drill(
        "failing_model_file",
        "the champion's file cannot be read",
        incident("fallbacks"),
        1,
        part="model file",
        along=("lost_definition",),
    ),
    Drill("slow_answers", "the model takes four seconds for an answer", alarm("Slow"), 1, part="slow model"),
    Drill(
        "failing_answers",
        "the queue of the prediction log takes no rows, and an answer that is not logged is an error",
        alarm("Failing"),
        1,
        part="log queue",
    ),
    Drill("old_messages", "the worker that writes the prediction log is off", alarm("Waiting"), 1, part="log worker"),
    Drill("failed_execution", "the daily check cannot write its report", alarm("Executions"), 1, part="daily task"),
    Drill("overdue_upkeep", "the upkeep does not run", alarm("UpkeepOverdue"), 2, part="upkeep"),
    Drill(
        "poison_message",
        "a queue has a message that no attempt can work",
        alarm("Dead"),
        1,
        part="poison message",
    ),
    Drill(
        "dead_worker",
        "the worker that applies records to the online store is off",
        incident("feature_skew"),
        1,
        part="dead worker",
    ),
    Drill(
        "bad_candidate",
        "a person starts the release of a version that was trained on shuffled labels",
        Expected("release", ("roll_back",)),
        12,
        part="bad candidate",
    ),
    Drill(
        "bad_canary",
        "a canary whose model file cannot be read answers half of the requests",
        Expected("release", ("roll_back by guard",)),
        1,
        part="bad canary",
        along=("fallbacks",),
        rings=("ChallengerTrouble",),
    ),
)

DRILLS: Final[Mapping[str, Drill]] = {drill.name: drill for drill in _ALL}


def drill_rows() -> list[tuple[str, str, str, str]]:
    """The table for people and for the page: name, what goes wrong, what must come of it, within how many days."""
    return [(one.name, one.breaks, expected_words(one.expected), str(one.days)) for one in _ALL]


def expected_words(expected: Expected) -> str:
    """What must come of a drill, in words.

    >>> expected_words(incident("labels_stalled", "label_coverage"))
    'an incident: labels_stalled or label_coverage'
    """
    names = " or ".join(expected.names)
    said = {
        "incident": f"an incident: {names}",
        "look": f"an incident of the hourly look: {names}",
        "alarm": f"the alarm `{names}`",
        "release": f"the release does {names}",
        "nothing": "nothing rings",
    }
    return said[expected.what]
