"""Proves that clients of the Open Inference Protocol from PyPI, unchanged, are answered through ``smallbox proxy``."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from infra.deployment import ROOT
from smallbox import __version__
from smallbox.cli.demo import MODEL
from smallbox.cli.demo.flights import as_lines
from tests.deployed.conftest import Deployed

pytestmark = pytest.mark.deployed

Asked = tuple[list[Any], list[float]]
"""Instances, and their scores by our own route."""

PYTHON = ROOT / ".build/clients/bin/python"
SERVER = {"name": "smallbox", "version": __version__, "extensions": ["binary_tensor_data"]}


@pytest.fixture
def proxy(deployed: Deployed) -> Iterator[str]:
    """The command as a user starts it; host and port of where it listens."""
    command = [sys.executable, "-m", "smallbox.cli.main", "proxy", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603
        assert running.stderr is not None
        listening = re.match(r"http://(127\.0\.0\.1:\d+) signs requests for ", running.stderr.readline())
        assert listening
        yield listening[1]
        running.terminate()
        assert running.wait(10) == 0


def asked(client: str, host: str, instances: list[Any]) -> Any:
    """What a client found, run in the environment that has it."""
    assert PYTHON.exists(), "the clients are not installed; `make .build/clients.stamp`"
    question = json.dumps({"host": host, "model": MODEL, "instances": instances})
    program = str(ROOT / f"tests/clients/{client}.py")
    ended = subprocess.run([PYTHON, program], input=question, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture
def flights(deployed: Deployed) -> Asked:
    """Some flights, every field of which has a value, and their scores by our own route."""
    lines = as_lines(deployed.records.departures.dropna().iloc[:20])
    scores = [prediction["score"] for prediction in deployed.system.predict(MODEL, lines)]
    return [json.loads(line) for line in lines], scores


def test_tritonclient_works_with_its_defaults(deployed: Deployed, proxy: str, flights: Asked) -> None:
    """Bytes in, without a content type, and bytes out; the scores are those of our own route, to the last bit."""
    instances, scores = flights
    found = asked("with_tritonclient", proxy, instances)
    assert found["outputs"] == {"default": scores, "named": scores, "json": scores}
    assert (found["live"], found["ready"], found["not_ready"]) == (True, [True] * 2, [False] * 2)
    assert (found["server"], found["inputs"]) == (SERVER, True)
    assert found["response"]["id"] == "mine"
    assert "binary_data_size" in found["response"]["outputs"][0]["parameters"]
    _refusals(found)
    assert found["server_ready"] is _is_ready(deployed)


def test_open_inference_openapi_works(deployed: Deployed, proxy: str, flights: Asked) -> None:
    """JSON in and out, and its types are strict."""
    instances, scores = flights
    found = asked("with_open_inference", proxy, instances)
    assert found["outputs"] == {"default": scores, "named": scores}
    assert (found["server"], found["inputs"]) == (SERVER, True)
    assert found["response"]["id"] == "mine"
    _refusals(found)
    assert found["server_ready"] is _is_ready(deployed)


def _is_ready(deployed: Deployed) -> bool:
    """Whether every model has a champion, which the protocol calls a server that is ready."""
    return all(model["routing"] for model in deployed.system.request("GET", "/models")["models"])


def _refusals(found: Any) -> None:
    """What a client shows of an error is our sentence."""
    refused = {name: (int(found[name][0]), found[name][1]) for name in ("unknown", "incomplete", "other")}
    assert {name: status for name, (status, _) in refused.items()} == {"unknown": 404, "incomplete": 422, "other": 404}
    assert "no_such_model" in refused["unknown"][1]
    assert "must have a value" in refused["incomplete"][1]
    assert "answers requests" in refused["other"][1]
