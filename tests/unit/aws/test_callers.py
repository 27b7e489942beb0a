"""Proves who counts as one consumer, and when a request may name its own moment."""

from typing import Any

import pytest

from smallbox.aws.callers import NOBODY, consumer_of
from smallbox.aws.replays import ALLOWED, AS_OF_STAGE, GRANTED, REFUSED, check_as_of_setting, check_may_replay
from smallbox.errors import DefinitionError, Forbidden


def _context(arn: str | None) -> dict[str, Any]:
    return {"authorizer": {"iam": {"userArn": arn, "accountId": "999999999999"}}}


@pytest.mark.parametrize(
    ("arn", "consumer"),
    [
        ("arn:aws:sts::1:assumed-role/shop/one", "1:role/shop"),
        ("arn:aws:sts::1:assumed-role/shop/another", "1:role/shop"),
        ("arn:aws:sts::2:assumed-role/shop/one", "2:role/shop"),
        ("arn:aws:iam::1:user/team/shop", "1:user/team/shop"),
        ("arn:aws:iam::1:root", "1:root"),
        ("arn:aws:sts::1:federated-user/anything", "1:federated-user"),
        ("arn:aws-cn:sts::1:assumed-role/shop/a:b", "1:role/shop"),
        ("no arn", NOBODY),
        (None, NOBODY),
    ],
)
def test_a_consumer_is_a_role_or_a_user(arn: str | None, consumer: str) -> None:
    """Of its account; never what the caller names itself, as a session is."""
    assert consumer_of(_context(arn)) == consumer


@pytest.mark.parametrize("context", [{}, {"authorizer": None}, {"authorizer": {"iam": None}}, {"authorizer": {}}])
def test_without_an_identity_the_consumer_is_unknown(context: dict[str, Any]) -> None:
    """A request is answered all the same: the API has let it through."""
    assert consumer_of(context) == NOBODY


@pytest.mark.parametrize(
    ("setting", "stage", "is_let_through"),
    [
        (REFUSED, "$default", False),
        (REFUSED, AS_OF_STAGE, False),
        (GRANTED, "$default", False),
        (GRANTED, AS_OF_STAGE, True),
        (ALLOWED, "$default", True),
    ],
)
def test_a_past_moment_needs_the_setting_and_the_stage(setting: str, stage: str, is_let_through: bool) -> None:  # noqa: FBT001
    """The error names the setting."""
    if is_let_through:
        check_may_replay(setting, stage)
        return
    with pytest.raises(Forbidden, match="setting as_of") as caught:
        check_may_replay(setting, stage)
    assert caught.value.details == {"setting": "as_of", "value": setting}


def test_another_setting_is_refused() -> None:
    """The sentence names those that there are."""
    with pytest.raises(DefinitionError, match="refused, granted, allowed"):
        check_as_of_setting("yes")
