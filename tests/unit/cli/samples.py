"""What each command returns, as it was seen: a document of each form."""

from typing import Any, Final

CHECK: Final = {
    "kind": "data", "name": "volume:weather", "value": 71.0, "limit": 21.6, "breached": False, "rows": 71
}  # fmt: skip
GATE: Final = {
    "accepted": False, "outcome": "cannot_tell", "why": "AUC is 0.6000, at least 0.7000 is asked for",
    "checks": [
        {"name": "auc", "value": 0.6, "limit": 0.7, "outcome": "cannot_tell", "why": "low", "rows_needed": 4000}
    ],
    "warnings": ["one of four is unlabelled"],
}  # fmt: skip
TRAINING: Final = {
    "model": "late_arrival", "version": 2, "accepted": False, "verdict": GATE, "as_of": "2013-03-01T00:00:00Z",
    "counts": {"rows": 5000}, "metrics": {"auc": 0.6}, "artifacts": {"onnx_key": "models/a"}, "champion": None,
}  # fmt: skip
VERSION: Final = {
    "number": 1, "status": "champion", "as_of": "2013-03-01T00:00:00Z", "metrics": {"auc": 0.7},
    "verdict": GATE, "reason": "asked for",
}  # fmt: skip
ROUTING: Final = {"champion": 1, "challenger": 2, "share": 0.3, "since": "2013-03-02T00:00:00Z", "revision": 2}
DAY: Final = {
    "model": "late_arrival", "as_of": "2013-03-02T00:00:00Z", "feedback": {"labelled": 900, "coverage": 0.98},
    "breaches": {"data": 1}, "sentences": ["data volume:weather is 3, limit 21.6, on 3 rows"],
    "release": {"action": "none", "why": "no canary runs"}, "retraining": {"train": False, "why": "due later"},
    "hint": "run `smallbox upkeep`",
}  # fmt: skip
STATUS: Final = {
    "models": [
        {
            "name": "late_arrival", "champion": {"version": 1, "since": "2013-03-01T00:00:00Z"},
            "canary": {"version": 2, "share": 0.3, "since": "2013-03-02T00:00:00Z"},
            "last_training": {"as_of": "2013-03-02T00:00:00Z", "version": 2, "outcome": "refused", "why": "AUC is low"},
            "day": "2013-03-01", "breaches": ["data volume:weather is 3"],
            "sources": [
                {"name": "weather", "records": 3, "age_hours": 30.5, "most_hours": 24.0, "breached": True}
            ],
        },
        {
            "name": "fraud", "champion": None, "canary": None, "last_training": None, "day": None, "breaches": [],
            "sources": [],
        },
    ],
    "dead_letters": {"events": 0, "drops": 3},
}  # fmt: skip
PREDICTIONS: Final = [{"id": "a", "score": 0.25, "version": 1, "arm": "champion", "missing": ["temperature"]}]
MISTAKE: Final = {"file": "definitions/fraud.py", "line": 4, "message": "Model: label= is missing; write it"}

REPORT: Final = {
    "model": "late_arrival", "day": "2013-03-01", "as_of": "2013-03-02T00:00:00Z", "breaches": {"data": 0},
    "sentences": [], "checks": [CHECK],
}  # fmt: skip

SAMPLES: Final[dict[str, tuple[Any, str, int]]] = {
    "check": ({"sources": [], "views": [], "models": [], "estimators": False, "mistakes": [MISTAKE]}, "fraud.py:4:", 1),
    "up": ({"api_url": "http://127.0.0.1:4566/api"}, "the API answers at http", 0),
    "down": ({"stopped": True}, "stopped", 0),
    "deploy": ({"ApiUrl": "https://example.org"}, "ApiUrl: https://example.org", 0),
    "status": (STATUS, "dead letters: drops: 3", 0),
    "contract infer": ({"code": "orders = Source(\n    'orders',\n)\n", "open": []}, "orders = Source(", 0),
    "send": ({"accepted": 0, "rejected": [{"index": 0, "field": "a", "reason": "missing"}]}, "missing", 1),
    "drop": ({"key": "drop/a", "source": "a", "accepted": 2, "rejected": 0, "parts": 1}, "accepted: 2", 0),
    "rebuild": ({"rebuilt": "weather"}, "rebuilt: weather", 0),
    "backfill": ({"readable": ["origin"], "states": 12}, "states: 12", 0),
    "upkeep": ({"as_of": "2013-03-02T00:00:00Z", "current": {"weather": 3}}, "current: weather: 3", 0),
    "quarantine list": ({"waiting": [{"key": "q", "source": "a", "day": "2013-03-01", "count": 2}]}, "2013-03-01", 0),
    "quarantine show": ([{"record": {"a": 1}, "rejections": [{"field": "a", "rule": "type"}]}], "rule: type", 0),
    "quarantine replay": ({"accepted": 1, "rejected": []}, "accepted: 1", 0),
    "train": (TRAINING, "late_arrival version 2: cannot tell", 1),
    "predict": (PREDICTIONS, "temperature", 0),
    "score": ({"scored": 2, "rejected": 0, "predictions": "a.parquet"}, "scored: 2", 0),
    "models": ({"versions": [VERSION], "history": [{"at": "2013", "event": "champion", "version": 1}]}, "champion", 0),
    "monitor show": (REPORT, "volume:weather", 0),
    "monitor accept": ({"model": "late_arrival", "version": 1, "why": "a new tariff"}, "a new tariff", 0),
    "day": (DAY, "hint: run `smallbox upkeep`", 0),
}
"""By command: a document, a part of what people read of it, and the exit code."""

OTHERS: Final[dict[str, tuple[Any, str, int]]] = {
    "train": ({**TRAINING, "accepted": True, "routing": ROUTING}, "champion 1, challenger 2", 0),
    "models": ({"models": [{"name": "late_arrival", "routing": ROUTING}, {"name": "b", "routing": None}]}, "0.3", 0),
    "check": ({"sources": ["a"], "views": [], "models": ["m"], "estimators": True, "mistakes": []}, "no mistake", 0),
    "contract infer": ({"code": "# no key", "open": ["its key is not chosen"]}, "# no key", 1),
    "down": ({"stopped": False}, "nothing was running", 0),
    "send": ({"accepted": 1, "rejected": [{"index": 0, "field": "a", "reason": "missing"}]}, "accepted: 1", 0),
}
"""The other forms of documents that have two."""
