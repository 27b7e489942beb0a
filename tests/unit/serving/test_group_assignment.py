"""Proves that a canary assigns whole groups of a ranking, and that a request without its group is refused."""

from dataclasses import replace

import pytest

from smallbox.define import Gate, Ranking, text
from smallbox.errors import ContractViolation
from smallbox.times import Moment
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel, parcels

asked = replace(parcels, fields={**parcels.fields, "depot": text()})
RANKED = replace(
    late_parcel,
    request=asked,
    inputs=("weight",),
    gate=Gate(),
    label=replace(late_parcel.label, objective=Ranking("depot")),
)
AT = Moment(0, is_replayed=True)


def serving() -> Serving:
    """Two versions, of which the second answers half of the groups."""
    found = Serving(RANKED)
    found.canary(RANKED, RANKED)
    return found


def test_a_group_is_answered_by_one_version() -> None:
    """Forty groups are asked for twice: one version answers each, and both versions answer some."""
    deployed = serving()
    rows = [{"parcel_id": f"p{n}", "depot": f"d{n % 40}", "weight": float(n)} for n in range(200)]
    arms: dict[str, set[str]] = {}
    for half in (rows[:100], rows[100:]):
        for sent, answer in zip(half, deployed.predict(half, AT), strict=True):
            arms.setdefault(str(sent["depot"]), set()).add(answer["arm"])
    assert {len(own) for own in arms.values()} == {1}
    assert set().union(*arms.values()) == {"champion", "challenger"}


def test_without_its_group_a_request_is_refused() -> None:
    """A row that belongs to no group cannot be ranked."""
    with pytest.raises(ContractViolation, match="depot"):
        serving().predict([{"parcel_id": "p", "weight": 1.0}], AT)
