"""The code of on-demand features, as a document that a registered version stores.

A version runs its own functions after the user has changed or deleted them. So a bundle holds the source of the
functions and of all that they use of their package: helpers, constants, imports. It is source only, never pickles.
Other packages are imported when the bundle is run, in the versions that are installed then.
"""

import builtins
import hashlib
import json
import linecache
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, Final

from smallbox.define.on_demand import OnDemand
from smallbox.define.source_slices import SourceSlicer, unwrapped
from smallbox.errors import DefinitionError, NotReady

_BUNDLE: Final = "__bundle__"
"""The name by which a module that is run from a bundle knows it."""


@dataclass(frozen=True)
class Bundle:
    """The source of functions.

    Comments, docstrings, type hints of parameters, formatting and code that the functions do not use are not in it. So
    the digest changes with what the functions compute, not with how they are written.

    Attributes:
        modules: by name of a module the statements of it that the functions use. Imports of one another are absolute.
        functions: of each function the names of its module and of itself.
    """

    modules: Mapping[str, str]
    functions: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """The bundle as a document."""
        return {"functions": [list(one) for one in self.functions], "modules": dict(self.modules)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Bundle":
        """The inverse of :meth:`as_json`."""
        return cls(dict(document["modules"]), tuple((module, name) for module, name in document["functions"]))

    def of(self, functions: Sequence[OnDemand]) -> "Bundle":
        """The bundle of some functions that :func:`functions_of` returned of this one."""
        modules = {name: module for module, name in self.functions}
        return Bundle(self.modules, tuple((modules[one.__name__], one.__name__) for one in functions))

    @cached_property
    def content(self) -> bytes:
        """The bytes that are stored; equal bundles have equal ones."""
        return json.dumps(self.as_json(), sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def bundle_of(functions: Sequence[OnDemand]) -> Bundle:
    """Cut functions out of their modules, with all that they use of the modules of their package.

    A call that changes a constant is seen when it is a method of the constant at the top level, like
    ``MAKERS.append("x")``, not when the constant is passed to it. Modules that are imported by a computed name, and
    files that are read, are not seen.

    Raises:
        DefinitionError: if a function cannot run without the rest of its module: it is a closure, its source cannot be
            found, or it uses a source, a model or a name that no statement of the module defines.
    """
    scopes = [unwrapped(function).__globals__ for function in functions]
    stored: dict[str, Bundle] = {scope[_BUNDLE].digest: scope[_BUNDLE] for scope in scopes if _BUNDLE in scope}
    if len(stored) > 1 or (stored and not all(_BUNDLE in scope for scope in scopes)):
        raise DefinitionError("on-demand features of a stored version cannot be bundled with others; use one version")
    for bundle in stored.values():
        return bundle.of(functions)
    slicer = SourceSlicer({scope["__name__"].partition(".")[0] for scope in scopes})
    places = tuple(slicer.add(function) for function in functions)
    return Bundle(slicer.texts(), places)


def functions_of(content: bytes, sha256: str) -> tuple[OnDemand, ...]:
    """Run a stored bundle in modules of its own, and return its functions.

    The modules import one another, never the user's package as it is now. Their own names say that they are of a
    bundle: ``<bundle 1a2b3c4d definitions.late_arrival>``. :func:`bundle_of` these functions is the stored bundle.

    Args:
        content: the bytes of a bundle.
        sha256: their registered SHA-256, in hexadecimal.

    Raises:
        NotReady: if the bytes have another checksum, or the code cannot be run here, as when a package is missing.
    """
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotReady("the stored on-demand features do not match their registered checksum; register a new version")
    loader = _Loader(Bundle.from_json(json.loads(content)))
    try:
        return loader.functions()
    except ImportError as error:
        package = (error.name or str(error)).partition(".")[0]
        raise NotReady(
            f"the stored on-demand features of this version import {package}, which cannot be imported here: {error}; "
            "install it, or register a new version"
        ) from error
    except Exception as error:  # the user's statements may raise anything
        raise NotReady(
            f"the stored on-demand features of this version cannot be run: {type(error).__name__}: {error}; "
            "register a new version"
        ) from error


class _Loader:
    """Runs the modules of a bundle; their ``import`` finds one another first."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._packages = {name.partition(".")[0] for name in bundle.modules}
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._loaded: dict[str, ModuleType] = {}

    def functions(self) -> tuple[OnDemand, ...]:
        """Run every module, those of the functions first, and return the functions."""
        found = tuple(getattr(self._load(module), name) for module, name in self._bundle.functions)
        for name in self._bundle.modules:
            self._load(name)
        return found

    def _load(self, name: str) -> ModuleType:
        if name in self._loaded:
            return self._loaded[name]
        if name not in self._bundle.modules:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        package, _, last = name.rpartition(".")
        around = self._load(package) if package else None
        if name not in self._loaded:  # its package may have imported it
            self._run(name)
        if around:
            setattr(around, last, self._loaded[name])
        return self._loaded[name]

    def _run(self, name: str) -> None:
        label, text = f"<bundle {self._bundle.digest[:8]} {name}>", self._bundle.modules[name]
        linecache.cache[label] = (len(text), None, text.splitlines(keepends=True), label)  # tracebacks show the lines
        module = self._loaded[name] = sys.modules[label] = ModuleType(label)  # dataclasses look their module up
        vars(module).update({"__file__": label, "__builtins__": self._builtins, _BUNDLE: self._bundle})
        exec(compile(text, label, "exec", dont_inherit=True), vars(module))  # noqa: S102 - its checksum was compared

    def _import(
        self, name: str, scope: Any = None, names: Any = None, attributes: Sequence[str] | None = (), level: int = 0
    ) -> ModuleType:
        """Stands for ``__import__`` in the modules of the bundle."""
        if level or name.partition(".")[0] not in self._packages:
            return builtins.__import__(name, scope, names, attributes or (), level)
        module = self._load(name)
        for attribute in attributes or ():
            if not hasattr(module, attribute) and f"{name}.{attribute}" in self._bundle.modules:
                self._load(f"{name}.{attribute}")
        return module if attributes else self._load(name.partition(".")[0])
