"""Credentials for signing; botocore finds and refreshes them."""

from typing import Any, Protocol

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError

from smallbox.errors import Unavailable


class FindCredentials(Protocol):
    """Finds botocore's self-refreshing credentials; see :func:`smallbox.aws.clients.credentials`."""

    def __call__(self, *, anew: bool) -> Any:
        """The credentials that the process holds, or with ``anew`` those of a new search."""


class HeldCredentials:
    """Credentials that are found at the first request and held, so that a cold start does not wait for them.

    Args:
        find: finds the credentials.
    """

    def __init__(self, find: FindCredentials) -> None:
        self._find = find
        self._held: Any = None

    def frozen(self) -> ReadOnlyCredentials:
        """The credentials for one request; botocore refreshes them shortly before they expire.

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
        """Search for new credentials, after DynamoDB refused those that botocore still considers valid.

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
