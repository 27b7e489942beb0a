"""Proves on the deployed stack that the parts of a file are scored apart, and a file only once."""

import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from smallbox.aws.blobs import S3Blobs
from smallbox.cli.demo import MODEL
from smallbox.cli.replay.evidence import lake_of
from smallbox.cli.system import System
from smallbox.errors import Unavailable
from smallbox.ingestion.file_parts import FileSplitter, Sizes
from smallbox.ingestion.parts_folder import parts_folder_of
from smallbox.ingestion.readers import Limits
from smallbox.registry.routing import Routing
from smallbox.serving.scored_file import ScorePlan, predictions_name, score_folder
from smallbox.times import to_micros
from tests.deployed.conftest import Deployed

pytestmark = pytest.mark.deployed


def test_a_part_that_fails_is_scored_again_alone_and_a_file_only_once(deployed: Deployed) -> None:
    """A part fails in its own execution; dropped again, only that part is scored, and once more, nothing changes.

    That the machine tries a part again by itself is held by its template: the emulator does not tell an error's class.
    """
    system, rows = deployed.system, deployed.records.departures.iloc[:50]
    texts = rows.assign(scheduled_at=rows["scheduled_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    key, content = f"score/{MODEL}/in/cut.csv", texts.to_csv(index=False).encode()
    tag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    inbox = S3Blobs(system.outputs["InboxBucket"], system.client("s3"))
    folder = score_folder(inbox, parts_folder_of(key, tag))
    limits = Limits(rows=20, bytes=10**6)
    firsts = folder.keep(key, FileSplitter(key, io.BytesIO(content), Sizes(limits, limits)).parts())
    now = to_micros(datetime.now(UTC))
    folder.write(ScorePlan(key, MODEL, tag, now, Routing(1).as_json(), firsts))
    withheld = inbox.get(f"{folder.path}/00001.csv")
    inbox.delete(f"{folder.path}/00001.csv")

    parts = [{"folder": folder.path, "number": number} for number in range(3)]
    out = f"score/{MODEL}/out/cut.csv"
    with pytest.raises(Unavailable, match="scoring failed"):
        system.run("ScoringMachine", {"key": key, "folder": folder.path, "parts": parts})
    first = _written(system, f"{out}/predictions")
    assert [name.rpartition("/")[2] for name in first] == [predictions_name(n, 3) for n in (0, 2)]
    assert "1 of 3 parts" in json.loads(inbox.get(f"{out}/report.json"))["error"]["message"]

    inbox.put(f"{folder.path}/00001.csv", withheld)
    inbox.put(key, content)
    system.wait_for_object("InboxBucket", f"{out}/_SUCCESS")
    assert json.loads(inbox.get(f"{out}/report.json"))["scored"] == 50
    scored, log = _written(system, f"{out}/"), lake_of(system).version(f"predictions/{MODEL}")
    assert first.items() <= scored.items()

    inbox.put(key, content)
    system.drain(["ScoresQueue"])
    assert _written(system, f"{out}/") == scored
    assert lake_of(system).version(f"predictions/{MODEL}") == log


def _written(system: System, prefix: str) -> dict[str, Any]:
    """When each object under a prefix was written."""
    found = system.client("s3").list_objects_v2(Bucket=system.outputs["InboxBucket"], Prefix=prefix)
    return {item["Key"]: item["LastModified"] for item in found.get("Contents", [])}
