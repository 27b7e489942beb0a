"""What cdk-nag finds and we accept, each with its reason."""

from aws_cdk import Stack


def acknowledge(stores: Stack, pipeline: Stack) -> None:
    """Acknowledge."""
