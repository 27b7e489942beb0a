"""What commands read and print: JSON lines in, one JSON document out, for people and programs alike."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from smallbox.errors import MalformedBody


def printed(command: Callable[[argparse.Namespace], Any]) -> Callable[[argparse.Namespace], int]:
    """The command, printing the document that it returns; 1 when all that it sent was rejected."""

    def run(arguments: argparse.Namespace) -> int:
        document = command(arguments)
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
        sys.stdout.flush()
        return int(_is_all_rejected(document))

    return run


def _is_all_rejected(document: Any) -> bool:
    if not isinstance(document, Mapping) or not document.get("rejected"):
        return False
    return not (document.get("accepted") or document.get("scored"))


def json_lines(text: str, name: str) -> list[str]:
    """The lines of a text that are not blank, each of them JSON.

    Raises:
        MalformedBody: naming the line that is not.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                json.loads(line)
            except ValueError as error:
                raise MalformedBody(f"{name}:{number} is not JSON: {error}; nothing was sent") from error
            lines.append(line)
    return lines
