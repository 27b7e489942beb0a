"""Deployment settings: the only difference between the local stack and the stack on AWS."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from smallbox.aws.replays import ALLOWED, REFUSED, check_as_of_setting
from smallbox.errors import DefinitionError

ROOT: Final = Path(__file__).resolve().parent.parent
"""The root of the repository; assets are its folders."""

_ADDRESS: Final = re.compile(r"https://\S+|[^\s@:/]+@[^\s@:/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Settings of one deployment.

    Attributes:
        bootstrapped: deploy with the roles and the bucket of `cdk bootstrap`; otherwise with the caller's own
            credentials and the bucket ``assets_bucket``.
        packaged_wheels: package third-party wheels in layers and the image; otherwise the Python that runs the
            functions must have them installed.
        enforce_tls: refuse plain HTTP at buckets, queues and topics; the emulator supports only plain HTTP.
        schedules_enabled: run the daily schedules; a replay runs them by event time instead.
        batch_window_seconds: how long a queue waits for a batch to fill.
        visibility_factor: a queue's visibility timeout as a multiple of its function's timeout; AWS recommends 6.
        stream_workers: the most functions that apply records to the online store at the same time, 2 to 1,000.
        snap_start: enable SnapStart for the prediction function, which restores a snapshot at a cold start.
        assets_bucket: the bucket for assets when not ``bootstrapped``.
        metric_math: alarms may combine metrics; the emulator has no metric math.
        notify: who hears of alarms and incidents: e-mail addresses, and URLs that begin with ``https://``.
        as_of: who may let a request name a past moment: nobody (``refused``), who may invoke a stage of the API that is
            there for it (``granted``), or every caller (``allowed``, on this machine only). See
            :mod:`smallbox.aws.replays`.

    Raises:
        DefinitionError: when ``as_of`` is none of these, or ``notify`` has another address.
    """

    bootstrapped: bool
    packaged_wheels: bool
    enforce_tls: bool
    schedules_enabled: bool
    batch_window_seconds: int
    visibility_factor: int
    stream_workers: int
    snap_start: bool
    assets_bucket: str
    metric_math: bool
    notify: Sequence[str] = ()
    as_of: str = REFUSED

    def __post_init__(self) -> None:
        check_as_of_setting(self.as_of)
        for address in self.notify:
            if not _ADDRESS.fullmatch(address):
                raise DefinitionError(f"setting notify: {address!r} is no e-mail address and no URL with https://")

    @classmethod
    def local(cls) -> "Deployment":
        """The emulator on this machine."""
        return cls(
            bootstrapped=False,
            packaged_wheels=False,
            enforce_tls=False,
            schedules_enabled=False,
            batch_window_seconds=0,
            visibility_factor=1,
            stream_workers=2,
            snap_start=False,
            assets_bucket="smallbox-local-assets",
            metric_math=False,
            as_of=ALLOWED,
        )

    @classmethod
    def aws(cls, changed: Mapping[str, Any] | None = None) -> "Deployment":
        """An AWS account.

        Args:
            changed: settings that differ from the usual ones, by name.

        Raises:
            TypeError: if there is no such setting.
            DefinitionError: if one has a value that it cannot have on AWS.
        """
        if (changed or {}).get("as_of") == ALLOWED:
            raise DefinitionError("setting as_of='allowed' is for this machine only; write 'granted' or 'refused'")
        usual = cls(
            bootstrapped=True,
            packaged_wheels=True,
            enforce_tls=True,
            schedules_enabled=True,
            batch_window_seconds=5,
            visibility_factor=6,
            stream_workers=2,
            snap_start=False,
            assets_bucket="",
            metric_math=True,
        )
        return replace(usual, **(changed or {}))


def changed_settings() -> dict[str, Any]:
    """The settings that ``cdk.json`` changes for AWS: its ``context``, ``settings``, like ``{"snap_start": true}``."""
    document = json.loads((ROOT / "cdk.json").read_text())
    found: dict[str, Any] = document.get("context", {}).get("settings", {})
    return found
