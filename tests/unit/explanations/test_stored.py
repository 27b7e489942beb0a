"""Proves that an explainer survives its file, and that no other file is taken for it."""

import hashlib
import io
import json
from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge

from smallbox.errors import NotReady
from smallbox.explanations.explainer import Explainer
from smallbox.explanations.stored import explainer_from_bytes, explainer_to_bytes
from tests.fakes.boosted import late, minutes
from tests.fakes.explained import FILLED, Explained, without_reading


@cache
def _trees() -> Explained:
    return Explained(HistGradientBoostingClassifier(max_iter=5, random_state=0), late)


@cache
def _linear() -> Explained:
    return Explained(Ridge(), minutes, numeric=FILLED)


def _again(explainer: Explainer) -> Explainer:
    content = explainer_to_bytes(explainer)
    return explainer_from_bytes(content, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("explained", [_trees, _linear])
@pytest.mark.parametrize("change", [lambda one: one, without_reading], ids=["read", "permutations"])
def test_what_is_read_explains_as_what_was_stored(explained: object, change: object) -> None:
    """Contributions and flags are the same to the bit, and so are the bytes when it is stored again."""
    made: Explained = explained()  # type: ignore[operator]
    first: Explainer = change(made.explainer)  # type: ignore[operator]
    second, rows = _again(first), made.rows
    assert explainer_to_bytes(second) == explainer_to_bytes(first)
    one, two = (e.contributions(rows.numeric, rows.categorical, made.scorer.score) for e in (first, second))
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.base, two.base)
    np.testing.assert_array_equal(first.familiar.is_far(rows.numeric), second.familiar.is_far(rows.numeric))
    np.testing.assert_array_equal(first.familiar.unseen(rows.categorical), second.familiar.unseen(rows.categorical))


def test_other_bytes_are_refused() -> None:
    """The registered checksum decides."""
    content = explainer_to_bytes(_trees().explainer)
    with pytest.raises(NotReady, match="checksum"):
        explainer_from_bytes(content, "0" * 64)


def test_a_file_of_another_format_is_refused() -> None:
    """A later release may store something else under the same name."""
    into = io.BytesIO()
    np.savez(into, about=np.frombuffer(json.dumps({"format": 2}).encode(), np.uint8))
    with pytest.raises(NotReady, match="another release"):
        explainer_from_bytes(into.getvalue(), hashlib.sha256(into.getvalue()).hexdigest())
