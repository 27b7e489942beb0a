"""Credentials for signing: those of the Lambda environment, or those that botocore finds and refreshes."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from smallbox.errors import Unavailable


class SigningKeys(NamedTuple):
    """The keys that one request is signed with; botocore's frozen credentials have the same fields."""

    access_key: str
    secret_key: str
    token: str | None = None


class FindCredentials(Protocol):
    """Finds credentials with botocore's ``get_frozen_credentials``; see :func:`found_credentials`."""

    def __call__(self, *, anew: bool) -> Any:
        """The credentials that the process holds, or with ``anew`` those of a new search."""


class FixedCredentials:
    """Credentials that last as long as the process, as those in the environment of a Lambda function do."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    def get_frozen_credentials(self) -> SigningKeys:
        """The keys."""
        return self._keys


def found_credentials(*, anew: bool, env: Mapping[str, str] = os.environ) -> Any:
    """The keys of a Lambda function's environment, else what botocore finds: importing it takes 0.1 s of a cold start.

    Args:
        anew: ask botocore in any case, since the keys of the environment were refused.
        env: the environment variables.
    """
    if not anew and "AWS_LAMBDA_FUNCTION_NAME" in env and "AWS_ACCESS_KEY_ID" in env:
        keys = SigningKeys(env["AWS_ACCESS_KEY_ID"], env.get("AWS_SECRET_ACCESS_KEY", ""), env.get("AWS_SESSION_TOKEN"))
        return FixedCredentials(keys)
    from smallbox.aws.clients import credentials  # noqa: PLC0415 - imports boto3

    return credentials(anew=anew)


def prepare_snapshot(env: Mapping[str, str] = os.environ) -> None:
    """Import what finds credentials while Lambda takes a snapshot (SnapStart): functions restored from it have no keys.

    Otherwise the first request after each restore would import it.
    """
    if env.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        import boto3  # noqa: F401, PLC0415 - see above


class HeldCredentials:
    """Credentials that are found at the first request and held, so that a cold start does not wait for them.

    Args:
        find: finds the credentials.
    """

    def __init__(self, find: FindCredentials) -> None:
        self._find = find
        self._held: Any = None

    def frozen(self) -> SigningKeys:
        """The credentials for one request; botocore refreshes them shortly before they expire.

        Raises:
            Unavailable: when there are none, or they cannot be refreshed.
        """
        if self._held is None:
            self._hold(anew=False)
        try:
            frozen: SigningKeys = self._held.get_frozen_credentials()
        except Exception as error:  # botocore's errors have no base that can be named without importing it
            raise Unavailable(f"the credentials for AWS could not be refreshed: {type(error).__name__}") from error
        return frozen

    def renew(self) -> None:
        """Search for new credentials, after AWS refused those that botocore still considers valid.

        Raises:
            Unavailable: when there are none.
        """
        self._hold(anew=True)

    def _hold(self, *, anew: bool) -> None:
        try:
            self._held = self._find(anew=anew)
        except Exception as error:  # as above
            raise Unavailable(f"the credentials for AWS could not be found: {type(error).__name__}") from error
        if self._held is None:
            raise Unavailable("there are no credentials for AWS; give the function a role")
