"""Writes the generated pages of the documentation; with ``--check`` only checks that they are up to date."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from infra.deployment import ROOT
from infra.grant import Grant
from infra.grants import EVERY_FUNCTION, EVERY_MACHINE, GRANTS
from infra.people_grants import AS_OF, OPERATOR
from infra.rules import rules_page
from infra.tables import tables_page

_HEAD: Final = """\
# Permissions

Generated from `infra/grants.py` by `make docs`. Nothing else in the app writes an IAM policy, and no
action has a wildcard. A function, a state machine or a schedule may do exactly this:

| who | on | may | why a part of it is `*` |
|---|---|---|---|
"""


_OPERATOR_HEAD: Final = """
## Operators

Whoever runs `smallbox --on ...` needs these. They are the managed policy whose ARN is the output `OperatorPolicy`;
attach it to a role, a user or a permission set:

| who | on | may | why a part of it is `*` |
|---|---|---|---|
"""

_AS_OF_HEAD: Final = """
## Requests as of a past moment

A deployment to AWS refuses `?as_of=`. With the setting `"as_of": "granted"` in `cdk.json` the API has a second stage,
the output `AsOfUrl`, that takes it. Who may call that stage has the managed policy of the output `AsOfPolicy`:

| who | on | may | why a part of it is `*` |
|---|---|---|---|
"""


def permissions_page() -> str:
    """The generated page of all IAM grants."""
    shared = {"every function": EVERY_FUNCTION, "every state machine": EVERY_MACHINE}
    rows = [row for who, grants in {**shared, **GRANTS}.items() for row in _rows(who, grants)]
    sections = {_HEAD: rows, _OPERATOR_HEAD: _rows("an operator", OPERATOR), _AS_OF_HEAD: _rows("a replay", AS_OF)}
    return "".join(head + "\n".join(found) + "\n" for head, found in sections.items())


def _rows(who: str, grants: tuple[Grant, ...]) -> Iterator[str]:
    for grant in grants:
        actions = ", ".join(f"`{action}`" for action in grant.actions)
        yield f"| {who} | `{grant.on}` | {actions}{_limit(grant)} | {grant.reason} |"


def _limit(grant: Grant) -> str:
    if grant.prefixes:
        return f" under {', '.join(f'`{prefix}`' for prefix in grant.prefixes)}"
    return f" in namespace `{grant.namespace}`" if grant.namespace else ""


PAGES: Final[Mapping[Path, Callable[[], str]]] = {
    ROOT / "docs" / "permissions.md": permissions_page,
    ROOT / "docs" / "rules.md": rules_page,
    ROOT / "docs" / "tables.md": tables_page,
}


def out_of_date() -> list[Path]:
    """The pages that differ from what the code generates."""
    return [path for path, page in PAGES.items() if not path.exists() or path.read_text() != page()]


def main() -> int:
    """Write the pages, or check them; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is out of date")
    is_check = parser.parse_args().check
    old = out_of_date()
    for path in old:
        if is_check:
            sys.stderr.write(f"{path.relative_to(ROOT)} is out of date; run `make docs`\n")
        else:
            path.write_text(PAGES[path]())
    return int(is_check and bool(old))


if __name__ == "__main__":
    sys.exit(main())
