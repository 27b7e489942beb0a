"""A mistake in a user's definition: its file, its line, and one sentence with what to write."""

import difflib
import inspect
import re
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallbox.errors import DefinitionError, SmallboxError

_CALL: Final = re.compile(r"(\w+)(?:\.__init__)?\(\) (missing|got an unexpected keyword argument)(.*)")
_QUOTED: Final = re.compile(r"'(\w+)'")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        file: the user's file.
        line: the line in it, from 1.
        message: one sentence that says what is wrong and what to write.
    """

    file: str
    line: int
    message: str

    @property
    def sentence(self) -> str:
        """The mistake as ``file:line: message``, which editors can jump to.

        >>> Mistake("fraud.py", 7, "Model: label= is missing").sentence
        'fraud.py:7: Model: label= is missing'
        """
        return f"{self.file}:{self.line}: {self.message}"

    def as_error(self) -> DefinitionError:
        """The mistake as an error, with ``file`` and ``line`` in its details."""
        return DefinitionError(self.sentence, file=self.file, line=self.line)

    @classmethod
    def of(cls, error: DefinitionError) -> "Mistake":
        """The inverse of :meth:`as_error`.

        >>> Mistake.of(Mistake("fraud.py", 7, "no label").as_error())
        Mistake(file='fraud.py', line=7, message='no label')
        """
        file, line = error.details["file"], error.details["line"]
        return cls(file, line, error.message.removeprefix(f"{file}:{line}: "))


def mistake_of(error: BaseException, folder: Path, fallback: tuple[str, int] | None = None) -> Mistake:
    """Turn an error that a definition raised into a mistake with file and line.

    Args:
        error: any exception, with its traceback.
        folder: the folder of the user's files. The innermost frame inside it is the user's line.
        fallback: file and line to report when no frame is inside the folder.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return Mistake(error.filename, error.lineno or 1, mistake_sentence(error))
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if folder in Path(frame.f_code.co_filename).parents
    ]
    file, line = places[-1] if places else fallback or (str(folder), 1)
    return Mistake(file, line, mistake_sentence(error))


def mistake_sentence(error: BaseException) -> str:
    """Describe an error in one sentence, with what to write where that is known.

    >>> mistake_sentence(TypeError("Model.__init__() missing 2 required positional arguments: 'label' and 'estimator'"))
    'Model: label= and estimator= are missing; write them'
    >>> mistake_sentence(TypeError("number() got an unexpected keyword argument 'minimun'"))
    "number: there is no 'minimun='; write minimum=, or one of minimum, maximum, unit, nullable, pii"
    >>> mistake_sentence(NameError("name 'boolan' is not defined", name="boolan"))
    "name 'boolan' is not defined; did you mean 'boolean' of smallbox.define?"
    """
    if isinstance(error, SmallboxError):
        return error.message
    if isinstance(error, SyntaxError):
        return f"invalid Python syntax: {error.msg}"
    if isinstance(error, ModuleNotFoundError):
        return _of_package(error)
    if isinstance(error, NameError):
        return f"{error}{_hint(error.name or '')}"
    if isinstance(error, TypeError) and (found := _CALL.search(str(error))):
        return _of_call(*found.groups())
    return f"{type(error).__name__}: {error}"


def _of_package(error: ModuleNotFoundError) -> str:
    return (
        f"the package {error.name!r} is not installed; install it, or leave it out. Every function imports the "
        "definition: import what only training needs inside the estimator"
    )


def _hint(name: str) -> str:
    known = _words()
    if name in known:
        return f"; write `from smallbox.define import {name}`"
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r} of smallbox.define?" if close else ""


def _of_call(function: str, what: str, rest: str) -> str:
    names = _QUOTED.findall(rest)
    if what == "missing":
        written = " and ".join(f"{name}=" for name in names)
        are, them = ("are", "them") if len(names) > 1 else ("is", "it")
        return f"{function}: {written} {are} missing; write {them}"
    taken = _parameters(function)
    close = difflib.get_close_matches(names[0], taken, 1)
    first = f"write {close[0]}=, or one of " if close else "it takes "
    return f"{function}: there is no '{names[0]}='; {first}{', '.join(taken)}"


def _parameters(function: str) -> list[str]:
    known = _words()
    return list(inspect.signature(known[function]).parameters) if function in known else []


def _words() -> dict[str, type]:
    """The public names of ``smallbox.define``."""
    import smallbox.define  # noqa: PLC0415 - the package imports this module's neighbours first

    return {name: getattr(smallbox.define, name) for name in smallbox.define.__all__}
