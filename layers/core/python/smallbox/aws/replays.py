"""Whether a request may name its own moment, ``?as_of=``: a setting of the deployment and, on AWS, a grant too."""

from typing import Final

from smallbox.errors import DefinitionError, Forbidden

REFUSED: Final = "refused"
"""Nobody may: what a deployment to AWS has unless its settings say otherwise."""

GRANTED: Final = "granted"
"""Who may invoke the stage ``AS_OF_STAGE`` of the API, and only there. IAM decides: it sees the stage and the path of a
request, but not its query."""

ALLOWED: Final = "allowed"
"""Everybody who may call the route: the local stack."""

AS_OF_STAGE: Final = "as_of"
"""The stage of the API that takes ``as_of``, where the setting is ``granted``."""

_SETTINGS: Final = (REFUSED, GRANTED, ALLOWED)


def check_as_of_setting(setting: str) -> None:
    """Raise :class:`DefinitionError` unless a deployment can have this setting ``as_of``."""
    if setting not in _SETTINGS:
        raise DefinitionError(f"setting as_of={setting!r} must be one of {', '.join(_SETTINGS)}")


def check_may_replay(setting: str, stage: str) -> None:
    """Raise unless a request with ``as_of`` is let through.

    Args:
        setting: the deployment's ``as_of``.
        stage: the stage of the API that the request came by.

    Raises:
        Forbidden: the message names the setting.
    """
    if setting == ALLOWED or (setting == GRANTED and stage == AS_OF_STAGE):
        return
    how = (
        f"send it to the stage {AS_OF_STAGE!r} of the API, the output AsOfUrl, with the policy of the output AsOfPolicy"
    )
    if setting == REFUSED:
        how = "leave it out, or deploy with the setting as_of 'granted' in cdk.json"
    raise Forbidden(f"this deployment has the setting as_of {setting!r}: {how}", setting="as_of", value=setting)
