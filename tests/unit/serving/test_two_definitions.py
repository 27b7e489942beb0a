"""Proves that champion and challenger of two definitions each answer, and log, by the definition of their own."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define.model import Model
from smallbox.errors import ContractViolation, NotReady, SmallboxError
from smallbox.lake.predictions import PredictionLog, of_signature
from smallbox.ports import Between
from smallbox.serving.log import LogTask
from smallbox.times import Moment
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.edges import FakeMeter
from tests.fakes.serving import Serving
from tests.unit.serving.two_definitions import ARMS, INSTANCES, KEYS, NEW, NOW, OLD, canary_of_both, of_arm


@pytest.fixture
def canary() -> Serving:
    """A canary of both definitions."""
    return canary_of_both()


def test_both_arms_are_in_the_batch() -> None:
    """The keys of this file go to both versions, and by turns; otherwise its tests would prove nothing."""
    assert len(set(ARMS)) == 2
    assert sorted(ARMS) != ARMS
    assert sorted(ARMS, reverse=True) != ARMS


def test_each_row_is_answered_from_the_inputs_of_its_own_version(canary: Serving) -> None:
    """The window of either definition under the one name, the inputs of either, and the scores that come of them."""
    predictions = canary.predict(INSTANCES, Moment(NOW), explain=True)
    for one in of_arm("champion", predictions):
        assert one["version"] == 1
        assert one["inputs"] == {"weight": 2000.0, "depot_delay": 4.0, "weight_in_tons": 2.0, "depot": "north"}
        assert one["score"] == 2006
    for one, sent in zip(of_arm("challenger", predictions), of_arm("challenger", INSTANCES), strict=True):
        assert one["version"] == 2
        assert one["inputs"] == {
            "pieces": sent["pieces"], "depot_delay": 7.0, "depot_count": 2, "depot": "north",
        }  # fmt: skip
        assert one["score"] == sent["pieces"] + 9


def test_answers_keep_the_order_and_the_ids_of_the_request(canary: Serving) -> None:
    """Row by row the answer is about the instance at its place, whichever version gave it."""
    predictions = canary.predict(INSTANCES, Moment(NOW))
    assert [one["id"] for one in predictions] == KEYS
    assert [one["arm"] for one in predictions] == ARMS
    logged = {i: k for m in canary.log.messages for i, k in zip(m["columns"]["id"], m["columns"]["key"], strict=True)}
    assert logged == {f"r-{n}": key for n, key in enumerate(KEYS)}


def test_a_message_is_about_one_version_and_the_log_has_both(canary: Serving) -> None:
    """Each message has its version's columns and their types; the table has all, null where a version has none."""
    canary.predict(INSTANCES, Moment(NOW))
    old, new = canary.log.messages
    if old["columns"]["version"][0] == 2:
        old, new = new, old
    assert (set(old["columns"]["version"]), set(new["columns"]["version"])) == ({1}, {2})
    own = {"weight", "weight_in_tons"}
    assert own <= old["columns"].keys() - new["columns"].keys()
    assert new["columns"].keys() - old["columns"].keys() == {"pieces", "depot_count"}
    assert old["types"] == new["types"] == {"depot": "text", "entity_depot": "text"}
    LogTask(canary.project, canary.lake, FakeCanaryCounters(), FakeMeter()).append([new, old])
    rows = PredictionLog(canary.lake).read(NEW.name, Between("time", NOW, NOW + 1)).sort_by("key").to_pylist()
    assert {row["key"]: (row["weight"], row["pieces"]) for row in rows} == {
        key: (2000.0, None) if arm == "champion" else (None, n)
        for n, (key, arm) in enumerate(zip(KEYS, ARMS, strict=True))
    }


def test_an_old_version_is_read_back_with_columns_that_no_definition_has(canary: Serving) -> None:
    """What is read of the log has the columns of a version, in its order, and what it answered from."""
    canary.predict(INSTANCES, Moment(NOW))
    LogTask(canary.project, canary.lake, FakeCanaryCounters(), FakeMeter()).append(canary.log.messages)
    rows = PredictionLog(canary.lake).read(OLD.name, Between("time", NOW, NOW + 1))
    signature = canary.loader.version(OLD.name, 1).signature
    assert signature is not NEW
    own = of_signature(rows, signature)
    assert own.column_names[-5:] == ["weight", "depot_delay", "weight_in_tons", "depot", "entity_depot"]
    assert {row["weight_in_tons"] for row in own.to_pylist() if row["version"] == 1} == {2.0}
    assert {row["weight_in_tons"] for row in own.to_pylist() if row["version"] == 2} == {None}
    assert of_signature(rows.select(["id", "version"]), signature)["depot_delay"].null_count == len(KEYS)


def test_the_contract_of_a_request_is_the_one_that_is_deployed(canary: Serving) -> None:
    """For either version: a wider range and a new optional field are taken, and a value out of the range is not."""
    predictions = canary.predict([{**one, "note": "new"} for one in INSTANCES], Moment(NOW))
    assert [one["arm"] for one in predictions] == ARMS
    assert OLD.request.fields["weight"].maximum == 10
    for arm in ("champion", "challenger"):
        (sent, *_) = of_arm(arm, INSTANCES)
        with pytest.raises(ContractViolation, match="greatest allowed is 5000"):
            canary.predict([{**sent, "weight": 5001.0}], Moment(NOW))


def _without_pieces(arm: str) -> list[dict[str, Any]]:
    """The instances, without the new required field where that version answers."""
    return [
        {name: value for name, value in one.items() if name != "pieces" or own != arm}
        for own, one in zip(ARMS, INSTANCES, strict=True)
    ]


def test_a_field_is_required_of_the_keys_whose_version_needs_it(canary: Serving) -> None:
    """A field that only the challenger reads may be missing for the champion's keys, and for no other."""
    assert [one["arm"] for one in canary.predict(_without_pieces("champion"), Moment(NOW))] == ARMS
    canary.log.take()
    with pytest.raises(ContractViolation, match="pieces is missing") as refused:
        canary.predict(_without_pieces("challenger"), Moment(NOW))
    first = ARMS.index("challenger")
    assert refused.value.details == {"index": first, "field": "pieces", "rule": "required"}
    assert refused.value.message.startswith(f"instance {first}: ")
    assert [message.keys() for message in canary.log.messages] == [{"model", "canary"}]


def _lost_file(serving: Serving) -> None:
    serving.blobs.delete(serving.registry.get(NEW.name, 2).onnx_key)


def _lost_bundle(serving: Serving) -> None:
    serving.blobs.delete(serving.registry.get(NEW.name, 2).bundle_key)


def _damaged_bundle(serving: Serving) -> None:
    serving.blobs.put(serving.registry.get(NEW.name, 2).bundle_key, b"other code")


def _serving(challenger: str, deployed: Model) -> Serving:
    """A canary whose challenger cannot answer, for one reason."""
    faults: Mapping[str, Callable[[Serving], None]] = {
        "without its file": _lost_file,
        "without its bundle": _lost_bundle,
        "with a damaged bundle": _damaged_bundle,
    }
    serving = Serving(deployed)
    if challenger != "without live views":
        serving.join(OLD)
    if challenger not in {"without live views", "with views that are not filled"}:
        serving.fill()
    serving.canary(NEW, OLD)
    if challenger in faults:
        faults[challenger](serving)
    return serving


CHALLENGERS: Final = [
    "without its file", "without its bundle", "with a damaged bundle", "without live views",
    "with views that are not filled",
]  # fmt: skip


@pytest.mark.parametrize("challenger", CHALLENGERS)
def test_a_version_that_cannot_answer_falls_back_for_its_own_rows(challenger: str) -> None:
    """The champion's rows are answered as ever; the others get the fallback, and it is told how many."""
    serving = _serving(challenger, replace(NEW, fallback=0.25))
    predictions = serving.predict(INSTANCES, Moment(NOW))
    assert {(one["version"], one["arm"]) for one in of_arm("champion", predictions)} == {(1, "champion")}
    fallen = of_arm("challenger", predictions)
    assert {(one["version"], one["arm"], one["score"]) for one in fallen} == {(0, "fallback", 0.25)}
    assert [one["id"] for one in predictions] == KEYS
    ((model, answers, why),) = serving.fallbacks.kept
    assert (model, answers) == (NEW.name, len(fallen))
    assert isinstance(why, NotReady)
    logged = {
        key: arm
        for m in serving.log.messages
        for key, arm in zip(m["columns"]["key"], m["columns"]["arm"], strict=True)
    }
    assert logged == {key: "fallback" if arm == "challenger" else arm for key, arm in zip(KEYS, ARMS, strict=True)}


@pytest.mark.parametrize("challenger", CHALLENGERS)
def test_without_a_fallback_a_version_that_cannot_answer_is_an_error(challenger: str) -> None:
    """Of the request with a key of it: no row is logged, only that the arm failed; the champion's keys are answered."""
    serving = _serving(challenger, NEW)
    with pytest.raises(SmallboxError) as failed:
        serving.predict(INSTANCES, Moment(NOW))
    assert isinstance(failed.value, NotReady)
    assert [message.keys() for message in serving.log.messages] == [{"model", "canary"}]
    assert len(serving.predict(of_arm("champion", INSTANCES), Moment(NOW))) == ARMS.count("champion")


def test_whether_views_can_be_read_is_asked_once_for_each_version(canary: Serving) -> None:
    """Not with each request: the views of a version that serves stay live and filled."""
    before = canary.live.reads
    for _ in range(3):
        canary.predict(INSTANCES, Moment(NOW))
    assert canary.live.reads - before == 2


def test_a_version_answers_as_soon_as_its_views_are_filled() -> None:
    """That they are not ready is not remembered."""
    serving = _serving("with views that are not filled", replace(NEW, fallback=0.25))
    assert "fallback" in {one["arm"] for one in serving.predict(INSTANCES, Moment(NOW))}
    serving.fill()
    assert [one["arm"] for one in serving.predict(INSTANCES, Moment(NOW))] == ARMS
