"""Contexts: which system a command speaks to. Saved without secrets: profile, region and stack names."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from smallbox.errors import InvalidInput, NotFound

STORES_STACK: Final = "SmallboxStores"
"""The CloudFormation stack that holds the data."""
PIPELINE_STACK: Final = "SmallboxPipeline"
"""The CloudFormation stack with the nine stages; the API's URL is among its outputs."""
ON: Final = "SMALLBOX_ON"
"""The environment variable that names the context of commands without ``--on``."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where commands speak to.

    Attributes:
        name: what ``--on`` calls it.
        profile: the AWS profile whose credentials are used; empty: what boto3 finds without one (environment variables,
            the default profile, the role of this machine).
        region: the AWS region; empty: that of the profile.
        stacks: the names of the CloudFormation stacks with the data and with the nine stages.
    """

    name: str
    profile: str = ""
    region: str = ""
    stacks: tuple[str, str] = (STORES_STACK, PIPELINE_STACK)

    @property
    def is_local(self) -> bool:
        """Whether it is the local stack of this checkout."""
        return self == LOCAL

    @property
    def words(self) -> str:
        """Its credentials and region, for messages."""
        whose = f"profile {self.profile!r}" if self.profile else "the default credentials"
        return f"{whose} in {self.region or 'the default region'}"


LOCAL: Final = Context("local")
"""The stack that ``smallbox up`` started here."""


@dataclass(frozen=True, slots=True)
class SavedContexts:
    """The saved contexts by name, and the one that commands use without ``--on``."""

    default: str = LOCAL.name
    contexts: Mapping[str, Context] = field(default_factory=dict)

    def named(self, name: str) -> Context:
        """The local or a saved context.

        Raises:
            NotFound: if there is none with this name; lists those that there are.
        """
        known = {LOCAL.name: LOCAL, **self.contexts}
        if name not in known:
            raise NotFound(
                f"there is no context {name!r}; there are {', '.join(known)}; add one with `smallbox context add`, or "
                "write --on PROFILE/REGION"
            )
        return known[name]

    def adding(self, context: Context) -> "SavedContexts":
        """With this context, which replaces one of the same name.

        Raises:
            InvalidInput: if the name is ``local``, empty, or has a slash.
        """
        if context.name in {"", LOCAL.name} or "/" in context.name:
            raise InvalidInput(f"a context cannot be named {context.name!r}: `local` is the stack of `smallbox up`")
        return replace(self, contexts={**self.contexts, context.name: context})

    def using(self, name: str) -> "SavedContexts":
        """With this context as the default."""
        return replace(self, default=self.named(name).name)

    def without(self, name: str) -> "SavedContexts":
        """Without this context; the default is then ``local`` if it was this one.

        Raises:
            NotFound: if it is not saved.
        """
        if name == LOCAL.name:
            raise InvalidInput("the context `local` is always there; `smallbox down` stops the local stack")
        self.named(name)
        left = {other: context for other, context in self.contexts.items() if other != name}
        return SavedContexts(LOCAL.name if self.default == name else self.default, left)


def contexts_file() -> Path:
    """The user's file of contexts, in the folder that the platform has for settings."""
    home = Path.home()
    usual = {"darwin": home / "Library" / "Application Support", "win32": home / "AppData" / "Roaming"}
    folder = os.environ.get("XDG_CONFIG_HOME") or usual.get(sys.platform, home / ".config")
    return Path(folder) / "smallbox" / "contexts.json"


def saved_contexts() -> SavedContexts:
    """The saved contexts; none if there is no file.

    Raises:
        InvalidInput: if the file cannot be read as contexts.
    """
    file = contexts_file()
    if not file.is_file():
        return SavedContexts()
    try:
        document = json.loads(file.read_text())
        contexts = {name: _context(name, one) for name, one in document["contexts"].items()}
        return SavedContexts(document["default"], contexts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{file} is not a file of contexts: {error}; correct or delete it") from error


def save_contexts(saved: SavedContexts) -> None:
    """Write the file of contexts; only its user can read it."""
    file = contexts_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    contexts = {
        name: {"profile": one.profile, "region": one.region, "stacks": one.stacks}
        for name, one in saved.contexts.items()
    }
    written = file.with_suffix(".new")
    written.write_text(json.dumps({"default": saved.default, "contexts": contexts}, indent=2) + "\n")
    written.chmod(0o600)
    written.replace(file)


def _context(name: str, saved: Mapping[str, Any]) -> Context:
    stores, pipeline = saved["stacks"]
    return Context(name, saved["profile"], saved["region"], (stores, pipeline))


def chosen(on: str | None) -> Context:
    """The context of ``--on``, else of ``SMALLBOX_ON``, else the saved default, which is ``local`` at first.

    ``PROFILE/REGION`` is a context that need not be saved.

    Raises:
        NotFound: if no context has this name.
    """
    name = on or os.environ.get(ON)
    if name and "/" in name:
        profile, _, region = name.partition("/")
        return Context(name, profile, region)
    saved = saved_contexts()
    return saved.named(name or saved.default)


def context_of(arguments: argparse.Namespace) -> Context:
    """The context of a command's arguments; see :func:`chosen`."""
    return chosen(getattr(arguments, "on", None))


def require_local(arguments: argparse.Namespace, command: str) -> None:
    """Raise if a command that works on this machine only was called with another context.

    Raises:
        InvalidInput: names the command and the context.
    """
    context = context_of(arguments)
    if not context.is_local:
        raise InvalidInput(
            f"`smallbox {command}` works on this machine only, and the context is {context.name!r}; "
            f"call `smallbox --on local {command}`",
            context=context.name,
        )
