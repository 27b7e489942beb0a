"""Proves the scorer: only registered bytes are served, in batches of any size."""

import hashlib

import numpy as np
import pytest
from onnx import load_from_string

from smallbox.define.signature import Columns
from smallbox.errors import NotReady
from smallbox.registry.scorer import Scorer
from smallbox.training.examples import frame
from smallbox.training.export import to_onnx
from tests.fakes.small import dataset, late_parcel

COLUMNS = Columns(("weight", "depot_delay_3h"), ("depot",))


@pytest.fixture(scope="module")
def onnx() -> bytes:
    """The small model as ONNX."""
    rows = dataset(400, seed=1)
    pipeline = late_parcel.estimator(COLUMNS).fit(frame(COLUMNS, rows), rows["label"].to_numpy())
    return to_onnx([pipeline], COLUMNS, late_parcel.objective)


def test_other_bytes_than_the_registered_ones_are_refused(onnx: bytes) -> None:
    """A model whose digest is not the registry's is never loaded."""
    Scorer(onnx, hashlib.sha256(onnx).hexdigest())
    with pytest.raises(NotReady, match="does not match its registered checksum"):
        Scorer(onnx, hashlib.sha256(b"").hexdigest())


def test_a_row_scores_the_same_alone_and_in_a_batch(onnx: bytes) -> None:
    """The score of a row does not depend on who else is asked about, nor on whether numbers come as float64."""
    inputs = frame(COLUMNS, dataset(50, seed=2))
    numeric, texts = inputs[list(COLUMNS.numeric)].to_numpy(np.float32), inputs[["depot"]].to_numpy(object)
    scorer = Scorer(onnx)
    batch = scorer.score(numeric, texts)
    alone = [scorer.score(numeric[[n]].astype(np.float64), texts[[n]])[0] for n in range(50)]
    np.testing.assert_array_equal(batch, alone)
    assert ((batch >= 0) & (batch <= 1)).all()
    assert batch.shape == (50, 1)
    assert batch.dtype == np.float64
    assert scorer.score(numeric[:0], texts[:0]).shape == (0, 1)


def test_a_model_of_an_earlier_export_is_refused(onnx: bytes) -> None:
    """A graph whose output has another name is not read by position; the sentence says what to do."""
    earlier = load_from_string(onnx)
    earlier.graph.node[-1].output[0] = earlier.graph.output[0].name = "probabilities"
    with pytest.raises(NotReady, match="exported by an earlier release; train again"):
        Scorer(earlier.SerializeToString())
