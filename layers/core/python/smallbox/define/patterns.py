r"""Regular expressions for texts, checked at import so that none can backtrack catastrophically.

Python's matcher backtracks: it tries one way of matching after another. A product bounds the number of ways: each
repeat that can backtrack contributes its number of possible lengths, each alternative a factor of two. Two rules keep
the product small, and both are checked on the pattern. A group may only be repeated possessively: ``(...)*+`` never
backtracks, while ``(a+)*`` has exponentially many ways. And the product is at most ``MAX_WAYS``.
"""

import re
from typing import Final

from smallbox.errors import DefinitionError

TEXT_LIMIT: Final = 256
"""The maximum length of a text, in characters."""

MAX_WAYS: Final = (TEXT_LIMIT + 1) ** 3
"""The maximum number of ways to match: three unbounded repeats, like ``[a-z]+@[a-z]+\\.[a-z]+``, and nothing else."""

_UNREADABLE: Final = re.compile(r"\(\?(?:#|[aiLmsu]*x)")
_ATOM: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT: Final = re.compile(r"(\)?)(?:([*+?])|\{(\d*)(,?)(\d*)\})([+?]?)")


def check_pattern(pattern: str) -> None:
    r"""Raise unless the pattern is a valid regular expression that is fast on every text of 256 characters.

    >>> check_pattern(r"[A-Z]{2}\d{1,4}")

    Raises:
        DefinitionError: naming the pattern and what to write instead.
    """
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise DefinitionError(f"pattern {pattern!r} is not a regular expression: {error}; correct it") from error
    plain = _ATOM.sub("x", pattern)
    if _UNREADABLE.search(plain):
        raise DefinitionError(f"pattern {pattern!r}: leave the comment or the flag x out; write it in one piece")
    ways = 2 ** plain.count("|")
    for repeat in _REPEAT.finditer(plain.replace("(?", "(")):
        ways *= _ways(pattern, repeat)
    if ways > MAX_WAYS:
        raise DefinitionError(
            f"pattern {pattern!r} has too many repeats and alternatives, so matching may be slow; keep at most three "
            "repeats without an upper limit, or make some possessive, like '[a-z]++'"
        )


def _ways(pattern: str, repeat: re.Match[str]) -> int:
    group, sign, least, comma, most, kind = repeat.groups()
    text = repeat.group().removeprefix(")")
    if text in {"{}", "{}+", "{}?"}:
        return 1  # two literal braces, not a repeat
    if sign == "?":
        return 1 if kind == "+" else 2
    if group and kind != "+":
        raise DefinitionError(
            f"pattern {pattern!r}: repeating the group before {text!r} may backtrack for ever; write "
            f"{text.rstrip('?') + '+'!r}, which never backtracks, or repeat a single character or class"
        )
    if group:
        return TEXT_LIMIT
    if kind == "+" or (not sign and not comma):
        return 1
    highest = min(int(most), TEXT_LIMIT) if most else TEXT_LIMIT
    return max(highest - int(least or 0), 0) + 1
