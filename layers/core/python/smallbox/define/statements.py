"""A module's source as top-level statements, each with the names that it binds and reads.

The statements are normalised: comments, docstrings, type hints and formatting are gone, an import imports one name, and
a relative import is absolute. So two sources that differ only in these have equal statements.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from smallbox.define.syntax import FunctionNode, Scope, attribute_paths, names_bound, names_read, normalise


@dataclass(frozen=True)
class ImportedName:
    """One name that an import statement binds.

    Attributes:
        local: the name.
        module: the module that is imported, absolute.
        attribute: what is taken out of the module; empty for ``import module``.
        denoted: the module that ``import module`` binds to the name: ``a`` for ``import a.b``; else empty.
    """

    local: str
    module: str
    attribute: str
    denoted: str


@dataclass(frozen=True, eq=False)
class Statement:
    """A normalised statement."""

    node: ast.stmt

    @cached_property
    def text(self) -> str:
        """Its source."""
        return ast.unparse(self.node)

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that it binds, deletes, or changes by an assignment to a part or a call of a method."""
        return names_bound(self.node)

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names that it looks up at the top of its module, among them builtins."""
        return names_read(self.text)

    @cached_property
    def paths(self) -> Mapping[str, set[tuple[str, ...]]]:
        """By name the attributes that are read of it: ``a.b.c`` is ``("b", "c")`` of ``a``, a bare ``a`` is ``()``."""
        return attribute_paths(self.node)

    @cached_property
    def imports(self) -> tuple[ImportedName, ...]:
        """What it imports, wherever in the statement."""
        return tuple(one for node in ast.walk(self.node) for one in _imported(node))

    @property
    def read_when_defined(self) -> frozenset[str]:
        """The names in the decorators and defaults of a function: they are looked up around it, when it is defined."""
        if not isinstance(self.node, FunctionNode):
            return frozenset()
        defaults = [*self.node.args.defaults, *filter(None, self.node.args.kw_defaults)]
        nodes = (node for one in (*self.node.decorator_list, *defaults) for node in ast.walk(one))
        return frozenset(node.id for node in nodes if isinstance(node, ast.Name))

    @property
    def is_import(self) -> bool:
        """Whether it is an import and nothing else."""
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    @property
    def is_future(self) -> bool:
        """Whether it is ``from __future__ import ...``."""
        return isinstance(self.node, ast.ImportFrom) and self.node.module == "__future__"

    @cached_property
    def has_class(self) -> bool:
        """Whether it defines a class; the type hints of a class body are kept, because dataclasses read them."""
        return any(isinstance(node, ast.ClassDef) for node in ast.walk(self.node))


@dataclass(frozen=True, eq=False)
class ModuleSource:
    """The statements at the top of a module, in their order."""

    statements: tuple[Statement, ...]

    @cached_property
    def binders(self) -> Mapping[str, tuple[Statement, ...]]:
        """By name the statements that bind it."""
        found: dict[str, tuple[Statement, ...]] = {}
        for statement in self.statements:
            for name in statement.binds:
                found[name] = (*found.get(name, ()), statement)
        return found

    @cached_property
    def stars(self) -> tuple[str, ...]:
        """The modules of ``from module import *``."""
        imports = (one for statement in self.statements for one in statement.imports)
        return tuple(one.module for one in imports if one.attribute == "*")

    def inner(self, name: str, line: int) -> tuple[Statement, frozenset[str]] | None:
        """The function of that name whose ``def`` or first decorator is on that line, and the names bound around it.

        ``None`` when there is none.
        """
        found = next(_inner((s.node for s in self.statements), name, line, frozenset()), None)
        return found and (Statement(found[0]), found[1])


@lru_cache(maxsize=64)
def module_source(text: str, package: str) -> ModuleSource:
    """Parse and normalise a module.

    Args:
        text: its source.
        package: its package, which relative imports start from.

    Raises:
        SyntaxError: if the text is not Python.
    """
    tree = normalise(ast.parse(text), package)
    return ModuleSource(tuple(Statement(node) for node in tree.body))


def _imported(node: ast.AST) -> Iterator[ImportedName]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            denoted = alias.name if alias.asname else alias.name.partition(".")[0]
            yield ImportedName(alias.asname or denoted, alias.name, "", denoted)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield ImportedName(alias.asname or alias.name, node.module or "", alias.name, "")


def _inner(
    nodes: Iterable[ast.AST], name: str, line: int, around: frozenset[str]
) -> Iterator[tuple[FunctionNode, frozenset[str]]]:
    for node in nodes:
        if isinstance(node, FunctionNode) and node.name == name and _first_line(node) == line:
            yield node, around
        else:
            inside = around | _scope(node) if isinstance(node, Scope) else around
            yield from _inner(ast.iter_child_nodes(node), name, line, inside)


def _first_line(node: FunctionNode) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _scope(node: Scope) -> frozenset[str]:
    """The names that are bound inside a function or class."""
    parameters = (
        [] if isinstance(node, ast.ClassDef) else [a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)]
    )
    return frozenset(parameters).union(*(Statement(one).binds for one in node.body))
