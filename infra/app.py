"""Entry point of the CDK app: the stack with the data, then the stack with the nine stages.

`cdk synth` needs neither credentials nor Docker.
"""

from typing import Final

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.deployment import Deployment, changed_settings
from infra.pipeline import Pipeline
from infra.stores import Stores
from infra.suppressions import acknowledge_pipeline
from smallbox.cli.contexts import LOCAL, PIPELINE_STACK, STORES_STACK, Context, chosen
from smallbox.cli.contract_check import require_compatible
from smallbox.define.project import load

FLAGS: Final = {
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,  # access logs without access control lists
    "@aws-cdk/core:defaultCrossStackReferences": "strong",  # the stores cannot be deleted before their readers
}


def build(app: cdk.App, deployment: Deployment) -> tuple[Stores, Pipeline]:
    """Create both stacks: one holds the data and stays, the other is stateless and can be replaced."""
    for flag, value in FLAGS.items():
        app.node.set_context(flag, value)

    def synthesizer() -> cdk.IReusableStackSynthesizer | None:
        if deployment.bootstrapped:
            return None
        return cdk.CliCredentialsStackSynthesizer(file_assets_bucket_name=deployment.assets_bucket)

    named = app.node.try_get_context("stacks") or f"{STORES_STACK},{PIPELINE_STACK}"
    of_stores, of_pipeline = named.split(",")
    stores = Stores(app, of_stores, deployment, synthesizer=synthesizer())
    pipeline = Pipeline(app, of_pipeline, deployment, stores, synthesizer=synthesizer())
    acknowledge_pipeline(pipeline)
    return stores, pipeline


def main() -> None:
    """Synthesize for AWS, checked by cdk-nag; with the context ``deployment=local`` for the emulator, unchecked.

    Both are checked against the deployed contracts as a command last stored them; synthesis asks no system.

    Raises:
        DefinitionError: when the definitions do not fit them; see :mod:`smallbox.cli.contract_check`.
    """
    app = cdk.App()
    local = app.node.try_get_context("deployment") == "local"
    target = LOCAL if local else _target(app)
    if target is not None:
        require_compatible(load(), target)
    deployment = Deployment.local() if local else Deployment.aws(changed_settings())
    build(app, deployment)
    if deployment.enforce_tls:  # cdk-nag refuses everything that answers over plain HTTP
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


def _target(app: cdk.App) -> Context | None:
    """The context on AWS that is deployed to: that of `smallbox deploy`, else the chosen one, if that is on AWS."""
    on = app.node.try_get_context("on")
    target = Context(on) if on else chosen(None)
    return None if target.is_local else target


if __name__ == "__main__":
    main()
