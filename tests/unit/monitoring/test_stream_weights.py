"""Proves how the budget is spread over streams: by importance, none without a share, the sum as before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.monitoring.stream_weights import stream_weights

NAMES = ("a:location", "a:spread", "a:missing", "a:correlation with b", "b:location", "b:missing", "score:location",
         "loss:mean", "parcels:volume")  # fmt: skip


def _by_column(importance: dict[str, float]) -> dict[str, float]:
    found = dict.fromkeys(("a", "b", "score", "loss", "parcels"), 0.0)
    for name, one in zip(NAMES, stream_weights(NAMES, importance), strict=True):
        found[name.partition(":")[0]] += float(one)
    return found


def test_an_important_input_weighs_more_and_its_streams_share_it() -> None:
    """All of the importance: half plus one of two; none: half. What shows the harm weighs as the most important."""
    assert _by_column({"a": 0.2, "b": 0.0}) == pytest.approx(
        {"a": 1.5, "b": 0.5, "score": 1.5, "loss": 1.5, "parcels": 1.0}
    )
    assert len(set(stream_weights(NAMES[:4], {"a": 0.2, "b": 0.0}))) == 1


def test_many_slices_do_not_hide_the_loss() -> None:
    """The loss of all rows weighs the same with and without slices; all slices together weigh as much as it."""
    slices = tuple(f"loss:carrier={n}" for n in range(30))
    found = stream_weights((*NAMES, *slices), {"a": 0.2, "b": 0.0})
    assert found[: len(NAMES)] == pytest.approx(stream_weights(NAMES, {"a": 0.2, "b": 0.0}))
    assert sum(found[len(NAMES) :]) == pytest.approx(found[NAMES.index("loss:mean")])


@pytest.mark.parametrize("importance", [{}, {"a": 0.0, "b": 0.0}, {"a": 0.3, "b": 0.3}])
def test_without_a_difference_all_columns_weigh_the_same(importance: dict[str, float]) -> None:
    """An earlier release stored none; a model may rely on nothing, or on all alike."""
    assert _by_column(importance) == pytest.approx(dict.fromkeys(("a", "b", "score", "loss", "parcels"), 1.0))


@given(st.lists(st.floats(0, 1e3), min_size=2, max_size=2))
def test_inputs_weigh_one_on_average_and_half_at_least(values: list[float]) -> None:
    """Whatever the importance: no stream is without weight, and inputs together weigh as many as they are."""
    weights = _by_column(dict(zip("ab", values, strict=True)))
    assert weights["a"] + weights["b"] == pytest.approx(2)
    assert min(weights["a"], weights["b"]) >= 0.5
    assert np.all(stream_weights(NAMES, dict(zip("ab", values, strict=True))) > 0)


def test_slices_take_no_weight_from_the_mean_loss() -> None:
    """The slices of one input share the weight of one column, as heavy as the mean loss, however many they are."""
    slices = [f"loss:depot=d{n}" for n in range(6)]
    weights = stream_weights([*NAMES, *slices, "loss:size=s"], {"a": 0.2, "b": 0.0})
    alone = stream_weights(NAMES, {"a": 0.2, "b": 0.0})
    assert weights[: len(NAMES)] == pytest.approx(alone)
    assert weights[len(NAMES) :].tolist() == pytest.approx([0.25] * 6 + [1.5])
