"""A deployed system as the command line reaches it, on AWS and on this machine alike."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from smallbox.cli.contexts import Context
from smallbox.errors import NotReady

if TYPE_CHECKING:
    from smallbox.cli.signed_requests import SignedHttp

SETTLE_SECONDS: Final = 60.0
"""How long after the last message SQS needs to count exactly, as AWS documents it."""


@dataclass(frozen=True)
class Stack:
    """A deployed system.

    Attributes:
        context: where it is.
        session: the boto3 session with the caller's credentials and region.
        endpoint_url: the endpoint of all services; ``None``: what boto3 finds, on AWS the region's own.
        settle_seconds: how long an empty queue must stay empty; see ``SETTLE_SECONDS``.
    """

    context: Context
    session: Any
    endpoint_url: str | None = None
    settle_seconds: float = 0

    @classmethod
    def of(cls, context: Context) -> "Stack":
        """The system of a context, with the credentials of its profile."""
        import boto3  # noqa: PLC0415 takes half a second to import

        session = boto3.Session(profile_name=context.profile or None, region_name=context.region or None)
        return cls(context, session, settle_seconds=SETTLE_SECONDS)

    @property
    def region(self) -> str:
        """The region of the session."""
        return str(self.session.region_name)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client; ``options`` are boto3's."""
        return self.session.client(service, endpoint_url=self.endpoint_url, **options)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of both CloudFormation stacks by name, like ``LakeBucket``.

        Raises:
            NotReady: if a stack does not exist.
        """
        client = self.client("cloudformation")
        return {name: value for stack in self.context.stacks for name, value in self._outputs_of(client, stack)}

    def _outputs_of(self, client: Any, stack: str) -> list[tuple[str, str]]:
        from botocore.exceptions import ClientError  # noqa: PLC0415 as boto3

        try:
            (found,) = client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise NotReady(self._is_missing(stack), stack=stack, region=self.region) from error
        return [(output["OutputKey"], output["OutputValue"]) for output in found.get("Outputs", [])]

    def _is_missing(self, stack: str) -> str:
        if self.context.is_local:
            return f"the local stack has no {stack}: its deployment has not ended; see `smallbox up`"
        return (
            f"there is no stack {stack} in {self.region} in the account of {self.context.words}; deploy it with "
            f"`smallbox --on {self.context.name} deploy`, or name the region that has it"
        )

    @property
    def api_url(self) -> str:
        """The URL of the HTTP API, without a trailing slash.

        Raises:
            NotReady: if the deployment has not ended.
        """
        if "ApiUrl" not in self.outputs:
            raise NotReady(f"{self.context.stacks[1]} has no output ApiUrl: its deployment has not ended")
        return self.outputs["ApiUrl"]

    @cached_property
    def http(self) -> "SignedHttp":
        """A client of the HTTP API that reuses its connections."""
        return self.http_at(self.api_url)

    def http_at(self, base: str) -> "SignedHttp":
        """As :attr:`http`, at another URL of the same API."""
        from smallbox.cli.signed_requests import SignedHttp  # noqa: PLC0415 - as boto3

        return SignedHttp(base, self.region, self._credentials())

    @cached_property
    def replayed_http(self) -> "SignedHttp":
        """As :attr:`http`, for requests that name a past moment: where there is a stage for them, of that stage."""
        return self.http_at(self.outputs["AsOfUrl"]) if "AsOfUrl" in self.outputs else self.http

    def api(self) -> "SignedHttp | None":
        """As :attr:`http`; ``None`` if nothing is deployed, or the first deployment failed."""
        try:
            return self.http
        except NotReady:
            return None

    def environment(self) -> dict[str, str]:
        """Environment variables that point any AWS tool to the system."""
        keys = self._credentials().get_frozen_credentials()
        found = {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }
        return {name: value for name, value in found.items() if value}

    def _credentials(self) -> Any:
        from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 as boto3

        found = self.session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return found
