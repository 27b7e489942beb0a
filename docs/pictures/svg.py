"""A few shapes of SVG, on a white ground so that they are readable in dark mode too."""

from html import escape
from typing import Final, Literal

FONT: Final = "Helvetica, Arial, sans-serif"
INK: Final = "#1f2933"
GREY: Final = "#52606d"
PALE: Final = "#e4e7eb"

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


class Drawing:
    """Shapes in the order in which they were added; a later one covers an earlier one.

    Args:
        width: in pixels.
        height: in pixels.
        title: what the picture shows, for people who hear it read out.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self._shapes: list[str] = []
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" font-family="{FONT}">\n<title>{escape(title)}</title>\n'
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            f'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="{GREY}"/></marker></defs>'
        )
        self.box(0, 0, width, height, fill="#ffffff", edge="none", round_=0)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str,
        edge: str,
        round_: int = 6,
        thick: float = 1.5,
    ) -> None:
        """A rectangle."""
        self._shapes.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round_}" fill="{fill}" '
            f'stroke="{edge}" stroke-width="{thick:g}"/>'
        )

    def text(
        self, x: float, y: float, words: str, *, size: int = 14, anchor: Anchor = "start", bold: bool = False,
        colour: str = INK,
    ) -> None:  # fmt: skip
        """One line of text; ``y`` is its base line."""
        weight = ' font-weight="bold"' if bold else ""
        self._shapes.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>'
            f"{escape(words)}</text>"
        )

    def line(self, *points: Point, colour: str = GREY, thick: float = 1.5, dashed: bool = False) -> None:
        """A line through points."""
        self._path(points, f'stroke="{colour}" stroke-width="{thick:g}"', dashed=dashed)

    def arrow(self, *points: Point, both: bool = False, dashed: bool = False) -> None:
        """A line through points with a head at its end, or at both ends."""
        start = ' marker-start="url(#head)"' if both else ""
        style = f'stroke="{GREY}" stroke-width="1.5" marker-end="url(#head)"{start}'
        self._path(points, style, dashed=dashed)

    def area(self, *points: Point, fill: str, edge: str) -> None:
        """A closed shape."""
        way = "L".join(f"{x:g} {y:g}" for x, y in points)
        self._shapes.append(f'<path d="M{way}z" fill="{fill}" stroke="{edge}" stroke-width="1.5"/>')

    def dot(self, x: float, y: float, colour: str) -> None:
        """A point of a plot."""
        self._shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="{colour}"/>')

    def _path(self, points: tuple[Point, ...], style: str, *, dashed: bool) -> None:
        way, dashes = "L".join(f"{x:g} {y:g}" for x, y in points), ' stroke-dasharray="5 4"' if dashed else ""
        self._shapes.append(f'<path d="M{way}" fill="none" {style}{dashes}/>')

    def svg(self) -> str:
        """The whole document."""
        return "\n".join([self._head, *self._shapes, "</svg>\n"])
