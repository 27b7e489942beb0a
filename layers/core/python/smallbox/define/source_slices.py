"""Cuts functions out of their modules, with all that they use at the top level of the modules of their package.

A slice of a module is the statements that bind a name that a function uses, directly or through other statements, in
their order. Imports of other packages stay imports. Imports of the function's own package are followed, and those
modules are cut likewise.
"""

import builtins
import importlib
import inspect
import linecache
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from itertools import groupby
from types import CodeType, ModuleType
from typing import Any, Final, NoReturn

from smallbox.define.statements import ImportedName, ModuleSource, Statement, module_source
from smallbox.errors import DefinitionError

_DEFINING: Final = "smallbox.define"
"""Where sources and models come from; a slice must not make any."""


@dataclass(eq=False)
class _Module:
    """A module that is cut: its globals, its source, and the statements that are kept; ``inner`` were in functions."""

    name: str
    values: Mapping[str, Any]
    source: ModuleSource
    kept: set[Statement] = field(default_factory=set)
    inner: list[Statement] = field(default_factory=list)

    def statements(self) -> list[Statement]:
        """The slice: kept statements in their order, then functions that were not at the top level."""
        has_class = any(statement.has_class for statement in self.kept)
        kept = [s for s in self.source.statements if s in self.kept or (has_class and s.is_future)]
        runs = (list(run) for _, run in groupby(kept, key=lambda statement: statement.is_import))
        inner = sorted(self.inner, key=lambda statement: statement.node.lineno)
        return [statement for run in runs for statement in _sorted_imports(run)] + inner


class SourceSlicer:
    """Cuts functions of some packages.

    Args:
        packages: the names of the top-level packages whose modules are followed.
        can_import: whether modules are imported to be followed; otherwise only their source is read, and a use of
            sources or models is no reason to refuse.
    """

    def __init__(self, packages: Collection[str], *, can_import: bool = True) -> None:
        self._packages = packages
        self._can_import = can_import
        self._modules: dict[str, _Module] = {}
        self._function = ""

    def add(self, function: Callable[..., Any]) -> tuple[str, str]:
        """Cut a function, and return the names of its module and of itself.

        Raises:
            DefinitionError: if it cannot run without the rest of its module; names the function and what it uses.
        """
        self._function = function.__name__
        inner = unwrapped(function)
        module = self._module_of(inner)
        if inner.__code__.co_qualname == inner.__code__.co_name:
            self._add_top(module, function, inner.__code__)
        else:
            self._add_inner(module, inner.__code__)
        return module.name, function.__name__

    def texts(self) -> dict[str, str]:
        """By module its slice; packages around a module are there too, empty if nothing of them is used.

        Raises:
            DefinitionError: if two functions of one module have one name.
        """
        found: dict[str, str] = {}
        for module in self._modules.values():
            self._check_inner(module)
            parts = module.name.split(".")
            for length in range(1, len(parts)):
                found.setdefault(".".join(parts[:length]), "")
            found[module.name] = "\n".join(statement.text for statement in module.statements())
        return found

    def _add_top(self, module: _Module, function: Callable[..., Any], code: CodeType) -> None:
        found = module.source.inner(code.co_name, code.co_firstlineno)
        if found is None or module.values.get(function.__name__) is not function:
            self._refuse(
                f"{function.__name__} of module {module.name} is not this function any more; give the function a name "
                "of its own, and run again if the file has changed"
            )
        self._need(module, function.__name__)

    def _add_inner(self, module: _Module, code: CodeType) -> None:
        found = module.source.inner(code.co_name, code.co_firstlineno)
        if found is None or code.co_name != self._function:
            self._refuse_unknown_source()
        statement, around = found
        outer = sorted({*code.co_freevars, *(statement.read_when_defined & around)})
        if outer:
            self._refuse(
                f"it uses {', '.join(outer)} of the function or class around it, and a registered version stores only "
                f"what is at the top level of a module; move {self._function} and {', '.join(outer)} to the top level "
                "of the module"
            )
        module.inner.append(statement)
        self._read(module, statement)

    def _check_inner(self, module: _Module) -> None:
        top = {name for statement in module.kept for name in statement.binds}
        for number, statement in enumerate(module.inner):
            name = statement.node.name  # type: ignore[attr-defined]
            if name in top.union(*(other.binds for other in module.inner[:number])):
                self._function = name
                self._refuse(f"module {module.name} has another {name}, which is used too; rename one of them")

    def _module_of(self, function: Any) -> _Module:
        code, values = function.__code__, function.__globals__
        if code.co_name == "<lambda>":
            self._refuse("it is a lambda; write it with def at the top level of a module")
        module = self._open(values["__name__"], values, code.co_filename)
        if not module.source.statements:
            self._refuse_unknown_source()
        return module

    def _open(self, name: str, values: Mapping[str, Any], file: str) -> _Module:
        if name not in self._modules:
            linecache.checkcache(file)
            text = "".join(linecache.getlines(file, dict(values)))
            try:
                source = module_source(text, values.get("__package__") or "")
            except SyntaxError:  # the file has changed since it was imported
                self._refuse_unknown_source()
            self._modules[name] = _Module(name, values, source)
        return self._modules[name]

    def _import(self, name: str) -> _Module | None:
        """A module of the function's package; ``None`` if it cannot be imported, or found."""
        if name in self._modules:
            return self._modules[name]
        if not self._can_import:
            package, file = _located(name)
            return self._open(name, {"__package__": package}, file) if file else None
        try:
            values = vars(importlib.import_module(name))
        except ImportError:  # the statement that imports it expects that
            return None
        return self._open(name, values, values.get("__file__") or "")

    def _need(self, module: _Module, name: str) -> None:
        """Keep the statements that bind a name of a module."""
        binders = module.source.binders.get(name, ())
        if not binders:
            self._check_unbound(module, name)
        self._check_kind(module, name)
        for statement in binders:
            if statement not in module.kept:
                module.kept.add(statement)
                self._read(module, statement)

    def _read(self, module: _Module, statement: Statement) -> None:
        """Keep what a statement reads."""
        for imported in self._own(statement):
            self._follow(imported)
            self._take_attributes(imported, statement)
        for name in sorted(statement.reads):
            self._need(module, name)
            for binder in module.source.binders.get(name, ()):
                for imported in self._own(binder):
                    if imported.local == name:
                        self._take_attributes(imported, statement)

    def _own(self, statement: Statement) -> Iterator[ImportedName]:
        return (imported for imported in statement.imports if self._is_own(imported.module))

    def _is_own(self, module: str) -> bool:
        return module.partition(".")[0] in self._packages

    def _follow(self, imported: ImportedName) -> None:
        """Keep what an import takes out of a module of the package."""
        module = self._import(imported.module)
        if module is None or not imported.attribute:
            return
        if imported.attribute in module.source.binders:
            self._need(module, imported.attribute)
        elif self._submodule(module, imported.attribute) is None and imported.attribute in module.values:
            self._check_unbound(module, imported.attribute)

    def _submodule(self, module: _Module, name: str) -> _Module | None:
        """The module of the package that is an attribute of another one."""
        value = module.values.get(name)
        if isinstance(value, ModuleType):
            return self._import(value.__name__) if self._is_own(value.__name__) else None
        return None if name in module.values else self._import(f"{module.name}.{name}")

    def _take_attributes(self, imported: ImportedName, statement: Statement) -> None:
        """Keep the attributes that a statement reads of an imported module."""
        module = self._import(imported.denoted or imported.module)
        if module and imported.attribute:
            module = self._submodule(module, imported.attribute)
        if module:
            for path in sorted(statement.paths.get(imported.local, ())):
                self._take_path(module, path)

    def _take_path(self, module: _Module, path: tuple[str, ...]) -> None:
        if not path:
            self._refuse(
                f"it uses the module {module.name} as a value; import what it needs of it by name, like "
                f"from {module.name} import helper"
            )
        if path[0] in module.source.binders:
            self._need(module, path[0])
        inner = self._submodule(module, path[0])
        if inner:
            self._take_path(inner, path[1:])
        elif path[0] in module.values and path[0] not in module.source.binders:
            self._check_unbound(module, path[0])

    def _check_unbound(self, module: _Module, name: str) -> None:
        if name == "__name__" or (hasattr(builtins, name) and name not in module.values):
            return
        if module.source.stars:
            star = module.source.stars[0]
            self._refuse(
                f"it uses {name}, which module {module.name} may have from `from {star} import *`; import it by name: "
                f"from {star} import {name}"
            )
        self._refuse(
            f"it uses {name}, which no statement at the top level of module {module.name} defines; define it there, or "
            "import it there by name"
        )

    def _check_kind(self, module: _Module, name: str) -> None:
        value = module.values.get(name) if self._can_import else None
        places = (
            (value.__name__,)
            if isinstance(value, ModuleType)
            else (getattr(value, "__module__", ""), type(value).__module__)
        )
        if any(str(place).startswith(_DEFINING) for place in places):
            self._refuse(
                f"it uses {name} of module {module.name}, which belongs to the definition of sources and models; a "
                "registered version stores code and constants only: use a constant, like LIMIT = 3"
            )

    def _refuse_unknown_source(self) -> NoReturn:
        self._refuse(
            "its source cannot be found, and a registered version stores it; write the function at the top level of a "
            "file of definitions, and run again if the file has changed"
        )

    def _refuse(self, why: str) -> NoReturn:
        raise DefinitionError(f"on-demand feature {self._function}: {why}", function=self._function)


def _located(name: str) -> tuple[str, str]:
    """The package and the source file of a module, found without importing anything; no file if there is none."""
    top, *rest = name.split(".")
    spec = getattr(sys.modules.get(top), "__spec__", None)
    for part in rest:
        within = None if spec is None else spec.submodule_search_locations
        spec = None if within is None else PathFinder.find_spec(f"{spec.name}.{part}", within)  # type: ignore[union-attr]
    return ("", "") if spec is None else (spec.parent or "", spec.origin or "")


def unwrapped(function: Callable[..., Any]) -> Any:
    """The function that was written with ``def``, without its decorators.

    Raises:
        DefinitionError: if it is no such function.
    """
    inner = inspect.unwrap(function)
    if not hasattr(inner, "__code__"):
        name = getattr(function, "__name__", repr(function))
        raise DefinitionError(f"on-demand feature {name}: it is not a function written with def; write it so")
    return inner


def _sorted_imports(statements: list[Statement]) -> list[Statement]:
    """A run of imports in a fixed order, so that a tool may sort them; in its own order if they bind a name twice."""
    names = [name for statement in statements for name in statement.binds]
    if not statements[0].is_import or len(names) > len(set(names)):
        return statements
    return sorted(statements, key=lambda statement: (not statement.is_future, statement.text))
