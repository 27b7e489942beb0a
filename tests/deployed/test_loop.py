"""Proves on the deployed stack, with IAM enforced, what only its triggers and grants can show.

What commands do is done as an operator, with the managed policy and nothing else. The tests are one story and run in
their order: a champion of two weeks, live days, a candidate whose labels were shuffled, and one that is really better.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from smallbox.aws.blobs import S3Blobs
from smallbox.aws.documents import DynamoDocuments
from smallbox.cli.demo import MODEL
from smallbox.cli.local import url_by_path
from smallbox.cli.quarantine import send_again
from smallbox.cli.replay.evidence import lake_of
from smallbox.cli.scored_files import download_predictions, score
from smallbox.cli.system import System
from smallbox.errors import InvalidInput
from smallbox.ingestion.quarantine import Quarantine
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.incidents import IncidentBook
from smallbox.times import DAY, Micros, day_of, format_moment
from tests.deployed.conftest import START, Deployed
from tests.deployed.ringing import asked_by_an_alarm, ring, wait_until

pytestmark = pytest.mark.deployed


def test_history_becomes_a_champion(deployed: Deployed) -> None:
    """Dropped files, checked and loaded through S3's own trigger, train a version that passes the gate."""
    assert [(d["rejected"], d["accepted"] > 400) for d in deployed.drops] == [(0, True)] * 4
    assert deployed.training["accepted"], deployed.training["verdict"]["why"]
    assert deployed.system.champion(MODEL) == 1


def _unnamed(predictions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The answers without what names each of them in the log."""
    return [{name: value for name, value in one.items() if name != "prediction_id"} for one in predictions]


def test_views_are_backfilled_by_a_distributed_map(deployed: Deployed) -> None:
    """The machine plans, fills each part in an execution of its own and publishes; what is served stays the same."""
    asked = [_one_flight(deployed)]
    before = _unnamed(deployed.system.predict(MODEL, asked, format_moment(START), explain=True))
    document = {"views": ["carrier", "aircraft"], "as_of": format_moment(START)}
    done = deployed.operator.run("BackfillMachine", document)
    assert set(done["readable"]) == {"carrier", "aircraft"}
    assert done["states"] > 3_000
    assert _unnamed(deployed.system.predict(MODEL, asked, format_moment(START), explain=True)) == before
    assert deployed.system.run("BackfillMachine", {})["readable"] == {}, "nothing is new"


def test_the_lake_has_a_current_table(deployed: Deployed) -> None:
    """The upkeep's function merges the log into one row a key, over S3, with its own grants; again changes nothing."""
    written = deployed.operator.upkeep(format_moment(START))["current"]
    lake = lake_of(deployed.system)
    for name in deployed.sources:
        keys = pc.value_counts(lake.read(f"current/{name}")["key"])  # type: ignore[index]
        assert pc.max(keys.field("counts")).as_py() == 1
        assert len(keys) == written[name]["written"]
    again = deployed.system.upkeep(format_moment(START))["current"]
    assert [one["written"] for one in again.values()] == [0] * len(deployed.sources)


def test_the_open_inference_protocol_answers(deployed: Deployed) -> None:
    """The protocol's routes say which version answers and what it takes, and answer its tensors."""
    metadata = deployed.system.request("GET", f"/v2/models/{MODEL}")
    assert metadata["versions"] == ["1"]
    (output,) = deployed.system.infer(MODEL, _one_flight(deployed))
    assert 0 < output["data"][0] < 1
    with pytest.raises(InvalidInput, match="not_ready"):
        deployed.system.request("GET", "/v2/health/ready")


def _one_flight(deployed: Deployed) -> str:
    row = deployed.records.departures.iloc[[0]]
    return str(row.to_json(orient="records", lines=True, date_format="iso", date_unit="s")).strip()


def test_a_wrong_request_is_answered_in_words(deployed: Deployed) -> None:
    """A caller's mistake is a 4xx with a code, the place and the rule, never a stack trace."""
    with pytest.raises(InvalidInput, match=r"contract_violation.*origin is 'ZZZ'"):
        deployed.system.predict(MODEL, ['{"flight_id": "x", "origin": "ZZZ"}'])
    with pytest.raises(InvalidInput, match=r"contract_violation.*must have a value"):
        deployed.system.predict(MODEL, ['{"flight_id": "x", "origin": "JFK"}'])
    with pytest.raises(InvalidInput, match="not_found"):
        deployed.system.predict("no_such_model", ["{}"])


def test_an_unsigned_request_is_refused(deployed: Deployed) -> None:
    """Without a signature no route answers."""
    from urllib.error import HTTPError  # noqa: PLC0415 - beside its only use
    from urllib.request import urlopen  # noqa: PLC0415

    with pytest.raises(HTTPError) as refused:
        urlopen(f"{url_by_path(deployed.system.stack)}/models", timeout=10)  # noqa: S310 - our own stack
    assert refused.value.code == 403
    refused.value.close()


def test_a_function_may_do_only_what_it_was_granted(deployed: Deployed) -> None:
    """IAM is really enforced: roles of the stack are denied what grants.py does not list for them."""
    bucket = deployed.system.outputs["LakeBucket"]
    collect, log = _as_role(deployed, "ingestioncollect"), _as_role(deployed, "servinglog")
    collect.put_object(Bucket=bucket, Key="quarantine/test/2013-01-01/t.0.jsonl", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        collect.put_object(Bucket=bucket, Key="tables/records/arrivals/x", Body=b"")
    log.put_object(Bucket=bucket, Key="tables/predictions/test/x", Body=b"")
    log.list_objects_v2(Bucket=bucket, Prefix="tables/predictions/test/")
    for refused, named in (
        (log.put_object, {"Key": "tables/labelled/test/x", "Body": b""}),
        (log.delete_object, {"Key": "tables/predictions/test/x"}),
        (log.list_objects_v2, {"Prefix": "tables/labelled/"}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused(Bucket=bucket, **named)


def _as_role(deployed: Deployed, part: str) -> Any:
    """A client of S3 with the grants of the function whose role has that in its name."""
    import boto3  # noqa: PLC0415 - beside its only use

    iam, sts = deployed.system.client("iam"), deployed.system.stack.client("sts")
    names = [r["RoleName"] for page in iam.get_paginator("list_roles").paginate() for r in page["Roles"]]
    arn = iam.get_role(RoleName=next(name for name in names if part in name))["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    session = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=deployed.system.stack.region
    )
    return replace(deployed.system.stack, session=session).client("s3")


def test_live_days_go_round_with_equal_features(deployed: Deployed) -> None:
    """Events in, predictions out, labels joined, metrics stored; every served value equals its batch recomputation."""
    replay = deployed.live(START, 2)
    assert replay.counts.rejected == 0
    assert replay.counts.predictions > 1500
    last = replay.counts.days[-1]
    assert last["feedback"]["labelled"] > 700
    report = deployed.operator.request("GET", f"/models/{MODEL}/metrics/{last['day']}")
    checks = {check["name"]: check for check in report["checks"]}
    skew = [check for name, check in checks.items() if name.startswith(("skew:", "sent:"))]
    assert sum(check["rows"] for check in skew) > 10_000
    assert {check["value"] for check in skew} == {0}
    assert checks["auc"]["value"] > 0.5
    assert deployed.system.dead_letters() == 0


def test_quarantine_is_replayed_through_the_front_door(deployed: Deployed) -> None:
    """A rejected record waits with its reason; sent again while still wrong it waits again, once."""
    system = deployed.operator
    wrong = {"observation_id": "q", "observed_at": "2013-01-16T00:00:00Z", "origin": "JFK", "wind_speed": 1048.4}
    system.send("weather", [json.dumps(wrong)], format_moment(START + 2 * DAY))
    quarantine = Quarantine(S3Blobs(system.outputs["LakeBucket"], system.client("s3")))
    for _ in range(2):
        (batch,) = quarantine.batches("weather", day_of(START + 2 * DAY))
        assert [(r["rule"], r["record"]["wind_speed"]) for r in quarantine.read(batch)] == [("maximum", 1048.4)]
        answer = send_again(system, quarantine, "weather", batch.day, format_moment(START + 2 * DAY))
        assert (answer["accepted"], len(answer["rejected"])) == (0, 1)


def test_a_dropped_file_is_scored(deployed: Deployed, tmp_path: Any) -> None:
    """A file under ``score/`` is scored by S3's own trigger; bad rows are named in its report."""
    rows = deployed.records.departures.iloc[:50]
    texts = rows.assign(scheduled_at=rows["scheduled_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    texts.loc[texts.index[3], "origin"] = "ZZZ"
    file = tmp_path / "requests.csv"
    texts.to_csv(file, index=False)
    report = score(deployed.operator, MODEL, file)
    assert download_predictions(deployed.operator, report, file).is_file()
    assert (report["scored"], report["rejected"]) == (49, 1)
    assert report["rejections"][0]["rule"] == "choices"


def test_an_incident_rings_and_asks_for_a_decision(deployed: Deployed) -> None:
    """The check of the live days opened an incident; its alarm rang, and asked the retraining function through SNS.

    An operator reads its story, acknowledges it and closes it.
    """
    (incident, *_) = deployed.operator.request("GET", f"/models/{MODEL}/incidents")["incidents"]
    assert (incident["kind"], incident["state"]) == ("request_skew", "open"), "flights are asked three hours ahead"
    assert deployed.system.has_rung(MODEL)
    wait_until(lambda: bool(asked_by_an_alarm(deployed.system)))
    assert all("sooner than" in decision["why"] for decision in asked_by_an_alarm(deployed.system))
    for action in ("acknowledge", "close"):
        changed = {"incident": incident["id"], "action": action, "by": "somebody", "why": "a test"}
        said = deployed.operator.change_incident(changed)
        assert said["story"][-1]["sentence"] == "somebody: a test"
    assert said["state"] == "closed"


def test_a_candidate_of_shuffled_labels_is_refused(deployed: Deployed) -> None:
    """A candidate that learned from shuffled labels does not pass the gate; it is kept, refused, with the reason."""
    run = _run_on(deployed, "shuffled", np.random.default_rng(0).permutation)
    assert not run["accepted"]
    assert "AUC" in run["verdict"]["why"]
    version = deployed.operator.request("GET", f"/models/{MODEL}/versions")["versions"][-1]
    assert version["status"] == "refused"


def test_a_bad_candidate_is_stopped_at_the_first_rung(deployed: Deployed) -> None:
    """One that calls late what is on time, let past the gate by hand, is rolled back by its shadow: nobody meets it."""
    now = START + 2 * DAY
    refused = _run_on(deployed, "inverted", np.logical_not)["version"]
    assert _started_by_hand(deployed.operator, refused, now)["shadow"] == refused
    assert set(deployed.arms(now)) == {"1"}
    days = deployed.live(now, 8, DAY // 2).counts.days
    actions = [day["release"]["action"] for day in days]
    assert "roll_back" in actions, [day["release"] for day in days]
    assert set(deployed.arms(now + 8 * DAY)) == {"1"}


def test_a_better_candidate_is_promoted(deployed: Deployed) -> None:
    """A candidate of more data passes the gate, climbs the shadow and both steps of its canary, and takes over."""
    now = START + 10 * DAY
    assert deployed.known_until == now
    document = {"model": MODEL, "as_of": format_moment(now), "reason": "more data"}
    run: Any = deployed.operator.run("TrainingMachine", document)
    assert run["accepted"], run["verdict"]["why"]
    assert (run["release"]["action"], run["routing"]["shadow"]) == ("shadow", run["version"])
    days = deployed.live(now, 9).counts.days
    actions = [day["release"]["action"] for day in days]
    assert [one for one in actions if one not in {"wait", "none"}] == ["start", "step", "promote"], [
        day["release"] for day in days
    ]
    assert set(deployed.arms(now + 9 * DAY)) == {str(run["version"])}
    story = deployed.operator.release_story(MODEL, run["version"])
    assert [event["event"] for event in story["events"]] == ["shadow", "challenger", "step", "promote"]
    assert [look["action"] for look in story["looks"]] == [one for one in actions if one != "none"]
    assert sum(day["paired"]["rows"] for day in story["days"] if day["paired"]) > 2_000


def test_an_incident_rolls_the_new_champion_back(deployed: Deployed) -> None:
    """An incident that asks for it rings its alarm; the function that the alarm invokes routes to the champion before.

    Its story and the model's history say so.
    """
    end, system = deployed.known_until, deployed.system
    before = system.champion(MODEL)
    deployed.live(end, 1)
    book = IncidentBook(DynamoDocuments(system.outputs["MetricsTable"], system.client("dynamodb")))
    worse = Finding("loss", "log loss", "incident", "log loss is 0.9", "roll back", cause="a test")
    (incident,) = [one for one in book.record(MODEL, [worse], day_of(end), end + DAY) if one.cause == "a test"]
    ring(system)
    wait_until(lambda: system.champion(MODEL) == 1 != before)
    told = {one["id"]: one for one in deployed.operator.request("GET", f"/models/{MODEL}/incidents")["incidents"]}
    assert [entry["event"] for entry in told[incident.id]["story"]] == ["opened", "rollback"]
    history = deployed.operator.request("GET", f"/models/{MODEL}/history")["history"]
    assert f"incident {incident.id}" in [event.get("who") for event in history if event["event"] == "roll_back"]


def _started_by_hand(system: System, version: int, now: Micros) -> Any:
    document = {"model": MODEL, "action": "start", "version": version, "who": "a test", "why": "by hand"}
    return system.release({**document, "as_of": format_moment(now)})["routing"]


def _run_on(deployed: Deployed, name: str, spoiled: Callable[[Any], Any]) -> Any:
    """The fit and register tasks on a dataset whose training labels were spoiled."""
    s3, bucket = deployed.system.client("s3"), deployed.system.outputs["LakeBucket"]
    now = START + 2 * DAY
    built = _invoke(deployed.system, "trainingdataset", {"model": MODEL, "as_of": format_moment(now), "reason": name})
    rows = pq.read_table(io.BytesIO(s3.get_object(Bucket=bucket, Key=built["dataset"])["Body"].read()))
    labels = spoiled(rows["label"].to_numpy(zero_copy_only=False).astype(bool))
    buffer = io.BytesIO()
    pq.write_table(rows.set_column(rows.column_names.index("label"), "label", pa.array(labels)), buffer)
    s3.put_object(Bucket=bucket, Key=built["dataset"], Body=buffer.getvalue())
    fitted = _invoke(deployed.system, "trainingfit", built)
    return _invoke(deployed.system, "registryregister", fitted)


def _invoke(system: System, function: str, document: Any) -> Any:
    client = system.client("lambda")
    pages = client.get_paginator("list_functions").paginate()
    name = next(f["FunctionName"] for page in pages for f in page["Functions"] if function in f["FunctionName"])
    answer = client.invoke(FunctionName=name, Payload=json.dumps(document).encode())
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload
