"""`smallbox deploy`: deploys the CDK app to AWS; ``cdk_deploy`` also deploys it to the emulator."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from smallbox.cli.check import require_no_mistake
from smallbox.cli.checkout import node, root, state_folder, with_tools
from smallbox.cli.contract_check import fetch_snapshot, require_compatible
from smallbox.cli.output import printed
from smallbox.errors import Unavailable

if TYPE_CHECKING:
    from smallbox.cli.signed_requests import SignedHttp

PIPELINE_STACK: Final = "SmallboxPipeline"
"""The CloudFormation stack with the nine stages; the API's URL is among its outputs."""

_CDK: Final = "node_modules/aws-cdk/bin/cdk"
_QUIETLY: Final = (
    "--all", "--require-approval", "never", "--method", "direct", "--concurrency", "2",
    "--progress", "events", "--no-notices", "--no-version-reporting", "--ci",
)  # fmt: skip


def cdk_deploy(environment: Mapping[str, str], options: Sequence[str] = ()) -> dict[str, str]:
    """Run `cdk deploy` and return the outputs of all stacks by name.

    Raises:
        Unavailable: if it fails; quotes the last lines of ``.smallbox/deploy.log``.
    """
    outputs = state_folder() / "outputs.json"
    app = f"{sys.executable} -O -m infra.app"  # -O turns off jsii's type checks: saves four seconds
    command = [node(), str(root() / _CDK), "deploy", *_QUIETLY, "--app", app, "--outputs-file", str(outputs), *options]
    log = state_folder() / "deploy.log"
    with log.open("w") as stream:
        ended = subprocess.run(  # noqa: S603 the pinned CDK
            command, env=with_tools(environment), cwd=root(), stdout=stream, stderr=subprocess.STDOUT, check=False
        )
    if ended.returncode:
        last = "\n".join(log.read_text().splitlines()[-15:])
        raise Unavailable(f"the deployment failed; the full log is {log}\n{last}")
    stacks: dict[str, dict[str, str]] = json.loads(outputs.read_text())
    return {name: value for stack in stacks.values() for name, value in stack.items()}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``deploy``."""
    parser = subparsers.add_parser("deploy", help="deploy to AWS with your own credentials")
    parser.set_defaults(run=printed(_deploy))


def deployed_api() -> "SignedHttp | None":
    """The API of the system that is deployed to AWS with the caller's credentials; ``None`` when there is none.

    Raises:
        Unavailable: when CloudFormation does not answer.
    """
    import boto3  # noqa: PLC0415 - takes half a second to import

    from smallbox.aws.clients import AwsErrors, code_of, reason_of  # noqa: PLC0415 - imports boto3
    from smallbox.cli.signed_requests import SignedHttp  # noqa: PLC0415 - as boto3

    session = boto3.Session()
    try:
        (stack,) = session.client("cloudformation").describe_stacks(StackName=PIPELINE_STACK)["Stacks"]
    except AwsErrors as error:
        if code_of(error) == "ValidationError":  # there is no such stack
            return None
        raise Unavailable(f"CloudFormation did not tell what is deployed: {reason_of(error)}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if "ApiUrl" not in outputs:  # its first deployment failed
        return None
    keys: Any = session.get_credentials()  # CloudFormation has answered, so there are some
    key = keys.get_frozen_credentials()
    return SignedHttp(outputs["ApiUrl"], str(session.region_name), key.access_key, key.secret_key, key.token)


def _deploy(_arguments: argparse.Namespace) -> dict[str, str]:
    project = require_no_mistake()
    fetch_snapshot("aws", deployed_api())
    require_compatible(project, "aws")
    import boto3  # noqa: PLC0415 - takes half a second to import

    # The app's own module builds the layers: only it knows their content.
    subprocess.run([sys.executable, "-m", "infra.wheels"], cwd=root(), check=True, stdout=sys.stderr)
    outputs = cdk_deploy(os.environ)
    # the backfill makes new and changed views readable; unchanged views stay readable meanwhile
    boto3.client("stepfunctions").start_execution(stateMachineArn=outputs["BackfillMachine"], input="{}")
    return dict(sorted(outputs.items()))
