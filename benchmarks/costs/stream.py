"""The dollars of a million records through the stream function, from the units that a thousand of them take.

List prices of us-east-1 without free tiers, as in ``docs/costs.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

WRITE_UNIT: Final = 0.625e-6
READ_UNIT: Final = 0.125e-6
SQS_REQUEST: Final = 0.40e-6
INVOCATION: Final = 0.20e-6
GB_SECOND: Final = 0.0000133334
MEMORY_GB: Final = 1.0
"""The function's memory."""
PROCESSOR: Final = 1_024 / 1_769
"""The share of a processor that a function of 1,024 MB has."""
SQS_BYTES: Final = 64 << 10
"""Bytes of a message that count as one request."""
TRANSACTION_SECONDS: Final = 0.025
"""Assumed, not measured: the time of a transaction of a hundred items."""
READ_SECONDS: Final = 0.008
"""Assumed, not measured: the time of a read of a hundred items."""

_MILLION: Final = 1_000_000
_MEASURED: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamUnits:
    """What a thousand records take.

    Attributes:
        cpu_seconds: of one whole processor.
        invocations: of the function.
        messages: of the queue.
        message_bytes: of a message, on average.
        transactions: calls that write.
        reads: calls that read.
        marker_write_units: write units of markers; a transaction counts twice.
        state_write_units: write units of states.
        read_units: of markers and states.
    """

    cpu_seconds: float
    invocations: float
    messages: float
    message_bytes: float
    transactions: float
    reads: float
    marker_write_units: float
    state_write_units: float
    read_units: float

    @property
    def function_seconds(self) -> float:
        """How long a function runs for them: its computing, and its waiting for the table, one call after another."""
        waiting = self.transactions * TRANSACTION_SECONDS + self.reads * READ_SECONDS
        return self.cpu_seconds / PROCESSOR + waiting


def dollars_a_million(units: StreamUnits) -> Mapping[str, float]:
    """Dollars for a million records, by what is paid for; within an hour or longer is the same.

    Queue requests are at most this: a message is sent, received and deleted by requests of its own.
    """
    requests = units.messages * (2 * max(-(-units.message_bytes // SQS_BYTES), 1) + 1)
    thousand = {
        "markers": units.marker_write_units * WRITE_UNIT,
        "states": units.state_write_units * WRITE_UNIT,
        "reads": units.read_units * READ_UNIT,
        "function": units.invocations * INVOCATION + units.function_seconds * MEMORY_GB * GB_SECOND,
        "queue": requests * SQS_REQUEST,
    }
    return {name: cost * _MILLION / _MEASURED for name, cost in thousand.items()}


def workers_for(units: StreamUnits, records_an_hour: int) -> float:
    """How many workers are busy all the time to keep up with so many records an hour."""
    return records_an_hour / _MEASURED * units.function_seconds / 3_600
