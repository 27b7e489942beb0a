"""An account that the command line reaches as it reaches AWS: by a profile, a region and ``AWS_ENDPOINT_URL`` alone."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

from infra.deployment import ROOT
from smallbox.cli import local
from smallbox.cli.checkout import node, with_tools

REGION: Final = "eu-central-1"
CHANGED: Final = {"packaged_wheels": False, "enforce_tls": False, "metric_math": False}
"""What the emulator has not: Docker and another machine's wheels, TLS, and alarms that combine metrics.

All other settings are those of AWS."""


def checkout(folder: Path) -> Path:
    """A copy of this checkout; its ``cdk.json`` changes those settings."""
    for part in ("functions", "infra", "layers"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    document = json.loads((ROOT / "cdk.json").read_text())
    (folder / "cdk.json").write_text(json.dumps({**document, "context": {"settings": CHANGED}}))
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


@dataclass(frozen=True, slots=True)
class Account:
    """The account, as its owner sees it.

    Attributes:
        endpoint_url: where it answers.
        folder: where the profiles of those who use it are written.
    """

    endpoint_url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What everybody who uses the account has set: the files with their profiles, and the endpoint."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "credentials"),
            "XDG_CONFIG_HOME": str(self.folder / "settings"),
        }

    def client(self, service: str) -> Any:
        """A client of the account's owner."""
        session = boto3.Session(local.ACCESS_KEY, local.SECRET_KEY, region_name=REGION)
        create: Callable[..., Any] = session.client
        return create(service, endpoint_url=self.endpoint_url)

    def profile(self, name: str, access_key: str, secret_key: str) -> None:
        """Write a profile."""
        with (self.folder / "credentials").open("a") as file:
            file.write(f"[{name}]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n\n")

    def user(self, name: str, *policies: str) -> None:
        """Create a user with these managed policies, and a profile of the same name."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        for policy in policies:
            iam.attach_user_policy(UserName=name, PolicyArn=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.profile(name, key["AccessKeyId"], key["SecretAccessKey"])

    def bootstrap(self, checkout: Path) -> None:
        """``cdk bootstrap``; its bucket takes plain HTTP, which is all that the emulator speaks."""
        template = self._cdk(checkout, "--show-template")
        document = _without_policy(template)
        file = self.folder / "bootstrap.json"
        file.write_text(json.dumps(document))
        self._cdk(checkout, "--template", str(file), f"aws://{local.ACCOUNT}/{REGION}")

    def _cdk(self, checkout: Path, *options: str) -> str:
        keys = {"AWS_ACCESS_KEY_ID": local.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": local.SECRET_KEY}
        environment = with_tools({**os.environ, **self.environment, **keys, "AWS_REGION": REGION})
        command = [node(), "node_modules/aws-cdk/bin/cdk", "bootstrap", "--json", "--app", "", *options]
        ended = subprocess.run(  # noqa: S603 - the pinned CDK
            command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def _without_policy(template: str) -> Mapping[str, Any]:
    document: dict[str, Any] = json.loads(template)
    for name in [n for n, found in document["Resources"].items() if found["Type"] == "AWS::S3::BucketPolicy"]:
        del document["Resources"][name]
    return document
