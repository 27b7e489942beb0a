"""`smallbox deploy`: deploys the CDK app to AWS; ``cdk_deploy`` also deploys it to the local stack."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from smallbox.cli.check import require_no_mistake
from smallbox.cli.checkout import node, root, state_folder, with_tools
from smallbox.cli.contexts import Context, context_of
from smallbox.cli.contract_check import fetch_snapshot, require_compatible
from smallbox.cli.output import printed
from smallbox.cli.stack import Stack
from smallbox.errors import InvalidInput, Unavailable

_BETWEEN_STACKS: Final = "ExportsOutput"
"""How the outputs begin that CDK adds for its other stack."""
_KEYS: Final = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
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
    parser = subparsers.add_parser("deploy", help="deploy to AWS, with the credentials and in the region of --on")
    parser.set_defaults(run=printed(_deploy))


def _deploy(arguments: argparse.Namespace) -> dict[str, str]:
    context = context_of(arguments)
    if context.is_local:
        raise InvalidInput(
            "`smallbox deploy` deploys to AWS: name a context, like `smallbox --on PROFILE/REGION deploy`; "
            "`smallbox up` deploys to this machine"
        )
    project, stack = require_no_mistake(), Stack.of(context)
    fetch_snapshot(context, stack.api())
    require_compatible(project, context)
    # The app's own module builds the layers: only it knows their content.
    built = subprocess.run([sys.executable, "-m", "infra.wheels"], cwd=root(), check=False, stdout=sys.stderr)
    if built.returncode:
        raise Unavailable("the layers could not be built, for the reason above; nothing was deployed")
    options = ["--context", f"on={context.name}", "--context", f"stacks={','.join(context.stacks)}"]
    outputs = cdk_deploy(_deployer(os.environ, context, stack), options)
    # the backfill makes new and changed views readable; unchanged views stay readable meanwhile
    stack.client("stepfunctions").start_execution(stateMachineArn=outputs["BackfillMachine"], input="{}")
    return {name: value for name, value in sorted(outputs.items()) if not name.startswith(_BETWEEN_STACKS)}


def _deployer(environment: Mapping[str, str], context: Context, stack: Stack) -> dict[str, str]:
    """The CDK's environment: the profile, so that it can renew the credentials, instead of keys of the shell."""
    regions = {"AWS_REGION": stack.region, "AWS_DEFAULT_REGION": stack.region}
    if not context.profile:
        return {**environment, **regions}
    kept = {name: value for name, value in environment.items() if name not in _KEYS}
    return {**kept, **regions, "AWS_PROFILE": context.profile}
