"""Generates ``docs/rules.md``: name, default, unit and meaning of each argument of a definition, from the code."""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from smallbox import define
from smallbox.define.aggregates import Aggregate, Operand
from smallbox.define.attributes import Attribute
from smallbox.define.experiments import Outcome
from smallbox.define.fields import Field
from smallbox.define.rules import Label
from smallbox.errors import DefinitionError
from smallbox.prepare.pipeline import Categorical, Numeric

_HEAD: Final = """\
# Rules and their defaults

Generated from the code by `make docs`: every argument of a definition, its default, its unit and its meaning. A
duration is a whole number and `s`, `m`, `h` or `d`, like `"24h"`. Moments and days are UTC.
"""

_CLASSES: Final = (
    define.Source, define.FeatureView, define.Attributes, define.Model, define.Gate, define.Release,
    define.Shadow, define.Canary, define.HarmLimits, define.Experiment, define.GuardrailOutcome, define.Interleaving,
    define.Monitor, define.Retrain, define.Serve, define.RateLimit, define.Loop, define.Exploration,
)  # fmt: skip
_FIELDS: Final = (define.text, define.number, define.integer, define.boolean, define.timestamp)
_AGGREGATES: Final = (
    define.count, define.mean, define.total, define.rate, define.std, define.minimum, define.maximum, define.last,
    define.first, define.since_last, define.distinct,
)  # fmt: skip
_DURATIONS: Final = frozenset(
    field.name.removesuffix("_micros")
    for cls in (*_CLASSES, Label, Aggregate)
    for field in dataclasses.fields(cls)
    if field.name.endswith("_micros")
)
"""Arguments that are durations: the classes have a field ``<name>_micros`` for each."""
_OBJECTIVES: Final = (define.Binary, define.Multiclass, define.Regression, define.Ranking)
_CONDITIONS: Final = (
    define.equal, define.unequal, define.above, define.at_least, define.below, define.at_most, define.one_of,
)  # fmt: skip
_OUTCOME: Final = {"outcome": Outcome("orders", "amount", "customer", "unit", "7d")}
_REQUIRED: Final[Mapping[Any, Mapping[str, Any]]] = {
    define.Loop: {"item": "item", "explored": "explored"},
    define.Experiment: _OUTCOME,
    define.GuardrailOutcome: _OUTCOME,
}
"""Arguments without a default, to try the others with."""
_COUNTED: Final = frozenset({"rows", "labels", "days", "positives", "negatives"})
_UNITS: Final = {
    "volume": "records a day",
    "shown": "rows of a group",
    "min_rarer": "rows",
    "hurts": "share of the mean loss, 0 to 1",
    "fallback": "as the objective predicts",
    "max_loss_increase": "share of the loss, from 0",
    "classes": "several texts",
    "quantiles": "several numbers, 0 to 1",
    "guardrails": "several guardrails",
    "limits": "by output two numbers",
    "rate": "instances a second, above 0",
    "burst": "instances, from 1",
}
"""Units that cannot be derived from the type, the name or the class's range check."""
_WORDS: Final = {
    "NoneType": "None",
    "str": "text",
    "float": "number",
    "int": "whole number",
    "bool": "true or false",
    "tuple[str, ...]": "several texts",
    "Sequence[str]": "several texts",
}
_SECTION: Final = re.compile(r"^(Args|Attributes|Raises|Returns):\n((?:    .*\n|\n)*)", re.MULTILINE)
_ENTRY: Final = re.compile(r"^    (\w+): ((?:.*)(?:\n {8}.*)*)", re.MULTILINE)
_MODULE: Final = re.compile(r"\b(?:\w+\.)+(\w+)")


_GUARDRAILS: Final = (define.floor, define.ceiling)
_OBJECTIVES_HEAD: Final = "## Objectives\n\nWhat a label means; see [objectives](objectives.md).\n"
_FIELDS_HEAD: Final = "## Fields\n\nThe types of a source's fields, and their constraints.\n"


def rules_page() -> str:
    """The generated page."""
    parts = [_HEAD, *map(_of_class, _CLASSES), _of_call(define.label), _of_call(define.outcome)]
    parts += [
        _calls("Guardrails", "Limits for figures: `Gate(guardrails=...)`, `Monitor(guardrails=...)`.", _GUARDRAILS)
    ]
    parts += [_OBJECTIVES_HEAD, *(_of_class(kind, level=3) for kind in _OBJECTIVES), _FIELDS_HEAD]
    parts += [_of_call(function, meanings(Field), level=3) for function in _FIELDS]
    parts += [_aggregates(), _calls("Conditions", "Conditions for `where` and `rate`.", _CONDITIONS)]
    parts += [_of_call(define.attribute, meanings(Attribute)), _of_call(define.prepare)]
    parts += [_of_options(kind) for kind in (Numeric, Categorical)]
    return "\n".join(parts)


def meanings(owner: Any) -> dict[str, str]:
    """The meaning of each attribute or argument, from the sections of a docstring.

    >>> meanings(Field)["unit"]
    'the unit of a number, as documentation.'
    """
    text = inspect.getdoc(owner) or ""
    found: dict[str, str] = {}
    for section, body in _SECTION.findall(f"{text}\n"):
        if section in {"Args", "Attributes"}:
            found |= {name: " ".join(meaning.split()) for name, meaning in _ENTRY.findall(body)}
    return found


def _of_class(cls: Any, level: int = 2) -> str:
    known = {name: meaning for base in reversed(cls.__mro__) for name, meaning in meanings(base).items()}
    fields = [field for field in dataclasses.fields(cls) if field.init]
    rows = [(field.name, _default_of(field), _unit_of(cls, field), known.get(field.name, "")) for field in fields]
    return _section(cls.__name__, cls, rows, level)


def _of_call(function: Callable[..., Any], also: dict[str, str] | None = None, level: int = 2) -> str:
    known = {**(also or {}), **meanings(function)}
    rows = [
        (name, _shown(one.default), _unit_of_argument(one), known.get(name, ""))
        for name, one in inspect.signature(function).parameters.items()
    ]
    return _section(f"{function.__name__}(...)", function, rows, level)


def _aggregates() -> str:
    known = {**meanings(define.rate), **meanings(Operand), **meanings(Aggregate)}
    rows = [(name, _shown(one.default), _unit_of_argument(one), known.get(name, "")) for name, one in _arguments()]
    return "\n".join([_calls("Aggregates", "The features of a `FeatureView`.", _AGGREGATES), *_table(rows)])


def _calls(title: str, sentence: str, functions: Sequence[Callable[..., Any]]) -> str:
    """One table of functions that take the same arguments."""
    lines = [f"## {title}", "", sentence, "", "| written | means |", "|---|---|"]
    for function in functions:
        taken = ", ".join(inspect.signature(function).parameters)
        lines.append(f"| `{function.__name__}({taken})` | {_first_paragraph(function)} |")
    return "\n".join([*lines, ""])


def _arguments() -> Iterator[tuple[str, inspect.Parameter]]:
    """The arguments of all aggregates, each once."""
    seen: dict[str, inspect.Parameter] = {}
    for function in _AGGREGATES:
        seen = {**inspect.signature(function).parameters, **seen}
    yield from seen.items()


def _unit_of_argument(parameter: inspect.Parameter) -> str:
    return "duration" if parameter.name in _DURATIONS else _taken(parameter.annotation)


def _of_options(kind: Any) -> str:
    rows = [(name, "left out", _taken(taken), meanings(kind)[name]) for name, taken in kind.__annotations__.items()]
    return _section(f"prepare(..., {kind.__name__.lower()}={{...}})", kind, rows, level=3)


def _section(title: str, owner: Any, rows: Sequence[tuple[str, str, str, str]], level: int = 2) -> str:
    return "\n".join([f"{'#' * level} {title}", "", _first_paragraph(owner), "", *_table(rows)])


def _first_paragraph(owner: Any) -> str:
    return _plain((inspect.getdoc(owner) or "").split("\n\n", 1)[0].replace("\n", " "))


def _table(rows: Sequence[tuple[str, str, str, str]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| `{name}` | {default} | {unit} | {_plain(meaning)} |" for name, default, unit, meaning in rows]
    return ["| name | default | unit | meaning |", "|---|---|---|---|", *lines, ""]


def _plain(text: str) -> str:
    r"""A docstring's sentence as Markdown, in a cell of a table.

    >>> _plain("``None`` means any; see :func:`label`, a|b")
    '`None` means any; see `label`, a\\|b'
    """
    return re.sub(r":\w+:`(?:~[\w.]*\.|\.)?([\w.]+)`", r"`\1`", text).replace("``", "`").replace("|", "\\|")


def _default_of(field: Any) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return f"`{field.default_factory.__name__}()`"
    return "required" if field.default is dataclasses.MISSING else _shown(field.default)


def _shown(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    return f"`{default!r}`".replace("'", '"')


def _unit_of(cls: Any, field: Any) -> str:
    """The unit of an argument: duration, what it counts, the range that the class accepts, or its type."""
    if field.name in _DURATIONS:
        return "duration"
    if field.name in _UNITS:
        return _UNITS[field.name]
    counted = str(field.name).rsplit("_", 1)[-1]
    if counted in _COUNTED:
        return counted
    return next(_ranges(cls, field), _taken(field.type))


def _ranges(cls: Any, field: Any) -> Iterator[str]:
    if field.type in (float, "float"):
        for outside in (1.5, -0.5):
            try:
                cls(**_REQUIRED.get(cls, {}), **{field.name: outside})
            except DefinitionError as error:
                if found := re.search(r"between (\S+) and (\S+)", error.message):
                    yield f"{found[1]} to {found[2]}"


def _taken(annotation: Any) -> str:
    """The type of a parameter in plain words.

    >>> _taken(float | None), _taken(tuple[str, ...]), _taken(Literal["a", "b"])
    ('number or None', 'several texts', '`"a"` or `"b"`')
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(_taken, inner))
    if origin is Literal:
        return " or ".join(map(_shown, inner))
    text = _MODULE.sub(r"\1", inspect.formatannotation(annotation))
    return _WORDS.get(text) or "`{}`".format(text.replace("|", "\\|"))
