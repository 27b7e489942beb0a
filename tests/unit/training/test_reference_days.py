"""Proves what the reference by day of a version holds: no personal values, and pairs of what is important."""

from dataclasses import replace

import numpy as np

from smallbox.define import number
from smallbox.objectives.objective import Scored
from smallbox.profiles.stored import ReferenceDays
from smallbox.training.examples import examples_of
from smallbox.training.reference_days import reference_days
from tests.fakes.small import dataset, late_parcel, parcels


def test_a_personal_input_is_in_no_layout_and_no_profile_of_a_version() -> None:
    """The other inputs, the output, the label and the loss are; none of its values is among the stored bytes."""
    personal = replace(parcels, fields={**parcels.fields, "weight": number(nullable=True, pii=True)})
    examples = examples_of(late_parcel.columns, late_parcel.objective, dataset(100, 0))
    is_validation = np.arange(100) >= 80
    scored = Scored(np.full((20, 1), 0.5), examples.labels[is_validation], np.arange(20))
    open_to_all, hidden = (
        reference_days(model, examples, is_validation, scored, {})
        for model in (late_parcel, replace(late_parcel, request=personal))
    )
    assert set(open_to_all.layout.columns) - set(hidden.layout.columns) == {"weight"}
    largest = np.float64(np.nanmax(examples.by_column["weight"])).tobytes()
    assert largest in open_to_all.to_bytes()
    assert largest not in hidden.to_bytes()


def test_pairs_are_those_of_important_numbers_that_may_be_shown() -> None:
    """Weight and delay matter: their sums are there for each day, in the order of importance, also once stored.

    A text, or a personal input, is in no pair.
    """
    personal = replace(parcels, fields={**parcels.fields, "weight": number(nullable=True, pii=True)})
    examples = examples_of(late_parcel.columns, late_parcel.objective, dataset(100, 0))
    is_validation = np.arange(100) >= 80
    scored = Scored(np.full((20, 1), 0.5), examples.labels[is_validation], np.arange(20))
    importance = {"depot_delay_3h": 0.3, "weight": 0.1, "depot": 0.2}
    shown, hidden = (
        ReferenceDays.from_bytes(reference_days(model, examples, is_validation, scored, importance).to_bytes())
        for model in (late_parcel, replace(late_parcel, request=personal))
    )
    assert shown.importance == importance
    assert (shown.pairs, hidden.pairs) == ([("depot_delay_3h", "weight")], [])
    assert list(shown.pair_days) == list(shown.days)
    known = ~np.isnan(examples.by_column["weight"])
    assert sum(one.sums[0, 0] for one in shown.pair_days.values()) == known.sum()


def test_a_reference_of_an_earlier_release_is_read() -> None:
    """Its bytes end with the profiles: no importance, no pairs, the same days."""
    examples = examples_of(late_parcel.columns, late_parcel.objective, dataset(100, 0))
    scored = Scored(np.full((20, 1), 0.5), examples.labels[80:], np.arange(20))
    content = reference_days(late_parcel, examples, np.arange(100) >= 80, scored, {"weight": 0.1}).to_bytes()
    earlier = content[: content.index(b'{"importance"') - 4]
    found, whole = ReferenceDays.from_bytes(earlier), ReferenceDays.from_bytes(content)
    assert (found.importance, found.pairs, found.pair_days) == ({}, (), {})
    assert found.whole().to_bytes() == whole.whole().to_bytes()
