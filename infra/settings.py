"""What a deployment can choose: the one object in which the local stack and the one on AWS differ."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout: assets are its folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment's choices.

    Attributes:
        bootstrapped: deploy through the roles and the bucket of `cdk bootstrap`; otherwise with the
            caller's own credentials and the bucket named in ``assets_bucket``.
        packaged_wheels: third-party wheels travel in layers and images; otherwise the Python that runs the
            functions has them already.
        enforce_tls: refuse plain HTTP at buckets, queues and topics; the emulator speaks nothing else.
        schedules_enabled: run the daily checks by the clock; a replay runs them by event time instead.
        batch_window_seconds: how long a queue waits for a batch to fill.
        settle_seconds: how long a backfill waits for workers from before the deployment to end: a rebuild has 900.
        visibility_factor: a message's visibility timeout in timeouts of its function; AWS recommends six.
        snap_start: restore the prediction function from a snapshot instead of importing it at a cold start.
        assets_bucket: see ``bootstrapped``.
    """

    bootstrapped: bool
    packaged_wheels: bool
    enforce_tls: bool
    schedules_enabled: bool
    batch_window_seconds: int
    settle_seconds: int
    visibility_factor: int
    snap_start: bool
    assets_bucket: str

    @classmethod
    def local(cls) -> "Deployment":
        """The emulator on this machine."""
        return cls(
            bootstrapped=False,
            packaged_wheels=False,
            enforce_tls=False,
            schedules_enabled=False,
            batch_window_seconds=0,
            settle_seconds=0,
            visibility_factor=1,
            snap_start=False,
            assets_bucket="smallbox-local-assets",
        )

    @classmethod
    def aws(cls) -> "Deployment":
        """An AWS account."""
        return cls(
            bootstrapped=True,
            packaged_wheels=True,
            enforce_tls=True,
            schedules_enabled=True,
            batch_window_seconds=5,
            settle_seconds=960,
            visibility_factor=6,
            snap_start=False,
            assets_bucket="",
        )
