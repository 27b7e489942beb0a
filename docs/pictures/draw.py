"""Draws the pictures of the pages: ``python -m docs.pictures.draw``.

They are SVG, written by this script alone and committed; a test compares them with what it draws.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docs.pictures import feedback_loop, loop, report, window

FOLDER: Final = Path(__file__).parent
PICTURES: Final[Mapping[Path, Callable[[], str]]] = {
    FOLDER / "loop.svg": loop.draw,
    FOLDER / "window.svg": window.draw,
    FOLDER / "report.svg": report.draw,
    FOLDER / "feedback_loop.svg": feedback_loop.draw,
}
"""Each picture, and what draws it."""


def main() -> None:
    """Write all of them."""
    for path, draw in PICTURES.items():
        path.write_text(draw())


if __name__ == "__main__":
    main()
