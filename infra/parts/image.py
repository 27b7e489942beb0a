"""The container image, shared by all functions that need scikit-learn, pandas or the lake; each has its own command."""

from typing import Final

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr
from aws_cdk import aws_lambda as lambda_

from infra.deployment import ROOT

_ONLY: Final = ["*", "!functions", "!layers", "!infra", "infra/*", "!infra/image", "**/__pycache__"]
"""Patterns as in a .dockerignore: they exclude everything that the Dockerfile does not copy."""


def image_code(path: str) -> lambda_.Code:
    """The image, with the handler of ``functions/<path>`` as its command."""
    return lambda_.Code.from_asset_image(
        str(ROOT),
        file="infra/image/Dockerfile",
        exclude=_ONLY,
        ignore_mode=IgnoreMode.DOCKER,
        platform=ecr.Platform.LINUX_ARM64,
        cmd=[f"functions.{path.replace('/', '.')}.handler.handler"],
    )
