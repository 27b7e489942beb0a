"""Proves that every error has one meaning outside, and that nothing inside leaks."""

import pytest

from smallbox.error_codes import POLICIES, error_body, policy_of
from smallbox.errors import SmallboxError


def _tree(error: type[SmallboxError]) -> list[type[SmallboxError]]:
    return [error, *(leaf for child in error.__subclasses__() for leaf in _tree(child))]


@pytest.mark.parametrize("error", _tree(SmallboxError))
def test_every_error_has_a_policy_of_its_own(error: type[SmallboxError]) -> None:
    """No error of the tree falls back on its parent's policy by accident."""
    assert error in POLICIES
    assert policy_of(error("x")) is POLICIES[error]


def test_what_may_be_tried_again_is_never_the_callers_fault() -> None:
    """A 4xx that blames the input is dropped, never retried; conflicts and rate limits are the 4xx that may be."""
    retried = {policy.code for policy in POLICIES.values() if policy.status < 500 and policy.delivery == "retry"}
    assert retried == {"conflict", "rate_limited"}


def test_a_bug_shows_nothing_of_itself() -> None:
    """An error that is not ours is answered without its text."""
    assert "secret" not in str(error_body(ValueError("secret")))
