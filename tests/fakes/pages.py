"""The code that the documentation shows, run as it stands there."""

import re
from typing import Any

from infra.deployment import ROOT


def calling_example() -> dict[str, Any]:
    """Run the one Python example of ``docs/calling.md``; the names that it leaves behind."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/calling.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    return names
