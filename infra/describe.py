"""Writes ``docs/permissions.md`` from ``permissions.py``; with ``--check`` says whether it is up to date."""

import argparse
import sys
from collections.abc import Iterator
from typing import Final

from infra.permissions import EVERY_FUNCTION, EVERY_MACHINE, GRANTS, Grant
from infra.settings import ROOT

PAGE: Final = ROOT / "docs" / "permissions.md"

_HEAD: Final = """\
# Permissions

Generated from `infra/permissions.py` by `make docs`. Nothing else in the app writes an IAM policy, and no
action has a wildcard. A function, a state machine or a schedule may do exactly this:

| who | on | may | why a part of it is `*` |
|---|---|---|---|
"""


def page() -> str:
    """The page, as it should be."""
    shared = {"every function": EVERY_FUNCTION, "every state machine": EVERY_MACHINE}
    rows = [row for who, grants in {**shared, **GRANTS}.items() for row in _rows(who, grants)]
    return _HEAD + "\n".join(rows) + "\n"


def _rows(who: str, grants: tuple[Grant, ...]) -> Iterator[str]:
    for grant in grants:
        actions = ", ".join(f"`{action}`" for action in grant.actions)
        yield f"| {who} | `{grant.on}` | {actions}{_limit(grant)} | {grant.reason} |"


def _limit(grant: Grant) -> str:
    if grant.prefixes:
        return f" under {', '.join(f'`{prefix}`' for prefix in grant.prefixes)}"
    return f" in namespace `{grant.namespace}`" if grant.namespace else ""


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is out of date")
    if not parser.parse_args().check:
        PAGE.write_text(page())
    elif not PAGE.exists() or PAGE.read_text() != page():
        sys.stderr.write(f"{PAGE.relative_to(ROOT)} is out of date; run `make docs`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
