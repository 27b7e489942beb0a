r"""Patterns of texts: regular expressions whose cost is bounded when the definition is imported.

Python's regular expressions try one way of matching after another. How many ways there are is bounded by a product: a
repeat that can give characters back has as many as it has lengths, an alternative two. Two rules keep the product
small, both read off the pattern: a group repeats only possessively (``(...)*+`` keeps what it has matched, where
``(a+)*`` has exponentially many ways), and the product is at most ``MOST_WAYS``.
"""

import re
from typing import Final

from smallbox.errors import DefinitionError

TEXT_LIMIT: Final = 256
"""The greatest length of a text, in characters."""

MOST_WAYS: Final = (TEXT_LIMIT + 1) ** 3
"""Three unbounded repeats, like ``[a-z]+@[a-z]+\\.[a-z]+``, and nothing beside them."""

_UNREADABLE: Final = re.compile(r"\(\?(?:#|[aiLmsu]*x)")
_ATOM: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT: Final = re.compile(r"(\)?)(?:([*+?])|\{(\d*)(,?)(\d*)\})([+?]?)")


def check_pattern(pattern: str) -> None:
    r"""Refuse what is no regular expression, or could take long on a text of 256 characters.

    >>> check_pattern(r"[A-Z]{2}\d{1,4}")

    Raises:
        DefinitionError: with the pattern and what to write instead.
    """
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise DefinitionError(f"pattern {pattern!r} is not a regular expression: {error}; mend it") from error
    plain = _ATOM.sub("x", pattern)
    if _UNREADABLE.search(plain):
        raise DefinitionError(f"pattern {pattern!r}: leave the comment or the flag x out; write it in one piece")
    ways = 2 ** plain.count("|")
    for repeat in _REPEAT.finditer(plain.replace("(?", "(")):
        ways *= _ways(pattern, repeat)
    if ways > MOST_WAYS:
        raise DefinitionError(
            f"pattern {pattern!r} has too many repeats and alternatives, which may take long; keep at most three "
            "repeats without an upper limit, or make some possessive, like '[a-z]++'"
        )


def _ways(pattern: str, repeat: re.Match[str]) -> int:
    group, sign, least, comma, most, kind = repeat.groups()
    text = repeat.group().removeprefix(")")
    if text in {"{}", "{}+", "{}?"}:
        return 1  # no repeat, but two braces
    if sign == "?":
        return 1 if kind == "+" else 2
    if group and kind != "+":
        raise DefinitionError(
            f"pattern {pattern!r}: the group before {text!r} may take for ever; write {text.rstrip('?') + '+'!r}, "
            "which gives nothing back, or repeat a single character or class"
        )
    if group:
        return TEXT_LIMIT
    if kind == "+" or (not sign and not comma):
        return 1
    highest = min(int(most), TEXT_LIMIT) if most else TEXT_LIMIT
    return max(highest - int(least or 0), 0) + 1
