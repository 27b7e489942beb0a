"""Two definitions of one model, of which an older version and the deployed one differ in all that may differ."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from smallbox.define import FeatureView, count, integer, mean, number, text
from smallbox.records import Record, Value
from smallbox.registry.assignment import arm_of
from smallbox.registry.routing import Routing
from smallbox.times import DAY, HOUR
from tests.fakes.serving import Serving
from tests.fakes.small import deliveries, late_parcel, parcels

NOW: Final = 100 * DAY


def weight_in_tons(weight: Any) -> Any:
    """An on-demand feature that only the old definition has."""
    return weight / 1000


old_depot = FeatureView("depot", "depot", deliveries, {"depot_delay": mean("delay", "3h")})
OLD = replace(
    late_parcel,
    request=replace(parcels, fields={**parcels.fields, "weight": number(nullable=True, maximum=10)}),
    views=(old_depot,),
    on_demand=(weight_in_tons,),
)
"""As the champion was trained; its on-demand feature is in no definition that is deployed."""

new_depot = replace(old_depot, features={"depot_delay": mean("delay", "24h"), "depot_count": count("24h")})
NEW = replace(
    late_parcel,
    request=replace(
        parcels,
        fields={
            **parcels.fields,
            "weight": number(nullable=True, maximum=5000),
            "pieces": integer(),
            "note": text(nullable=True),
        },
    ),
    inputs=("pieces", "depot"),
    views=(new_depot,),
)
"""As it is deployed: another window under one name, another feature, another input, and no on-demand feature."""

KEYS: Final = [f"p{n}" for n in range(12)]
ARMS: Final = [arm_of(Routing(1, 2, 0.5), key)[0] for key in KEYS]
INSTANCES: Final[Sequence[Mapping[str, Any]]] = [
    {"parcel_id": key, "depot": "north", "weight": 2000.0, "pieces": n} for n, key in enumerate(KEYS)
]


def _delivered(name: str, ago: int, delay: float) -> Record:
    at = NOW - ago
    values: dict[str, Value] = {"parcel_id": name, "delivered_at": at, "depot": "north", "delay": delay, "late": None}
    return Record("deliveries", name, at, at, at, values)


DELIVERED: Final = [_delivered("a", HOUR, 4.0), _delivered("b", 10 * HOUR, 10.0)]
"""Deliveries of the depot: one an hour ago, and one that only the longer window reaches."""


def canary_of_both() -> Serving:
    """A canary of both for half of the keys; the views of both are filled and have the deliveries."""
    serving = Serving(NEW)
    serving.join(OLD)
    serving.fill()
    serving.canary(OLD, NEW)
    serving.stream(DELIVERED, NOW)
    return serving


def of_arm(arm: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of a batch of all keys that an arm answers."""
    return [one for own, one in zip(ARMS, rows, strict=True) if own == arm]
