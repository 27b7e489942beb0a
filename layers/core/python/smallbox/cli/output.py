"""What commands print: one JSON document, for people and programs alike."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any


def printed(command: Callable[[argparse.Namespace], Any]) -> Callable[[argparse.Namespace], None]:
    """The command, printing the document that it returns."""

    def run(arguments: argparse.Namespace) -> None:
        json.dump(command(arguments), sys.stdout, indent=2)
        sys.stdout.write("\n")

    return run
