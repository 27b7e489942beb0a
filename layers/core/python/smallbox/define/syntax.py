"""What is read of syntax trees: the names that a statement binds and reads, and its normal form."""

import ast
import symtable
from collections.abc import Iterator, Mapping
from typing import Final

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
"""A ``def``."""

Scope = FunctionNode | ast.ClassDef
"""A statement with names of its own."""

_OWN_SCOPE: Final = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
"""Expressions with names of their own."""


def normalise(tree: ast.Module, package: str) -> ast.Module:
    """Remove docstrings and type hints, import one name per statement, and make relative imports absolute.

    The type hints of a class body stay, because dataclasses read them. The tree is changed in place.

    Args:
        tree: a module.
        package: its package, which relative imports start from.
    """
    _Normaliser(package).visit(tree)
    return tree


def names_bound(node: ast.stmt) -> frozenset[str]:
    """The names that a statement binds, deletes, or changes by an assignment to a part or a call of a method."""
    return frozenset(_bound(node))


def names_read(text: str) -> frozenset[str]:
    """The names that the source of a statement looks up at the top of its module, among them builtins."""
    return frozenset(_read(symtable.symtable(text, "statement", "exec")))


def attribute_paths(node: ast.stmt) -> Mapping[str, set[tuple[str, ...]]]:
    """By name the attributes that are read of it: ``a.b.c`` is ``("b", "c")`` of ``a``, a bare ``a`` is ``()``."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for name, *attributes in _paths(node):
        found.setdefault(name, set()).add(tuple(attributes))
    return found


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    is_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() if is_top else symbol.is_global():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _read(child)


def _path(node: ast.AST) -> tuple[str, ...]:
    """``("a", "b", "c")`` of ``a.b.c``; empty when it does not start with a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()


def _paths(node: ast.AST) -> Iterator[tuple[str, ...]]:
    path = _path(node)
    if len(path) > 1 or (isinstance(getattr(node, "ctx", None), ast.Load) and path):
        yield path
    else:
        for child in ast.iter_child_nodes(node):
            yield from _paths(child)


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, Scope):
        yield node.name
        yield from _registered(node)
    elif not isinstance(node, _OWN_SCOPE):
        yield from _bound_here(node)
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def _registered(node: Scope) -> Iterator[str]:
    """``a`` of the decorator ``@a.register``, which changes a function of :func:`functools.singledispatch`."""
    for decorator in node.decorator_list:
        path = _path(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if path[1:] == ("register",):
            yield path[0]


def _bound_here(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(name, ast.Store() | ast.Del()):
            yield name
        case ast.alias(name, local):
            yield local or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            yield from _path(_whole(node))
        case ast.Expr(ast.Call(ast.Attribute() as method)):
            yield from _path(_whole(method))


def _whole(node: ast.expr) -> ast.expr:
    """``a`` of ``a[i].b[j]``."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


class _Normaliser(ast.NodeTransformer):
    """Removes what shapes no value, imports one name per statement, and makes relative imports absolute."""

    def __init__(self, package: str) -> None:
        self._package = package.split(".")
        self._fields: set[ast.AnnAssign] = set()

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, FunctionNode):
            node.returns = None
        if getattr(node, "body", None) == [] and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._fields |= {one for one in node.body if isinstance(one, ast.AnnAssign)}
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node in self._fields:
            return self.generic_visit(node)
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], self.visit(node.value)), node)

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        return [ast.copy_location(ast.Import([alias]), node) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        module = node.module
        if node.level:
            base = self._package[: len(self._package) - node.level + 1]
            module = ".".join([*base, *filter(None, [module])])
        return [ast.copy_location(ast.ImportFrom(module, [alias], 0), node) for alias in node.names]
