"""Both deployments, synthesized once for all tests: as `cdk synth` does, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import wheels
from infra.deployment import ROOT
from smallbox.cli.checkout import with_tools
from tests.infra.templates import Assembly


def _synthesize(folder: Path, context: str) -> "subprocess.Popen[bytes]":
    environment = with_tools(os.environ) | {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": context}
    return subprocess.Popen([sys.executable, "-O", "-m", "infra.app"], cwd=ROOT, env=environment)


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """Both, by name."""
    for runtime in wheels.RUNTIMES:
        wheels.build_layer(runtime)
    folders = {name: tmp_path_factory.mktemp(name) for name in ("aws", "local")}
    contexts = {"aws": "{}", "local": '{"deployment": "local"}'}
    running = [_synthesize(folder, contexts[name]) for name, folder in folders.items()]
    assert [process.wait() for process in running] == [0, 0]
    return {name: Assembly.read(folder) for name, folder in folders.items()}


@pytest.fixture(scope="session")
def aws(assemblies: dict[str, Assembly]) -> Assembly:
    """What AWS gets."""
    return assemblies["aws"]


@pytest.fixture(scope="session")
def local(assemblies: dict[str, Assembly]) -> Assembly:
    """What the emulator gets."""
    return assemblies["local"]
