"""Proves that a fourth kind of label is one file: an objective that the core has never seen goes round the loop."""

import json
import sys
from collections.abc import Iterator

import pytest

from smallbox.define import Gate, ceiling, label
from smallbox.define.frozen import freeze, thaw_label
from smallbox.errors import NotReady
from tests.flow import ordinal
from tests.flow.jobs import classifier, job_model, job_round, results
from tests.flow.rounds import Lived, go_round

MODULE = "smallbox.objectives.ordinal"


@pytest.fixture(scope="module")
def lived() -> Iterator[Lived]:
    """The file stands where the objectives stand, and nothing else knows of it; a model of its kind goes round."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, MODULE, ordinal)
        declared = label(results, on="job_id", value="grade", within="6h", objective=ordinal.Ordinal())
        gate = Gate(guardrails=(ceiling("levels_off", 1),), max_loss_increase=0.2, max_unlabelled=0.3)
        fallback = {"Low": 0.2, "mid-range": 0.5, "höchste": 0.3}
        yield go_round(job_round(job_model("job_level", declared, classifier, gate=gate, fallback=fallback)))


def test_it_is_trained_gated_and_exported_by_its_own_loss(lived: Lived) -> None:
    """The gate compares its ranked probability score, tests its figure, and ONNX gives its outputs."""
    assert lived.first["baseline"]["difference"]["high"] < 0
    assert [check["name"] for check in lived.first["verdict"]["checks"]][-1] == "levels_off"
    assert lived.first["parity"]["largest"] <= lived.first["parity"]["limit"]
    assert lived.second["champion"]["difference"]["high"] < 0.2 * lived.second["champion"]["loss"]["value"]


def test_it_answers_in_its_own_form(lived: Lived) -> None:
    """Each answer has the levels and what only this kind adds; tensors and file have its columns."""
    assert list(lived.tensors) == ["score_low", "score_mid_range", "score_höchste"]
    assert {one["median"] for one in lived.answers} <= {"Low", "mid-range", "höchste"}
    assert [name for name in lived.file.column_names if name.startswith("score")] == list(lived.tensors)
    json.dumps(lived.answers, allow_nan=False)


def test_it_is_judged_by_the_day_and_in_a_release(lived: Lived) -> None:
    """Labels are joined, the day's loss beats the baseline, and the second version is promoted by its loss."""
    assert lived.days[-1]["breaches"] == {"data": 0, "features": 0, "predictions": 0, "accuracy": 0}
    loss = next(one for one in lived.around.report(lived.days[-1])["checks"] if one["name"] == "loss")
    assert loss["rows"] > 50
    assert loss["value"] < loss["limit"]
    assert [one["action"] for one in lived.reviews if one["action"] != "wait"] == ["start", "promote"]


def test_a_release_without_the_file_says_so(lived: Lived) -> None:
    """A version of a kind that this release does not have is refused with a sentence, not answered wrongly."""
    frozen = freeze(lived.around.model)
    assert thaw_label(frozen) == lived.around.model.label
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, MODULE)
        with pytest.raises(NotReady, match="no objective 'ordinal'"):
            thaw_label(frozen)
