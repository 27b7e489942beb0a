"""Checks a project's definitions without deploying them, and reports all mistakes at once.

Each statement of a file runs separately, so a failing one does not hide the mistakes of the others. A statement that
fails only because it reads a name that a failed statement should have defined is not reported.
"""

import __future__

import ast
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from smallbox.define.attributes import Attributes
from smallbox.define.mistakes import Mistake, mistake_of
from smallbox.define.model import Model
from smallbox.define.project import Project, project_of, project_of_modules
from smallbox.define.source import Source
from smallbox.define.view import FeatureView
from smallbox.errors import DefinitionError

TRAINING_ONLY: Final = frozenset(
    {"sklearn", "pandas", "pyarrow", "scipy", "deltalake", "skl2onnx", "onnx", "skops", "matplotlib"}
)
"""Packages that are not installed where predictions are made. A definition may import them only in its estimator."""


@dataclass(frozen=True)
class CheckResult:
    """Result of a check.

    Attributes:
        project: the project; ``None`` while there are mistakes.
        mistakes: ordered by file and line.
    """

    project: Project | None
    mistakes: tuple[Mistake, ...]


@dataclass
class _File:
    """A file of definitions, and the names that its failed statements should have defined (``broken``)."""

    module: ModuleType
    path: Path
    statements: list[ast.stmt] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)


def check(package: str = "definitions") -> CheckResult:
    """Run every file of the package, statement by statement; then check the definitions against each other."""
    folder = _folder_of(package)
    if isinstance(folder, Mistake):
        return CheckResult(None, (folder,))
    files: dict[str, _File] = {}
    found: list[Mistake] = []
    for info in pkgutil.iter_modules([str(folder)]):
        found += _run(f"{package}.{info.name}", files, folder)
    if not found:
        found += _mistakes_between(files.values(), folder)
    if found:
        for name in files:  # a half-run module must not look like an imported one
            sys.modules.pop(name, None)
        return CheckResult(None, tuple(sorted(set(found), key=lambda m: (m.file, m.line))))
    return CheckResult(project_of_modules(file.module for file in files.values()), ())


def _folder_of(package: str) -> Path | Mistake:
    try:
        return Path(next(iter(importlib.import_module(package).__path__)))
    except Exception as error:  # noqa: BLE001 - the package's own first lines may raise anything
        spec = importlib.util.find_spec(package)
        origin = spec.origin if spec and spec.origin else package
        return mistake_of(error, Path(origin).parent, (origin, 1))


def _run(name: str, files: dict[str, _File], folder: Path) -> Iterator[Mistake]:
    """Run a file into ``sys.modules``; a file that another one has imported already is not run again."""
    spec: Any = importlib.util.find_spec(name)
    path = Path(spec.origin)
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        yield mistake_of(error, folder, (str(path), 1))
        return
    is_imported = name in sys.modules
    module = sys.modules[name] if is_imported else importlib.util.module_from_spec(spec)
    file = files[name] = _File(module, path, tree.body)
    sys.modules[name] = module
    if not is_imported:
        yield from _run_statements(file, files, folder, _future_of(tree))


def _run_statements(file: _File, files: dict[str, _File], folder: Path, future: int) -> Iterator[Mistake]:
    for statement in file.statements:
        heavy = _training_only(statement)
        if heavy:
            file.broken |= _bound(statement)
            yield Mistake(
                str(file.path),
                statement.lineno,
                f"{heavy} is not installed where predictions are made, and every function imports the definition; "
                "import it inside the estimator's function",
            )
            continue
        try:
            code = compile(ast.Module([statement], []), str(file.path), "exec", future, dont_inherit=True)
            exec(code, vars(file.module))  # noqa: S102 - the user's own definition
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a definition may raise anything
            if not _is_consequence(error, statement, file, files):
                yield mistake_of(error, folder, (str(file.path), statement.lineno))
            file.broken |= _bound(statement)


def _future_of(tree: ast.Module) -> int:
    """Compiler flags of the file's ``from __future__ import ...``; they apply to every statement of the file."""
    names = [a.name for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__" for a in n.names]
    return sum(getattr(__future__, name).compiler_flag for name in names if hasattr(__future__, name))


def _training_only(statement: ast.stmt) -> str:
    names: list[str] = []
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    if isinstance(statement, ast.ImportFrom) and not statement.level:
        names = [statement.module or ""]
    return next((name for name in names if name.partition(".")[0] in TRAINING_ONLY), "")


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
    return names


def _is_consequence(error: BaseException, statement: ast.stmt, file: _File, files: dict[str, _File]) -> bool:
    if isinstance(error, NameError):
        return error.name in file.broken
    imported = files.get(error.name or "") if isinstance(error, ImportError) else None
    names = {node.name for node in ast.walk(statement) if isinstance(node, ast.alias)}
    return imported is not None and bool(imported.broken & names)


def _mistakes_between(files: Iterable[_File], folder: Path) -> Iterator[Mistake]:
    """Mistakes between definitions that are valid on their own: first model by model, then all together."""
    places, values = _defined(files)
    models = [value for value in values if isinstance(value, Model)]
    sources = [value for value in values if isinstance(value, Source)]
    for some in (*([model] for model in models), models):
        try:
            project_of(some, sources)
        except DefinitionError as error:
            place = places.get((error.details.get("kind", ""), error.details.get("name", "")))
            yield mistake_of(error, folder, place)


def _defined(files: Iterable[_File]) -> tuple[dict[tuple[str, str], tuple[str, int]], list[Any]]:
    """File and line of each definition by kind and name (the last one counts), and all values in the files."""
    places: dict[tuple[str, str], tuple[str, int]] = {}
    values: list[Any] = []
    for file in files:
        values += vars(file.module).values()
        for statement in file.statements:
            for name in _bound(statement):
                value = vars(file.module).get(name)
                if isinstance(value, Source | FeatureView | Attributes | Model) and not _is_import(statement):
                    places[(_kind_of(value), value.name)] = (str(file.path), statement.lineno)
    return places, values


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _kind_of(value: object) -> str:
    """The kind of a definition, as in the error details of :func:`project_of`."""
    if isinstance(value, Source):
        return "source"
    return "model" if isinstance(value, Model) else "view"
