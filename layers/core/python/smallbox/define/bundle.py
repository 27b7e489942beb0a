"""TEMPORARY STUB."""

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from smallbox.define.on_demand import OnDemand


@dataclass(frozen=True)
class Bundle:
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def bundle_of(functions: Sequence[OnDemand]) -> Bundle:
    return Bundle("".join(inspect.getsource(f) for f in functions).encode())


def functions_of(content: bytes, sha256: str) -> tuple[OnDemand, ...]:
    raise NotImplementedError
