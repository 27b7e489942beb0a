"""The credentials that requests are signed with: botocore finds and refreshes them."""

from typing import Any, Protocol

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError

from smallbox.errors import Unavailable


class FindCredentials(Protocol):
    """Finds botocore's credentials, which refresh themselves; see :func:`smallbox.aws.clients.credentials`."""

    def __call__(self, *, anew: bool) -> Any:
        """Those of the process, or those of now."""


class HeldCredentials:
    """Found at the first request, so that a process starts without any.

    Args:
        find: where they come from.
    """

    def __init__(self, find: FindCredentials) -> None:
        self._find = find
        self._held: Any = None

    def frozen(self) -> ReadOnlyCredentials:
        """Those of one request; botocore has refreshed them if they were about to expire.

        Raises:
            Unavailable: when there are none, or they cannot be refreshed.
        """
        if self._held is None:
            self._hold(anew=False)
        try:
            frozen: ReadOnlyCredentials = self._held.get_frozen_credentials()
        except BotoCoreError as error:
            raise Unavailable(f"the credentials for DynamoDB could not be refreshed: {type(error).__name__}") from error
        return frozen

    def renew(self) -> None:
        """Look for others: those held were refused, though botocore took them for good.

        Raises:
            Unavailable: when there are none.
        """
        self._hold(anew=True)

    def _hold(self, *, anew: bool) -> None:
        try:
            self._held = self._find(anew=anew)
        except BotoCoreError as error:
            raise Unavailable(f"the credentials for DynamoDB could not be found: {type(error).__name__}") from error
        if self._held is None:
            raise Unavailable("there are no credentials for DynamoDB; give the function a role")
