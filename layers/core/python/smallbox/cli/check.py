"""``smallbox check``: checks the definitions locally, without deploying."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from smallbox.cli.checkout import root
from smallbox.cli.contexts import context_of
from smallbox.cli.contract_check import contract_refusals
from smallbox.cli.output import Block, printed
from smallbox.define.check import check
from smallbox.define.frozen import freeze
from smallbox.define.mistakes import Mistake
from smallbox.define.project import Project
from smallbox.errors import DefinitionError


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``check``."""
    parser = commands.add_parser(
        "check",
        help="check the definitions without deploying: every mistake with its file and line",
        epilog="The exit code is 0 when there is no mistake, and 1 when there is one.",
    )
    parser.add_argument(
        "--estimators",
        action="store_true",
        help="build each model's estimator too, which takes some seconds; `up`, `deploy` and `train` always do",
    )
    parser.set_defaults(run=printed(_check, check_blocks, worked=_is_right))


def _check(arguments: argparse.Namespace) -> Any:
    project, mistakes = _found(estimators=None if arguments.estimators else ())
    names = {"sources": [], "views": [], "models": []} if project is None else _names_of(project)
    refusals = [] if project is None or mistakes else contract_refusals(project, context_of(arguments))
    found = [asdict(mistake) for mistake in mistakes]
    return {**names, "estimators": arguments.estimators, "mistakes": found, "refusals": refusals}


def _is_right(document: Any) -> bool:
    return not document["mistakes"] and not document["refusals"]


def _names_of(project: Project) -> dict[str, list[str]]:
    return {kind: list(getattr(project, kind)) for kind in ("sources", "views", "models")}


def check_blocks(document: Any) -> Iterator[Block]:
    """One line per mistake, and per change that does not fit what is deployed; without any, a summary."""
    for mistake in document["mistakes"]:
        yield Mistake(**mistake).sentence
    yield from document["refusals"]
    if not _is_right(document):
        return
    counts = ", ".join(f"{len(document[kind])} {kind}" for kind in ("sources", "views", "models"))
    yield f"no mistake found: {counts}"
    if not document["estimators"]:
        yield "the estimators were not built; `smallbox check --estimators` builds them"


def require_no_mistake(estimators: Sequence[str] | None = None) -> Project:
    """The project; raises unless it is free of mistakes. `up`, `deploy` and `train` call it first.

    Args:
        estimators: the models whose estimators are built; ``None`` means all.

    Raises:
        DefinitionError: lists every mistake, one line each.
        NotFound: if a named model does not exist.
    """
    project, mistakes = _found(estimators)
    if project is None or mistakes:
        lines = "".join(f"\n  {mistake.sentence}" for mistake in mistakes)
        count = "is a mistake" if len(mistakes) == 1 else f"are {len(mistakes)} mistakes"
        raise DefinitionError(f"there {count} in the definitions:{lines}", mistakes=[asdict(m) for m in mistakes])
    return project


def _found(estimators: Sequence[str] | None) -> tuple[Project | None, list[Mistake]]:
    here = root()
    checked = check()
    mistakes = list(checked.mistakes)
    if checked.project is not None:
        mistakes = [*_in_signatures(checked.project), *_in_estimators(checked.project, estimators)]
    return checked.project, [replace(mistake, file=_short(mistake.file, here)) for mistake in mistakes]


def _in_signatures(project: Project) -> Iterator[Mistake]:
    """Models that no version could keep: an on-demand function of theirs cannot run without its module."""
    for model in project.models.values():
        try:
            freeze(model)
        except DefinitionError as error:
            named = error.details.get("function")
            code = next(one.__code__ for one in model.on_demand if one.__name__ == named)
            yield Mistake(code.co_filename, code.co_firstlineno, error.message)


def _in_estimators(project: Project, names: Sequence[str] | None) -> Iterator[Mistake]:
    chosen = list(project.models.values()) if names is None else [project.model(name) for name in names]
    if not chosen:
        return
    from smallbox.training.estimators import build_pipelines  # noqa: PLC0415 - scikit-learn takes seconds to import

    for model in chosen:
        try:
            build_pipelines(model)
        except DefinitionError as error:
            yield Mistake.of(error)


def _short(file: str, folder: Path) -> str:
    return str(Path(file).relative_to(folder)) if folder in Path(file).parents else file
