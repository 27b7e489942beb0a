"""The ladder of a release as a picture: the paired loss with its band, and the share that the version answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from matplotlib import pyplot as plt


def ladder_figure(story: Mapping[str, Any]) -> Any:
    """The picture of one release, from its document; see :func:`~smallbox.console.release_story.release_story`."""
    figure, (losses, shares) = plt.subplots(2, 1, figsize=(9, 4.5), sharex=True, height_ratios=[3, 1])
    _losses(losses, [look for look in story["looks"] if look["rung"] == "shadow" and look["evidence"]])
    _shares(shares, story)
    figure.autofmt_xdate()
    return figure


def _losses(axes: Any, looks: Sequence[Mapping[str, Any]]) -> None:
    known = [look for look in looks if look["evidence"].get("low") is not None]
    at = _moments(known)
    values = {name: [look["evidence"][name] for look in known] for name in ("difference", "low", "high", "margin")}
    axes.axhline(0, color="#999", linewidth=1)
    axes.plot(at, values["difference"], "o-", label="candidate minus champion")
    axes.fill_between(at, values["low"], values["high"], alpha=0.2, label="holds at every look")
    axes.plot(at, values["margin"], "--", color="#b00", label="margin")
    axes.set_ylabel("difference of mean loss")
    axes.legend(fontsize=8)


def _shares(axes: Any, story: Mapping[str, Any]) -> None:
    changes = [(event["at"], _share_after(event)) for event in story["events"]]
    last = [look["at"] for look in story["looks"][-1:]]
    steps = [*changes, *((at, changes[-1][1]) for at in last if changes and at > changes[-1][0])]
    axes.step(_moments([{"at": at} for at, _ in steps]), [share for _, share in steps], where="post")
    axes.set_ylim(-0.05, 1.05)
    axes.set_ylabel("share")


def _share_after(event: Mapping[str, Any]) -> float:
    """The share of the requests that the version answers after an event of its release."""
    if event["event"] in {"promote", "champion"}:
        return 1.0
    return float(event["share"]) if event["event"] in {"challenger", "step"} else 0.0


def _moments(dated: Sequence[Mapping[str, Any]]) -> Any:
    return np.array([one["at"][:19] for one in dated], dtype="datetime64[s]")


def verdict_of_release(story: Mapping[str, Any]) -> str:
    """How a release ended, or where it stands, in one sentence."""
    decided = [event for event in story["events"] if event.get("why")]
    if not decided:
        return f"version {story['version']}: {story['status']}"
    last = decided[-1]
    return f"version {story['version']}, {last['event'].replace('_', ' ')}: {last['why']}"
