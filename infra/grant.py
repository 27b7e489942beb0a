"""One IAM grant, and how grants on the folders of a bucket are written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Grant:
    """One IAM grant.

    Attributes:
        on: the resource.
        actions: the allowed actions, without wildcards.
        reason: why the resource contains ``*``.
        namespace: limits the grant to this CloudWatch namespace.
        prefixes: limits listing to these key prefixes, each ending in ``*``.

    Raises:
        ValueError: when an action has a wildcard, a wildcard resource has no reason, or listing has no prefixes.
    """

    on: str
    actions: tuple[str, ...]
    reason: str = ""
    namespace: str = ""
    prefixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any("*" in action for action in self.actions):
            raise ValueError(f"{self.on}: name the actions one by one, not {', '.join(self.actions)}")
        if "*" in self.on and not self.reason:
            raise ValueError(f"{self.on}: a wildcard resource needs a reason")
        if "s3:ListBucket" in self.actions and not self.prefixes:
            raise ValueError(f"{self.on}: name the prefixes that may be listed")


@dataclass(frozen=True, slots=True)
class Under(Grant):
    """A grant on the objects under a prefix of a bucket."""

    reason: str = field(default="the objects under one prefix of one bucket")


GET: Final = ("s3:GetObject",)
PUT: Final = ("s3:PutObject",)
PARTS: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
APPEND: Final = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload")
REWRITE: Final = (*APPEND, "s3:DeleteObject")


def listing(bucket: str, *prefixes: str) -> Grant:
    """Allow listing the keys under prefixes of a bucket, and a 404 for a missing object.

    S3 answers 404 for a missing object only to callers that may list; others get a 403. Decision 0020 explains what
    this grants beyond the prefixes.
    """
    return Grant(f"bucket:{bucket}", ("s3:ListBucket",), prefixes=prefixes)


def tables(*, read: Sequence[str] = (), append: Sequence[str] = (), rewrite: Sequence[str] = ()) -> tuple[Grant, ...]:
    """Grants on the Delta tables in folders of the lake: ``records``, ``current``, ``predictions`` or ``labelled``.

    Args:
        read: folders whose tables may be read.
        append: folders whose tables may be read and committed to. Only old log entries may be deleted.
        rewrite: like ``append``, and data files may be deleted, as by a vacuum.
    """
    allowed = {**dict.fromkeys(read, GET), **dict.fromkeys(append, APPEND), **dict.fromkeys(rewrite, REWRITE)}
    logs = tuple(Under(f"bucket:lake/tables/{folder}/*/_delta_log/*", ("s3:DeleteObject",)) for folder in append)
    files = tuple(Under(f"bucket:lake/tables/{folder}/*", actions) for folder, actions in allowed.items())
    return (listing("lake", *(f"tables/{folder}/*" for folder in allowed)), *files, *logs)


def profiles(of: str, actions: tuple[str, ...] = GET + PUT) -> tuple[Grant, ...]:
    """Grants on the profiles of a kind of subject: ``records``, ``predictions`` or ``labelled``."""
    return (listing("lake", f"profiles/{of}/*"), Under(f"bucket:lake/profiles/{of}/*", actions))
