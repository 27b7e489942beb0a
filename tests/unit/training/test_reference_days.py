"""Proves that the reference by day of a version has no personal values."""

from dataclasses import replace

import numpy as np

from smallbox.define import number
from smallbox.objectives.objective import Scored
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
        reference_days(model, examples, is_validation, scored)
        for model in (late_parcel, replace(late_parcel, request=personal))
    )
    assert set(open_to_all.layout.columns) - set(hidden.layout.columns) == {"weight"}
    largest = np.float64(np.nanmax(examples.by_column["weight"])).tobytes()
    assert largest in open_to_all.to_bytes()
    assert largest not in hidden.to_bytes()
