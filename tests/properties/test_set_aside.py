"""States that have no room, against the definition: whoever has room is right, and so is everybody once there is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.features.online import states
from smallbox.features.online.states import is_set_aside
from tests.properties.histories import SOURCES, START, histories
from tests.properties.test_stream import World

names = pytest.mark.parametrize("name", SOURCES)


@names
@settings(max_examples=25)
@given(data=st.data())
def test_who_has_room_is_right_and_who_had_none_will_be(name: str, data: st.DataObject) -> None:
    """With items of a few hundred bytes, crashes and corrections, no state is wrong; with room again, all answer."""
    world, history = World(name), data.draw(histories(SOURCES[name]))
    now = max([START, *(r.received_at for r in history)])
    crashes = st.one_of(st.none(), st.integers(0, 3))
    world.receive(history)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(states, "STATE_LIMIT", data.draw(st.sampled_from([150, 250, 400, 800])))
        for start in range(0, len(history), 4):
            world.stream(history[start : start + 4], now, data.draw(crashes))
            world.settle(now, data.draw(crashes))
        world.settle(now)
        aside = {key for key, state in world.store.states.items() if is_set_aside(state.packed)}
        world.check(history, now, without=aside)
    views = {view.name: view for view in world.views}
    assert not world.rebuilder.replace({key: views[key.view] for key in aside}, now).set_aside
    world.settle(now)
    world.check(history, now)
