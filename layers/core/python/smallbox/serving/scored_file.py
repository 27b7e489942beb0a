"""A file under ``score/<model>/in/``: its model, its plan, and the folder of its predictions.

score/<model>/in/monday.csv                                        the file
score/<model>/out/monday.csv/predictions.parquet                   its predictions
score/<model>/out/monday.csv/predictions-00003-of-00040.parquet    those of one part of a large file
score/<model>/out/monday.csv/report.json                           how many rows, and which were rejected
score/<model>/out/monday.csv/_SUCCESS                              empty; written last
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from smallbox.errors import MalformedBody, NotFound
from smallbox.ingestion.parts_folder import PartsFolder
from smallbox.ports import Blobs
from smallbox.times import Micros

REJECTIONS_SHOWN: Final = 100
"""How many rejected rows a report names."""

_LEVELS: Final = 4


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """Plan for scoring a file: everything that its parts and their retries must agree about.

    Attributes:
        key: the file's key.
        model: the model that scores it.
        tag: the entity tag of its content.
        at: when it was stored, microseconds.
        routing: the versions that answer, as JSON; a release in the meantime does not change them.
        firsts: the number of the first row of each part.
    """

    key: str
    model: str
    tag: str
    at: Micros
    routing: Mapping[str, Any]
    firsts: Sequence[int]


@dataclass(frozen=True, slots=True)
class ScoredCounts:
    """The result of a part.

    Attributes:
        scored: rows with a prediction.
        rejected: rows that break the contract.
        rejections: index, line, field, rule, value and message of the first hundred of them.
    """

    scored: int = 0
    rejected: int = 0
    rejections: Sequence[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """The result of scoring a file.

    Attributes:
        key: the file's key.
        tag: the entity tag of its content.
        folder: where its predictions are.
        model: the model that scored it.
        parts: in how many parts it was scored.
        scored: rows with a prediction.
        rejected: how many rows break the contract.
        rejections: index, line, field, rule, value and message of the first hundred of them.
    """

    key: str
    tag: str
    folder: str
    model: str
    parts: int
    scored: int
    rejected: int
    rejections: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, plan: ScorePlan, results: Sequence[ScoredCounts]) -> "ScoreReport":
        """The report of a file from the results of its parts, in their order."""
        shown = [rejection for result in results for rejection in result.rejections][:REJECTIONS_SHOWN]
        scored, rejected = (sum(getattr(result, name) for result in results) for name in ("scored", "rejected"))
        parts = len(plan.firsts)
        return cls(plan.key, plan.tag, out_folder(plan.key), plan.model, parts, scored, rejected, shown)


ScoreFolder = PartsFolder[ScorePlan, ScoredCounts]
"""The working folder of a large file to score."""


def score_folder(inbox: Blobs, path: str) -> ScoreFolder:
    """The working folder at a path."""
    return PartsFolder(inbox, path, ScorePlan, ScoredCounts)


def model_of(key: str) -> str:
    """The model that scores a file, from its key ``score/<model>/in/<file>``.

    >>> model_of("score/late_arrival/in/monday.csv")
    'late_arrival'

    Raises:
        MalformedBody: when the key has no such form.
    """
    parts = key.split("/")
    if len(parts) < _LEVELS or parts[0] != "score" or parts[2] != "in":
        raise MalformedBody(f"{key!r} is not of the form score/<model>/in/<file>; drop it there", key=key)
    return parts[1]


def is_request(key: str) -> bool:
    """Whether a key lies under a model's ``in/``: the trigger's wildcard also matches outputs under a folder ``in``.

    >>> is_request("score/m/in/a.csv"), is_request("score/m/out/in/a.csv/report.json")
    (True, False)
    """
    return key.split("/")[2:3] == ["in"]


def out_folder(key: str) -> str:
    """The folder of a file's predictions.

    >>> out_folder("score/late_arrival/in/2013/monday.csv")
    'score/late_arrival/out/2013/monday.csv'
    """
    _, model, _, *rest = key.split("/")
    return "/".join(["score", model, "out", *rest])


def predictions_name(number: int, parts: int) -> str:
    """The name of the predictions of a part.

    >>> predictions_name(0, 1), predictions_name(3, 40)
    ('predictions.parquet', 'predictions-00003-of-00040.parquet')
    """
    return "predictions.parquet" if parts <= 1 else f"predictions-{number:05d}-of-{parts:05d}.parquet"


class OutFolder:
    """The folder of a file's predictions."""

    def __init__(self, inbox: Blobs, key: str) -> None:
        self._inbox = inbox
        self._key = key
        self._path = out_folder(key)

    def holds(self, tag: str) -> bool:
        """Whether the predictions of this very content are there and complete."""
        if f"{self._path}/_SUCCESS" not in self._inbox.list(f"{self._path}/_SUCCESS"):
            return False
        try:
            return bool(json.loads(self._inbox.get(f"{self._path}/report.json")).get("tag") == tag)
        except NotFound:
            return False

    def clear(self) -> None:
        """Delete what another content under the key left, ``_SUCCESS`` first."""
        for key in sorted(self._inbox.list(f"{self._path}/"), key=lambda key: not key.endswith("/_SUCCESS")):
            if key.removeprefix(f"{self._path}/").partition("/")[1] == "":
                self._inbox.delete(key)

    def put(self, name: str, content: bytes) -> None:
        """Write a file."""
        self._inbox.put(f"{self._path}/{name}", content)

    def complete(self, report: ScoreReport) -> None:
        """Write the report, then ``_SUCCESS``."""
        self.put("report.json", json.dumps(asdict(report)).encode())
        self.put("_SUCCESS", b"")

    def refuse(self, error: Mapping[str, Any]) -> None:
        """Write the report of a file that cannot be scored.

        Args:
            error: the body of an error, ``{"error": {"code", "message", "details"}}``.
        """
        self.put("report.json", json.dumps({"key": self._key, **error}).encode())
