"""Proves that the drills' checkout has the drills' definition, and nothing of the user's."""

import subprocess
import sys
from pathlib import Path

from infra.deployment import ROOT
from smallbox.cli.drills import command, definition
from smallbox.cli.drills.checkout import write_drill_checkout


def test_the_checkout_defines_the_model_of_the_drills_alone(tmp_path: Path) -> None:
    """Its definitions load in a process of their own, and the command recognises the checkout by the model's name."""
    folder = write_drill_checkout(ROOT, tmp_path / "drills")
    paths = ":".join(str(folder / f"layers/{layer}/python") for layer in ("definitions", "core"))
    script = "from smallbox.define.project import load; print(*load().models, *sorted(load().sources))"
    ended = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", script],
        env={"PYTHONPATH": paths},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == ["late_delivery", "deliveries", "orders", "weather"]
    assert definition.late_delivery.name == command._MODEL
