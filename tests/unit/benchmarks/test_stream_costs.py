"""What a million records cost, by hand."""

from dataclasses import replace

import pytest

from benchmarks.costs.stream import StreamUnits, dollars_a_million, workers_for

UNITS = StreamUnits(
    cpu_seconds=0.2, invocations=1, messages=2, message_bytes=130_000, transactions=10, reads=11,
    marker_write_units=2_000, state_write_units=200, read_units=1_010,
)  # fmt: skip


def test_a_million_records_cost_what_the_price_list_says() -> None:
    """Each part is units times price, worked out by hand; a message of two 64 KB is two requests each way."""
    assert dollars_a_million(UNITS) == pytest.approx(
        {
            "markers": 1.25,
            "states": 0.125,
            "reads": 0.12625,
            # 1,000 invocations, and a second's 0.2 / 0.57886 + 10 * 0.025 + 11 * 0.008 of a thousand records
            "function": 0.0002 + 683.5 * 0.0000133334,
            "queue": 2_000 * 5 * 0.40e-6,
        },
        rel=1e-3,
    )


def test_waiting_keeps_workers_busy_too() -> None:
    """A million records an hour are 1,000 times the seconds of a thousand; without the table's part it is less."""
    assert workers_for(UNITS, 1_000_000) == pytest.approx(683.5 / 3_600, rel=1e-3)
    assert workers_for(replace(UNITS, transactions=0, reads=0), 1_000_000) == pytest.approx(345.5 / 3_600, rel=1e-3)
