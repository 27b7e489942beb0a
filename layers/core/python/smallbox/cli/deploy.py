"""`smallbox deploy`: the CDK app to AWS; and the same app to the emulator."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from smallbox.cli.check import require_no_mistake
from smallbox.cli.checkout import node, root, state_folder, with_tools
from smallbox.cli.output import printed
from smallbox.errors import Unavailable

_CDK: Final = "node_modules/aws-cdk/bin/cdk"
_QUIETLY: Final = (
    "--all", "--require-approval", "never", "--method", "direct", "--concurrency", "2",
    "--progress", "events", "--no-notices", "--no-version-reporting", "--ci",
)  # fmt: skip


def cdk_deploy(environment: Mapping[str, str], options: Sequence[str] = ()) -> dict[str, str]:
    """Run `cdk deploy` and return the outputs of all stacks by name.

    Raises:
        Unavailable: when it fails; its last lines say why, ``.smallbox/deploy.log`` says all.
    """
    outputs = state_folder() / "outputs.json"
    app = f"{sys.executable} -O -m infra.app"  # without jsii's own type checks: four seconds less
    command = [node(), str(root() / _CDK), "deploy", *_QUIETLY, "--app", app, "--outputs-file", str(outputs), *options]
    log = state_folder() / "deploy.log"
    with log.open("w") as stream:
        ended = subprocess.run(  # noqa: S603 the pinned CDK
            command, env=with_tools(environment), cwd=root(), stdout=stream, stderr=subprocess.STDOUT, check=False
        )
    if ended.returncode:
        last = "\n".join(log.read_text().splitlines()[-15:])
        raise Unavailable(f"the deployment failed; all of it is in {log}\n{last}")
    stacks: dict[str, dict[str, str]] = json.loads(outputs.read_text())
    return {name: value for stack in stacks.values() for name, value in stack.items()}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``deploy``."""
    parser = subparsers.add_parser("deploy", help="deploy to AWS with your own credentials")
    parser.set_defaults(run=printed(_deploy))


def _deploy(_arguments: argparse.Namespace) -> dict[str, str]:
    require_no_mistake()
    import boto3  # noqa: PLC0415 - half a second that `smallbox --help` need not pay

    # The layers are built by the app's own module: the CLI does not know what is in them.
    subprocess.run([sys.executable, "-m", "infra.wheels"], cwd=root(), check=True, stdout=sys.stderr)
    outputs = cdk_deploy(os.environ)
    # new and changed views become readable when their history is computed; what is readable already stays so
    boto3.client("stepfunctions").start_execution(stateMachineArn=outputs["BackfillMachine"], input="{}")
    return dict(sorted(outputs.items()))
