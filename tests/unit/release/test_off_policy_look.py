"""Proves that a version which answered nobody is judged on the shuffled lists of the champion, or refused."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import Exploration
from smallbox.errors import Conflict, InvalidInput, SmallboxError
from smallbox.release.off_policy_look import OffPolicyTask
from smallbox.times import DAY, format_moment
from tests.fakes.rankers import two_rankers
from tests.fakes.serving import Serving
from tests.flow.test_interleaving import CLICKED, SEARCHES, _search


def _judged(serving: Serving, **more: Any) -> Any:
    task = OffPolicyTask(serving.project, serving.lake, serving.registry, serving.loader)
    document = {"model": serving.model.name, "version": 2, "as_of": format_moment(4 * DAY), **more}
    return task.run(document, 5 * DAY)


def test_the_opposite_order_would_have_earned_less() -> None:
    """Version 2 ranks last what people click; the shuffled half of the lists shows it without letting it answer."""
    serving = two_rankers(replace(CLICKED, exploration=Exploration(share=0.5, within=2)))
    _search(serving)
    found = _judged(serving)
    assert (found["lists"], found["incomplete"], found["refused"]) == (SEARCHES, 0, [])
    assert found["gains"]["dr"]["gain"]["value"] < 0
    assert found["verdict"] in {"worse", "cannot_tell"}
    assert found["sentence"].startswith(("version 2 would have earned", "Whether version 2"))


def test_few_shuffled_lists_are_refused() -> None:
    """The reason says what it would take, and there is no estimate beside it."""
    serving = two_rankers(replace(CLICKED, exploration=Exploration(share=0.002, within=2)))
    _search(serving)
    found = _judged(serving)
    assert found["refused"]
    assert found["gains"] == {}


@pytest.mark.parametrize(
    ("explores", "more", "error", "says"),
    [
        (False, {}, InvalidInput, "shuffles no list; declare Model"),
        (True, {"version": None}, InvalidInput, "name the version"),
        (True, {"days": -1}, InvalidInput, "at least 1 day"),
        (True, {"version": 1}, Conflict, "no other one"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    explores: bool,  # noqa: FBT001
    more: dict[str, Any],
    error: type[SmallboxError],
    says: str,
) -> None:
    """Each mistake has a sentence that says what to write."""
    model = replace(CLICKED, exploration=Exploration(share=0.5, within=2)) if explores else CLICKED
    with pytest.raises(error, match=says):
        _judged(two_rankers(model), **more)


def test_before_any_list_nothing_is_said() -> None:
    """A model that explores since today has no list with labels."""
    found = _judged(two_rankers(replace(CLICKED, exploration=Exploration(share=0.5, within=2))))
    assert (found["lists"], found["verdict"]) == (0, "cannot_tell")
    assert found["refused"]
