"""Where each command is tried: a new one is in no list, and a unit test asks for its place."""

from typing import Final

WITHOUT_A_SYSTEM: Final = {"check", "contract infer", "context add", "context list", "context use", "context remove"}
"""They speak to no system."""
HERE_ALONE: Final = {"up", "down", "demo", "drill", "replay"}
"""They work on this machine only, and say so with another context."""
IN_AN_ACCOUNT: Final = {
    "status": "",
    "contract show": "--fetch",
    "send": "weather wrong.jsonl",
    "quarantine list": "weather",
    "drop": "weather fine.jsonl",
    "rebuild": "weather",
    "wait": "--timeout 120",
}
"""What follows a command that an operator calls in an account, in their order: ``test_on.py``. All services are among
them but Step Functions and Lambda."""
SENT_WRONG: Final = "send"
"""The one whose record is refused, and waits in quarantine."""
IN_THE_LOOP: Final = {
    "train", "backfill", "upkeep", "predict", "score", "day", "models", "monitor show",
    "release show", "release off-policy", "release start", "release promote", "release roll-back", "release hold",
    "release resume", "release retire", "experiment", "incidents", "quarantine show", "quarantine replay",
}  # fmt: skip
"""What ``test_loop.py`` and ``test_loop_experiments.py`` do as an operator of the local stack, by the functions that
these commands call."""
ELSEWHERE: Final = {"deploy", "proxy"}
"""``test_on.py`` begins with the one; ``test_protocol_clients.py`` talks through the other."""
