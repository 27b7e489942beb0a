"""What the light functions may import."""

import subprocess
import sys


def test_the_stream_needs_no_arrow() -> None:
    """The stream, serving and collecting never load pyarrow or pandas, which their layers do not have."""
    light = "smallbox.features.stream, smallbox.features.windows.state, smallbox.ingestion.contract"
    program = (
        f"import sys, {light}, smallbox.messages.records; print([m for m in ('pyarrow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.strip() == "[]"
