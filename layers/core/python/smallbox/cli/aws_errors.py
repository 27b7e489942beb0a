"""Errors of AWS in one sentence that says what to do."""

import re
from typing import Final

from smallbox.cli.contexts import Context
from smallbox.errors import Forbidden, NotReady, SmallboxError, Unavailable

_EXPIRED: Final = frozenset(
    {
        "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "UnauthorizedSSOTokenError",
        "SSOTokenLoadError", "CredentialRetrievalError", "InvalidClientTokenId", "UnrecognizedClientException",
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException",
    }
)  # fmt: skip
"""Error codes and classes that mean: these credentials are not, or no longer, good."""
_DENIED: Final = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException",
        "UnauthorizedOperation", "NotAuthorized", "403",
    }
)  # fmt: skip
_ACTION: Final = re.compile(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?")
_S3_OPERATIONS: Final = {
    "ListObjectsV2": "ListBucket", "HeadObject": "GetObject", "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject",
}  # fmt: skip
"""S3 operations whose IAM action has another name."""


def said_by_aws(error: BaseException) -> BaseException | None:
    """The error of AWS that this one is, or that caused this one of ours; ``None`` if there is none."""
    cause = error.__cause__ if isinstance(error, SmallboxError) else error
    if type(cause).__name__ == "S3UploadFailedError":  # boto3 wraps what S3 said
        cause = cause.__context__ if cause is not None and cause.__context__ else cause
    return cause if type(cause).__module__.startswith(("botocore", "boto3", "s3transfer")) else None


def in_words(error: BaseException, context: Context) -> SmallboxError | None:
    """The sentence for an error of AWS, or for one of ours that was caused by one; ``None`` if it is neither.

    An error of ours keeps its own sentence unless the cause is that credentials or grants are missing.
    """
    cause = said_by_aws(error)
    if cause is None:
        return None
    own = isinstance(error, SmallboxError)
    return _of_access(cause, context) or (None if own else _of_service(cause, context))


def _of_access(error: BaseException, context: Context) -> SmallboxError | None:
    name = type(error).__name__
    code = _code(error) or name
    if code in _EXPIRED:
        return Forbidden(f"AWS refuses the credentials ({code}): they have expired or are wrong. {_sign_in(context)}")
    if name in {"NoCredentialsError", "PartialCredentialsError"}:
        return Forbidden(f"there are no AWS credentials for {context.words}. {_sign_in(context)}")
    if code in _DENIED or "(403)" in str(error):
        return Forbidden(denied(*_missing(error)), **dict(zip(("action", "resource"), _missing(error), strict=True)))
    return None


def _of_service(error: BaseException, context: Context) -> SmallboxError:
    name = type(error).__name__
    if name == "ProfileNotFound":
        return NotReady(f"context {context.name!r}: {error}; `aws configure list-profiles` shows those that there are")
    if name in {"NoRegionError", "InvalidRegionError"}:
        return NotReady(f"context {context.name!r} has no valid region: {error}; save one with --region")
    if name in {"EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ConnectionError"}:
        return Unavailable(f"{error} Is {context.words} the right region, and is there a connection?")
    return Unavailable(f"AWS answered with an error: {error}")


def denied(action: str, resource: str = "") -> str:
    """The sentence for a missing permission."""
    on = f" on {resource}" if resource else ""
    return (
        f"access denied: these credentials lack {action}{on}; the managed policy of the output OperatorPolicy grants "
        "what the commands need, and that of AsOfPolicy --as-of, if the deployment has it"
    )


def _missing(error: BaseException) -> tuple[str, str]:
    """The action that is missing, and the resource where AWS names it."""
    named = _ACTION.search(str(error))
    if named:
        return named[1], (named[2] or "").rstrip(".")
    operation = str(getattr(error, "operation_name", "")) or _operation_in(str(error))
    if operation in _S3_OPERATIONS or operation in {"PutObject", "GetObject", "DeleteObject"}:
        return f"s3:{_S3_OPERATIONS.get(operation, operation)}", ""
    return operation, ""


def _operation_in(text: str) -> str:
    found = re.search(r"when calling the (\w+) operation", text)
    return found[1] if found else "an action"


def _sign_in(context: Context) -> str:
    if context.is_local:
        return "Start a local stack anew with `smallbox down` and `smallbox up`"
    profile = f" --profile {context.profile}" if context.profile else ""
    return f"Sign in again, with single sign-on by `aws sso login{profile}`"


def _code(error: BaseException) -> str:
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
