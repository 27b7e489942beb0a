"""Walks the estimators of a pipeline: its steps, and what they hold."""

from collections.abc import Iterator
from typing import Any


def parts_of(estimator: Any) -> Iterator[Any]:
    """The estimator itself, then every estimator among its parameters, at any depth."""
    yield estimator
    for value in estimator.get_params(deep=True).values():
        if hasattr(value, "get_params") and not isinstance(value, type):
            yield value


def package_of(part: Any) -> str:
    """The top package that defines a part's class.

    >>> from sklearn.linear_model import Ridge
    >>> package_of(Ridge())
    'sklearn'
    """
    return type(part).__module__.partition(".")[0]
