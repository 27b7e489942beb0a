"""The emulator starts, enforces IAM, and leaves nothing behind when it stops."""

import socket
import subprocess
from pathlib import Path

import pytest
import urllib3

from smallbox.cli import emulator
from smallbox.cli.checkout import MARK


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that passes for a checkout."""
    (tmp_path / MARK).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _group(pid: int) -> list[str]:
    listing = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True)  # noqa: S607
    rows = (line.split(maxsplit=2) for line in listing.stdout.splitlines())
    return [row[-1] for row in rows if row[0] == str(pid) and not row[1].startswith("Z")]


def test_it_leaves_no_process_and_no_workers_files(checkout: Path) -> None:
    """After stop the whole process group is gone, and so are the folders that its workers ran in."""
    started = emulator.start_emulator()
    assert _group(started.pid)
    emulator.stop_emulator(started.pid)
    assert _group(started.pid) == []
    assert not (checkout / ".smallbox" / "tmp").exists()


@pytest.mark.usefixtures("checkout")
def test_it_takes_another_port_when_its_own_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second checkout, or LocalStack, may have the usual port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(emulator, "PORT", taken.getsockname()[1])
        started = emulator.start_emulator()
    try:
        assert started.port != emulator.PORT
        assert urllib3.request("GET", f"{started.url}/_ministack/health").status == 200
    finally:
        emulator.stop_emulator(started.pid)


@pytest.mark.usefixtures("checkout")
def test_it_keeps_accounts_and_proxies_of_the_shell_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile, a session or a proxy meant for real AWS never reaches a local function."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "meant for elsewhere")
    assert "meant for elsewhere" not in emulator.emulator_environment(4566).values()


def test_stopping_what_is_not_running_is_no_error(checkout: Path) -> None:
    """`smallbox down` twice is as good as once; a stale number is never signalled."""
    assert checkout.exists()
    emulator.stop_emulator(2**22 + 1)
