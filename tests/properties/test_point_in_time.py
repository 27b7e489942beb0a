"""The batch engine against the definition."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.features.windows.batch import point_in_time
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record
from tests.properties import oracle
from tests.properties.histories import ENTITIES, PLACES, SOURCES, VIEWS, histories, moments

names = pytest.mark.parametrize("name", SOURCES)


def entities_of(view_index: int) -> list[str]:
    """The entities of one of the views, and one that nothing happened to."""
    if view_index != 1:
        return ["a", "b\\|c", "nobody"]
    return [
        f"{who.replace('|', chr(92) + '|')}|{place.replace(chr(92), chr(92) * 2)}"
        for who in ENTITIES
        for place in PLACES
    ]


@names
@settings(max_examples=60)
@given(data=st.data(), which=st.integers(0, 2))
def test_batch_equals_the_definition(name: str, data: st.DataObject, which: int) -> None:
    """For every aggregate, any history and any moment, the batch engine gives exactly what the definition says."""
    source, view = SOURCES[name], VIEWS[name][which]
    history = data.draw(histories(source))
    asked = data.draw(st.lists(st.tuples(st.sampled_from(entities_of(which)), moments), min_size=1, max_size=8))
    found = point_in_time(
        view, records_to_table(source, history), [e for e, _ in asked], np.array([t for _, t in asked], dtype=np.int64)
    )
    expected = [oracle.features(view, history, entity, as_of) for entity, as_of in asked]
    oracle.check(view, found, expected)


@names
@settings(max_examples=25)
@given(data=st.data(), as_of=moments)
def test_what_is_not_yet_known_changes_nothing(name: str, data: st.DataObject, as_of: int) -> None:
    """Records that become known after the cut-off, whatever they say, leave every value as it was."""
    source, view = SOURCES[name], VIEWS[name][0]
    history = data.draw(histories(source))
    known = [r for r in history if r.known_at <= as_of]
    moments_asked = np.array([as_of, as_of], dtype=np.int64)
    tables = [
        records_to_table(source, part)
        for part in (history, known, known + [_spoiled(r) for r in history if r not in known])
    ]
    answers = [point_in_time(view, table, ["a", "b\\|c"], moments_asked) for table in tables]
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])


def _spoiled(record: Record) -> Record:
    return dataclasses.replace(record, values={**record.values, "size": 999.0, "who": "a"})
