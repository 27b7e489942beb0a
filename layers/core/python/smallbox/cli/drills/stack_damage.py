"""Breaks parts of a local stack, as the account's root may."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.cli.polling import polls
from smallbox.cli.system import System
from smallbox.errors import Unavailable
from smallbox.times import Micros, format_moment

_LONGEST: Final = 900.0
"""Seconds until a message has failed every attempt, with its pauses."""

_WHO: Final = "a drill"


def spoil_model_files(system: System) -> None:
    """Write over every model file, and make new processes of the predict function, which read it."""
    s3, bucket = system.client("s3"), system.outputs["LakeBucket"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="models/").get("Contents", ())
    for key in (one["Key"] for one in listed if one["Key"].endswith(".onnx")):
        s3.put_object(Bucket=bucket, Key=key, Body=b"not a model")
    function = _function(system, "servingpredict")
    variables = {**function.get("Environment", {}).get("Variables", {}), "DRILL": "new processes"}
    system.client("lambda").update_function_configuration(
        FunctionName=function["FunctionName"], Environment={"Variables": variables}
    )


def send_poison(system: System) -> None:
    """Send a message that no worker can read, and wait until it has failed every attempt.

    Raises:
        Unavailable: if it is not among the dead letters after a quarter of an hour.
    """
    queue = system.outputs["EventsQueue"]
    system.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"poison": True}))
    for _ in polls(_LONGEST):
        if system.dead_letters():
            return
    raise Unavailable(f"the message was not among the dead letters within {_LONGEST:.0f} s")


def stop_worker(system: System, queue: str) -> None:
    """Stop the function that works a queue, named by its output, from being called."""
    name, client = system.outputs[queue].rsplit("/", 1)[1], system.client("lambda")
    pages = client.get_paginator("list_event_source_mappings").paginate()
    mappings = (one for page in pages for one in page["EventSourceMappings"])
    for one in (one for one in mappings if one["EventSourceArn"].endswith(f":{name}")):
        client.update_event_source_mapping(UUID=one["UUID"], Enabled=False)


def start_bad_candidate(system: System, model: str, now: Micros) -> None:
    """Train a version on shuffled labels, and start its release by hand, whatever the gate said."""
    as_of = format_moment(now)
    built = _invoked(system, "trainingdataset", {"model": model, "as_of": as_of, "reason": "a bad candidate"})
    s3, place = system.client("s3"), {"Bucket": system.outputs["LakeBucket"], "Key": built["dataset"]}
    s3.put_object(**place, Body=with_shuffled_labels(s3.get_object(**place)["Body"].read()))
    registered = _invoked(system, "registryregister", _invoked(system, "trainingfit", built))
    by_hand = {"model": model, "action": "start", "version": registered["version"], "who": _WHO, "why": "to see it go"}
    system.release({**by_hand, "as_of": as_of})


def look_at_freshness(system: System, now: Micros) -> Mapping[str, Sequence[str]]:
    """Run the hourly look at freshness as of a moment; the sentences of stale sources, by model."""
    found: Mapping[str, Sequence[str]] = _invoked(system, "monitoringfreshness", {"as_of": format_moment(now)})
    return found


def with_shuffled_labels(dataset: bytes) -> bytes:
    """A Parquet file of training rows whose labels are in another, seeded order."""
    import numpy as np  # noqa: PLC0415 - slow imports only where needed
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    rows, content = pq.read_table(io.BytesIO(dataset)), io.BytesIO()
    labels = np.random.default_rng(0).permutation(rows["label"].to_numpy(zero_copy_only=False))
    pq.write_table(rows.set_column(rows.column_names.index("label"), "label", pa.array(labels)), content)
    return content.getvalue()


def _invoked(system: System, part: str, document: Any) -> Any:
    """The answer of the function whose name has that part."""
    answer = system.client("lambda").invoke(
        FunctionName=_function(system, part)["FunctionName"], Payload=json.dumps(document).encode()
    )
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Unavailable(f"{part} failed: {payload.get('errorMessage')}")
    return payload


def _function(system: System, part: str) -> Any:
    pages = system.client("lambda").get_paginator("list_functions").paginate()
    return next(one for page in pages for one in page["Functions"] if part in one["FunctionName"])
