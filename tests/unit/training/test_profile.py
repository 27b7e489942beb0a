"""Proves that profiles count every row once and that a new day is counted in the reference's bins."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smallbox.training.examples import requests_of
from smallbox.training.profile import numeric_profile, profile, text_profile
from tests.fakes.small import dataset, late_parcel


@given(st.lists(st.one_of(st.integers(0, 5).map(float), st.just(float("nan"))), max_size=60))
def test_every_number_is_counted_once(values: list[float]) -> None:
    """Counts and missing values add up to the rows, in own bins and in given ones, however the values tie."""
    column = np.array(values, dtype=float)
    for edges in (None, [1.0, 3.0]):
        found = numeric_profile(column, edges)
        assert sum(found["counts"]) + found["missing"] == len(values)
        assert len(found["counts"]) == len(found["edges"]) + 1


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=40))
def test_every_text_is_counted_once(values: list[str]) -> None:
    """Counts, the rest and missing values add up to the rows, in own categories and in given ones."""
    column = np.array(values, dtype=object)
    for categories in (None, ["c", "z"]):
        found = text_profile(column, categories)
        assert sum(found["counts"]) + found["missing"] == len(values)
        assert len(found["counts"]) == len(found["categories"]) + 1


def test_deciles_hold_a_tenth_each() -> None:
    """Without ties, the reference's ten bins hold equal shares."""
    assert numeric_profile(np.random.default_rng(0).permutation(1000).astype(float))["counts"] == [100] * 10


def test_a_profile_is_json_and_another_is_counted_in_its_bins() -> None:
    """A reference that went through JSON gives its own counts again from its own rows, and its bins to other rows."""
    requests, outputs = requests_of(late_parcel.columns, dataset(500, seed=1)), ("score", "score_q90")
    values = {**requests.by_column, "score": np.linspace(0, 1, 500), "score_q90": np.linspace(-5, 90, 500)}
    reference = json.loads(json.dumps(profile(late_parcel.columns, outputs, values)))
    assert reference.keys() == {*late_parcel.columns.names, *outputs}
    assert profile(late_parcel.columns, outputs, values, reference) == reference
    few = {name: column[:50] for name, column in values.items()}
    assert profile(late_parcel.columns, outputs, few, reference)["weight"]["edges"] == reference["weight"]["edges"]
