"""TEMPORARY STUB."""

from typing import Any


def preparation_of(estimator: Any) -> list[str]:
    return []
