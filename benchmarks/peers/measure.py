"""One engine in its own process: ``python -m benchmarks.peers.measure ENGINE FOLDER``.

Loads the inputs, then runs three times. Writes the answers to the folder and prints a line of JSON: ``seconds`` of
each run; ``processor``, the seconds that all its threads together were computing; and ``megabytes``, the greatest
resident memory while running above that after loading (Linux counts it anew when asked to).
"""

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np

REPEATS = 3


def _resident(field: str) -> float:
    """A line of the process's status, in megabytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def main(engine: str, folder: Path) -> None:
    """Load, run, write, print."""
    module = importlib.import_module(f"benchmarks.peers.with_{engine}")
    given = module.load(folder)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, seconds, busy = _resident("VmRSS"), [], []
    for _ in range(REPEATS):
        begin, processor = time.perf_counter(), time.process_time()
        found = module.run(given)
        seconds.append(time.perf_counter() - begin)
        busy.append(time.process_time() - processor)
    megabytes = _resident("VmHWM") - before
    np.save(folder / f"{engine}.npy", found)
    print(json.dumps({"seconds": seconds, "processor": busy, "megabytes": megabytes}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
