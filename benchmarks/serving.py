"""What an online prediction costs, and how soon a fresh process gives its first: Smallbox beside its peers.

Run: ``make bench``, or ``python benchmarks/serving.py [--rounds 5] [--requests 1000] [--pause 1]``. The model has 100
trees, 20 numbers and 2 texts; ``with windows`` also 2 parties with 6 window features each. Every way runs in fresh
processes on one core, in turns, so that a busy machine is busy for all. Counted is the processor's time of the process
alone, from event or request to response. Before each request every way sleeps for a millisecond, as requests come one
by one: else a way that never waits would find the processor's caches warm from its last request, and ours, which waits
for stores, would not. ``--pause 0`` leaves that out.

Smallbox is the handler of ``functions/serving/predict`` with its layers as they are published: on a path of their own,
with bytecode, never written to. DynamoDB, SQS and S3 answer over loopback from another process on another core; in the
rows *stubbed* they answer in its process, at the socket, and their own time is subtracted. It
reads routing and states, checks, scores, and sends the log. The peers read no store and log nothing. FastAPI, MLflow's
scoring server and BentoML's service are called in their process through ASGI, which spares them the HTTP server that
they run behind. FastAPI and the bare call run the same ONNX model; MLflow and BentoML the scikit-learn pipeline that it
was exported from. All must give the same scores. Peers have environments of their own, compiled to bytecode; one that
is not installed is left out, and named.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

from benchmarks.served.made import make  # noqa: E402 - a program finds its folder first
from benchmarks.served.printed import (  # noqa: E402
    BARE,
    BENTOML,
    CLIENTS,
    FASTAPI,
    KERNEL,
    MLFLOW,
    PLAIN,
    PLAIN_STUBBED,
    SOURCE,
    WINDOWS,
    WINDOWS_STUBBED,
    figures,
    print_goals,
    print_steps,
    print_ways,
)
from infra import wheels  # noqa: E402
from infra.bytecode import compile_folder  # noqa: E402

BUILD: Final = ROOT / ".build"
SERVED: Final = ROOT / "benchmarks/served"
LAYERS: Final = BUILD / "serving"
"""Copies of the layers: one with bytecode, one without."""

HANDLER_CORE, STORES_CORE = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
STEP_SECONDS: Final = 10
UNMEASURED: Final = 201
"""The first request of a process, and those that warm it up."""


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the table.

    Attributes:
        module: ``served/with_<module>.py``.
        python: the command of its Python.
        paths: where it finds its modules, beside its environment.
        model: ``plain`` or ``windows``; none for the round trip.
        is_called: whether later requests are measured too, not only the first.
        has_clients: whether it makes boto3's clients.
    """

    module: str
    python: tuple[str, ...]
    paths: tuple[Path, ...]
    model: str = "plain"
    is_called: bool = True
    has_clients: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is measured of each way.

    Attributes:
        rounds: fresh processes.
        requests: measured requests of each.
        pause: seconds before each request.
    """

    rounds: int
    requests: int
    pause: float


def peer(module: str, environment: str, *, has_clients: bool = False) -> Way:
    """A way in an environment of its own."""
    return Way(module, (str(BUILD / environment / "bin/python"), "-I"), (ROOT,), has_clients=has_clients)


def ours(layers: Path, model: str = "plain", *, is_called: bool = True, module: str = "smallbox") -> Way:
    """Our function with nothing but its layers and the standard library, on a path that is not written to."""
    paths = (ROOT / "functions/serving/predict", layers, ROOT)
    return Way(module, (sys.executable, "-I", "-S", "-B"), paths, model, is_called)


WAYS: Final = {
    PLAIN: ours(LAYERS / "bytecode"),
    WINDOWS: ours(LAYERS / "bytecode", "windows"),
    PLAIN_STUBBED: ours(LAYERS / "bytecode", module="stubbed"),
    WINDOWS_STUBBED: ours(LAYERS / "bytecode", "windows", module="stubbed"),
    SOURCE: ours(LAYERS / "source", is_called=False),
    FASTAPI: peer("fastapi", "fastapi"),
    CLIENTS: peer("fastapi", "fastapi", has_clients=True),
    BARE: peer("onnxruntime", "fastapi"),
    KERNEL: Way("socket", (sys.executable, "-I", "-S", "-B"), (ROOT,), "none"),
    MLFLOW: peer("mlflow", "mlflow"),
    BENTOML: peer("bentoml", "bentoml"),
}


def copy_layers() -> None:
    """The layers of the function with this machine's wheels, and our definitions: with bytecode, and without."""
    shutil.rmtree(LAYERS, ignore_errors=True)
    wheeled = [wheels.build_host(runtime) / "python" for runtime in wheels.COMPUTE]
    for kind in ("source", "bytecode"):
        for folder in (ROOT / "layers/core/python", *wheeled):
            without = shutil.ignore_patterns("__pycache__", ".lock")
            shutil.copytree(folder, LAYERS / kind, ignore=without, copy_function=os.link, dirs_exist_ok=True)
        shutil.copytree(SERVED / "definitions", LAYERS / kind / "definitions", ignore=without)
    compile_folder(LAYERS / "bytecode", (sys.executable,))


@contextmanager
def stores(folder: Path) -> Iterator[Mapping[str, str]]:
    """The stores in a process of their own; yields the environment of a function that reaches them."""
    command = [sys.executable, str(SERVED / "stores.py"), str(folder), str(STORES_CORE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 ourselves
        url = f"http://127.0.0.1:{(process.stdout or sys.stdin).readline().strip()}"
        settings = {"LAKE_BUCKET": "lake", "ONLINE_TABLE": "online", "REGISTRY_TABLE": "registry"}
        settings |= {"LIMITS_TABLE": "limits", "AS_OF": "refused"}
        settings["PREDICTIONS_QUEUE"] = f"{url}/123456789012/predictions"
        try:
            yield {
                "AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s" * 40,
                "AWS_SESSION_TOKEN": "t" * 900,  # about as long as Lambda's
                "POWERTOOLS_SERVICE_NAME": "serving/predict", "POWERTOOLS_LOG_LEVEL": "INFO",
                **{f"SMALLBOX_{name}": value for name, value in settings.items()},
            }  # fmt: skip
        finally:
            process.kill()


def run(way: Way, script: str, arguments: tuple[object, ...], environment: Mapping[str, str]) -> dict[str, Any]:
    """A script of ``served`` in the way's Python; what its last line says."""
    paths = os.pathsep.join(map(str, way.paths))
    command = [*way.python, str(SERVED / script), *map(str, arguments), str(HANDLER_CORE), paths]
    variables = os.environ | environment | ({"WITH_CLIENTS": "1"} if way.has_clients else {})
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)  # noqa: S603 ourselves
    if ended.returncode:
        raise SystemExit(f"{way.module}: {ended.stderr}")
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def measured(
    ways: Mapping[str, Way], folder: Path, asked: Asked, environment: Mapping[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """What each way says of itself, round by round."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(asked.rounds):
        for name, way in ways.items():
            requests = asked.requests if way.is_called else 0
            given = (way.module, way.model, folder, requests, asked.pause, time.monotonic())
            found[name].append(run(way, "measure.py", given, environment))
    return found


def check_equal(found: Mapping[str, list[dict[str, Any]]], ways: Mapping[str, Way]) -> None:
    """Raise unless all ways with the same model gave the same scores."""
    expected = found[BARE][0]["outputs"]
    for name, rounds in found.items():
        if ways[name].model == "plain":
            np.testing.assert_allclose(rounds[0]["outputs"], expected, rtol=0, atol=1e-5, err_msg=name)
        elif name == WINDOWS and len(set(rounds[0]["outputs"])) < UNMEASURED / 2:
            raise SystemExit(f"{name}: its scores hardly differ")


def installed() -> dict[str, Way]:
    """The ways whose environment is there; names the others."""
    for name, way in WAYS.items():
        if not Path(way.python[0]).exists():
            print(f"{name}: not installed; `make bench` installs it")
    return {name: way for name, way in WAYS.items() if Path(way.python[0]).exists()}


def main(asked: Asked) -> None:
    """Print the tables."""
    ways = installed()
    copy_layers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, UNMEASURED + asked.requests)
        if MLFLOW in ways:
            save = [ways[MLFLOW].python[0], "-m", "benchmarks.served.with_mlflow", name]
            subprocess.run(save, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)  # noqa: S603 ourselves
        with stores(folder) as environment:
            found = measured(ways, folder, asked, environment)
            steps = {
                name: run(ways[name], "steps.py", (ways[name].model, folder, STEP_SECONDS, asked.pause), environment)
                for name in (PLAIN, WINDOWS)
            }
    check_equal(found, ways)
    told = {name: figures(one) for name, one in found.items()}
    print(f"{asked.requests:,} requests {asked.pause * 1000:g} ms apart, in each of {asked.rounds} processes\n")
    print_ways(told)
    print_goals(told)
    print_steps(steps, told)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--requests", type=int, default=1_000)
    arguments.add_argument("--pause", type=float, default=1, help="milliseconds before each request")
    chosen = arguments.parse_args()
    main(Asked(chosen.rounds, chosen.requests, chosen.pause / 1000))
