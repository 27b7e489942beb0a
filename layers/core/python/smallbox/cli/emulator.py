"""The AWS emulator (MiniStack) as a child process, with IAM enforced."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallbox.cli.checkout import clean_environment, state_folder
from smallbox.cli.local import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY
from smallbox.errors import Unavailable

PORT: Final = 4566
_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10
_children: Final[dict[int, "subprocess.Popen[bytes]"]] = {}


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator; its process leads a process group that includes the workers of the functions."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        """The endpoint of all its services."""
        return f"http://{_HOST}:{self.port}"


def start_emulator() -> Emulator:
    """Start an emulator and wait until it answers; its log is ``.smallbox/emulator.log``.

    Raises:
        Unavailable: if it does not start in time; it is stopped then.
    """
    port = _free_port()
    with (state_folder() / "emulator.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=emulator_environment(port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[process.pid] = process
    emulator = Emulator(process.pid, port)
    try:
        _wait(process, emulator)
    except BaseException:
        stop_emulator(emulator.pid)
        raise
    return emulator


def stop_emulator(pid: int) -> None:
    """Stop the emulator's process group, workers included, and wait until it has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _STOP_SECONDS
        _signal_group(pid, number)
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
    if pid in _children:
        _children.pop(pid).wait(_STOP_SECONDS)
    shutil.rmtree(_temporary(), ignore_errors=True)


def alive(pid: int) -> bool:
    """Whether a process of the emulator's group still runs; zombies do not count."""
    if pid in _children:
        _children[pid].poll()  # reaps it if it has ended; init reaps those that another process started
    listing = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True)  # noqa: S607
    lines = (line.split(maxsplit=2) for line in listing.stdout.splitlines())
    # The pid may belong to another program by now: check the command line.
    return any(line[0] == str(pid) and line[1][0] != "Z" and "ministack" in line[-1] for line in lines)


def _signal_group(pid: int, number: int) -> None:
    if alive(pid):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)


def _temporary() -> Path:
    return state_folder() / "tmp"


def _free_port() -> int:
    for port in (PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise Unavailable("no free port for the emulator")


def emulator_environment(port: int) -> dict[str, str]:
    """The emulator's environment: our settings, without AWS settings and proxies of the shell."""
    folder = state_folder()
    _temporary().mkdir(exist_ok=True)
    return {
        **clean_environment(),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": _HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "PERSIST_STATE": "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(_temporary()),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
    }


def _wait(process: "subprocess.Popen[bytes]", emulator: Emulator) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _answers(emulator):
            return
        time.sleep(0.1)
    raise Unavailable(f"the emulator did not start; see {state_folder() / 'emulator.log'}")


def _answers(emulator: Emulator) -> bool:
    import urllib.request  # noqa: PLC0415 - `smallbox check` need not load it

    try:
        with urllib.request.urlopen(f"{emulator.url}/_ministack/health", timeout=2) as answer:  # noqa: S310 our own
            return bool(answer.status == 200)  # noqa: PLR2004
    except OSError:
        return False
