"""Sends rows of the prediction log; keeps them for a later request while the queue takes none."""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from smallbox.define.model import Model
from smallbox.errors import Unavailable
from smallbox.messages.encoded import EncodedMessage
from smallbox.ports import Queue
from smallbox.serving_ports import FailureLog
from smallbox.times import SECOND, Micros

KEPT_BYTES: Final = 16_000_000
"""How much a process keeps; what was kept first is given up first."""

PAUSE: Final[Micros] = SECOND
"""How long no further request waits for a queue that has just failed."""

_SENT_AT_ONCE: Final = 20
"""How many kept messages one request sends: it must not wait for all of a long failure."""


class LogSender:
    """Sends messages of logged predictions.

    Args:
        queue: the queue of the prediction log.
        failures: told of rows that are given up.
        most: how many bytes are kept.
    """

    def __init__(self, queue: Queue, failures: FailureLog, most: int = KEPT_BYTES) -> None:
        self._queue = queue
        self._failures = failures
        self._most = most
        self._kept: deque[EncodedMessage] = deque()
        self._bytes = 0
        self._paused_until: Micros = 0

    def send(self, model: Model, messages: Sequence[EncodedMessage], now: Micros, within: Micros | None) -> bool:
        """Send messages, then some of those that were kept before.

        Returns:
            Whether the queue took the messages; if not, they are kept.

        Raises:
            Unavailable: when it did not, and the model's answers must be logged.
        """
        may_keep = model.serve.unlogged
        if may_keep and now < self._paused_until:
            self._keep(messages)
            return False
        try:
            self._queue.send(messages, within=within)
        except Unavailable:
            if not may_keep:
                raise
            self._paused_until = now + PAUSE
            self._keep(messages)
            return False
        self._send_kept(within)
        return True

    def tell(self, message: EncodedMessage, within: Micros | None) -> None:
        """Send a message of a request that fails anyway; it is given up when the queue does not take it."""
        with suppress(Unavailable):
            self._queue.send([message], within=within)

    def _keep(self, messages: Sequence[EncodedMessage]) -> None:
        self._kept.extend(messages)
        self._bytes += sum(len(one.text) for one in messages)
        while self._bytes > self._most:
            given_up = self._kept.popleft()
            self._bytes -= len(given_up.text)
            self._failures.lost(given_up["model"], len(given_up["columns"]["id"]))

    def _send_kept(self, within: Micros | None) -> None:
        for _ in range(min(_SENT_AT_ONCE, len(self._kept))):
            try:
                self._queue.send([self._kept[0]], within=within)
            except Unavailable:
                return
            self._bytes -= len(self._kept.popleft().text)
