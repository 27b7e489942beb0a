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
METRICS: Final = {
    "rows": 900, "rarer_rows": 200, "loss_name": "log loss", "loss": {"value": 0.4471, "low": 0.43, "high": 0.465},
    "figures": {"auc": {"value": 0.7031, "low": 0.68, "high": 0.7261}},
}  # fmt: skip
TRAINING: Final = {
    "model": "late_arrival", "version": 2, "accepted": False, "verdict": GATE, "as_of": "2013-03-01T00:00:00Z",
    "counts": {"rows": 5000}, "metrics": METRICS, "artifacts": {"onnx_key": "models/a"}, "champion": None,
    "baseline": {"outputs": [0.2], "loss": 0.5004, "difference": {"value": -0.0533, "low": -0.06, "high": -0.046}},
}  # fmt: skip
DRILLED: Final = {
    "drill": "stale_weather", "came": 1, "said": "weather is 19 hours old", "others": [], "notices": 2, "passed": True
}  # fmt: skip
VERSION: Final = {
    "number": 1, "status": "champion", "as_of": "2013-03-01T00:00:00Z", "metrics": METRICS,
    "verdict": GATE, "reason": "asked for",
}  # fmt: skip
ROUTING: Final = {"champion": 1, "challenger": 2, "share": 0.3, "since": "2013-03-02T00:00:00Z", "revision": 2}
DAY: Final = {
    "model": "late_arrival", "as_of": "2013-03-02T00:00:00Z", "feedback": {"labelled": 900, "coverage": 0.98},
    "breaches": {"data": 1}, "sentences": ["data volume:weather is 3, limit 21.6, on 3 rows"],
    "incidents": [
        {
            "id": "late_arrival-2013-03-01-source_silent-weather", "state": "open", "opened": "2013-03-01",
            "sentence": "data volume:weather is 3, limit 21.6, on 3 rows; to do: mend the source",
        }
    ],
    "release": {"action": "none", "why": "no canary runs"}, "retraining": {"train": False, "why": "due later"},
    "hint": "run `smallbox upkeep`",
}  # fmt: skip
DEFINED: Final[dict[str, list[str]]] = {"sources": ["a"], "views": [], "models": ["m"], "refusals": []}
STATUS: Final = {
    "models": [
        {
            "name": "late_arrival",
            "champion": {"version": 1, "since": "2013-03-01T00:00:00Z"}, "is_changed": True, "trained_version": None,
            "canary": {"version": 2, "share": 0.3, "since": "2013-03-02T00:00:00Z"},
            "last_training": {"as_of": "2013-03-02T00:00:00Z", "version": 2, "outcome": "refused", "why": "AUC is low"},
            "day": "2013-03-01", "breaches": ["data volume:weather is 3"],
            "incidents": [{"id": "late_arrival-2013-03-01-loss", "state": "open", "sentence": "loss is 0.9"}],
            "sources": [
                {"name": "weather", "records": 3, "age_hours": 30.5, "most_hours": 24.0, "breached": True}
            ],
        },
        {
            "name": "fraud", "is_changed": False, "trained_version": None,
            "champion": None, "canary": None, "last_training": None, "day": None, "breaches": [],
            "incidents": [],
            "sources": [],
        },
    ],
    "views": [
        {"view": "carrier", "version": "0a1b", "source": "arrivals", "state": "ready", "needed_by": "definition"},
    ],
    "queues": {
        "events": {"waiting": 0, "oldest_seconds": 0.0}, "features": {"waiting": 7, "oldest_seconds": 90.0},
    },
    "dead_letters": {"events": 0, "drops": 3},
}  # fmt: skip
PREDICTIONS: Final = [{"id": "a", "score": 0.25, "version": 1, "arm": "champion", "missing": ["temperature"]}]
MISTAKE: Final = {"file": "definitions/fraud.py", "line": 4, "message": "Model: label= is missing; write it"}

REPORT: Final = {
    "model": "late_arrival", "day": "2013-03-01", "as_of": "2013-03-02T00:00:00Z", "breaches": {"data": 0},
    "sentences": [], "checks": [CHECK],
    "distances": {"online": [{"name": "weight:location", "value": 2.5, "low": 1.2, "high": 3.8}]},
    "accuracy": {"online": {"first": "2013-02-28", "last": "2013-02-28", "judged": 900, "metrics": METRICS}},
    "exposure": {"sentences": ["No list of 40 was exploration on 2013-03-01."]},
    "states": [
        {"source": "arrivals", "views": ["carrier"], "records": 100, "unapplied": 3, "oldest": 9_000_000_000,
         "known": 1_362_182_000_000_000, "applied": None},
    ],
}  # fmt: skip

REPLAY: Final = {
    "worked": True, "seconds": 61, "report": ".smallbox/report.html",
    "stages": [{"stage": "ingestion", "worked": True, "evidence": "9 records in the lake"}],
    "weeks": [{"week": "2013-03-04", "loss": 0.44712}],
    "interludes": [{"title": "a changed definition", "head": ["phase"], "rows": [["deploy"]]}],
}  # fmt: skip
FAILED_REPLAY: Final = {
    **REPLAY, "worked": False, "weeks": [],
    "stages": [{"stage": "serving", "worked": False, "evidence": "no prediction was logged"}],
}  # fmt: skip

INCIDENT: Final = {
    "id": "late_arrival-2013-03-01-loss", "model": "late_arrival", "state": "acknowledged", "opened": "2013-03-01",
    "updated": "2013-03-02", "remedy": "retrain", "subjects": ["log loss"], "effect": 0.25, "sentence": "loss is 0.9",
    "story": [
        {"at": "2013-03-02T00:00:00Z", "event": "opened", "sentence": "loss is 0.9", "link": "2013-03-01"},
        {"at": "2013-03-02T01:00:00Z", "event": "acknowledged", "sentence": "ann: I look", "link": ""},
    ],
}  # fmt: skip

EXPERIMENT_PLAN: Final = {
    "model": "late_arrival", "versions": [1, 2], "unit": "customer", "covariate": None, "units": 37575,
    "units_at_once": 19623, "days": 38, "reached": "2013-04-08", "reached_at_once": "2013-03-21",
    "sentence": "an effect of 2.0% on orders.amount would be found with 37,575 units",
    "outcomes": [
        {
            "outcome": "orders.amount", "mean": 10.0, "deviation": 5.0, "explained": 0.0, "effect": 0.2, "units": 37575,
            "units_at_once": 19623, "days": 38, "days_at_once": 20,
        }
    ],
}  # fmt: skip
EXPERIMENT: Final = {
    "name": "offers", "kind": "ab", "state": "stopped", "since": "2013-03-01T00:00:00Z", "who": "ann",
    "why": "higher offers",
    "stopped": {"who": "ann", "why": "2 is better", "at": "2013-03-20T00:00:00Z"}, "plan": EXPERIMENT_PLAN,
    "result": {
        "verdict": "better", "sentence": "version 2 is better than version 1", "sample_ratio": {"assigned": 1.0},
        "versions": [
            {"version": 1, "weight": 0.5, "assigned": 900, "answered": 900, "measured": 800, "mean": 10.0},
            {"version": 2, "weight": 0.5, "assigned": 910, "answered": 910, "measured": 805, "mean": None},
        ],
        "effects": [
            {
                "outcome": "orders.amount", "version": 2, "known": "better", "units": 1605, "relative_value": 0.07,
                "relative_low": 0.01, "relative_high": None, "needed": 900,
            }
        ],
    },
}  # fmt: skip

CONTRACTS: Final = {
    "snapshot": ".smallbox/contracts-local.json",
    "sources": [
        {
            "source": "weather", "version": "a1", "deployed": "b2", "since": "2013-03-01T00:00:00Z",
            "changes": ["wind was removed"],
        }
    ],
}  # fmt: skip

CONTEXTS: Final = {
    "contexts": [{"name": "prod", "used": True, "profile": "work", "region": "eu-central-1", "stacks": ["A", "B"]}],
    "used": "prod", "file": "contexts.json",
}  # fmt: skip

RELEASE: Final[dict[str, Any]] = {
    "model": "late_arrival", "version": 2, "status": "challenger",
    "running": {
        "rung": "canary", "share": 0.2, "unit": "", "began": "2013-03-01T00:00:00Z", "since": "2013-03-02T00:00:00Z",
        "held": "a holiday", "champion": 1,
    },
    "events": [{"at": "2013-03-01T00:00:00Z", "event": "shadow", "version": 2, "why": "its shadow begins"}],
    "looks": [{"at": "2013-03-02T00:00:00Z", "rung": "shadow", "action": "start", "why": "not worse", "evidence": {}}],
    "days": [
        {
            "day": "2013-03-01", "champion": 1, "unlike": {}, "calibration": None,
            "asked": {"rows": 9, "lost": 0, "microseconds": 30.5, "outputs": {"score": {"distribution_gap": 0.1}}},
            "paired": {"day": 1, "rows": 9, "champion": 3.0, "candidate": 2.5, "difference_squared": 0.1},
        }
    ],
    "slices": [{"slice": "origin=JFK", "rows": 9, "champion_loss": 0.3, "candidate_loss": 0.2}],
}  # fmt: skip
"""A release in its canary, with one day of its shadow."""

CALLS: Final[dict[str, str]] = {
    "check": "--estimators",
    "up": "",
    "down": "",
    "deploy": "",
    "status": "",
    "proxy": "--port 0",
    "contract infer": "arrivals.csv",
    "contract show": "--fetch",
    "send": "arrivals records.jsonl",
    "drop": "arrivals records.csv",
    "rebuild": "weather",
    "backfill": "origin",
    "upkeep": "",
    "wait": "--timeout 5",
    "quarantine list": "arrivals",
    "quarantine show": "arrivals 2013-03-01",
    "quarantine replay": "arrivals",
    "train": "late_arrival",
    "predict": "late_arrival instances.jsonl",
    "score": "late_arrival requests.csv",
    "models": "late_arrival",
    "release show": "late_arrival",
    "release off-policy": "late_arrival 2",
    "release start": "late_arrival 2 --rung shadow --why tested",
    "release promote": "late_arrival 2 --why tested",
    "release roll-back": "late_arrival --why tested",
    "release hold": "late_arrival --why tested",
    "release resume": "late_arrival --why tested",
    "release retire": "late_arrival 1 --why tested",
    "experiment": "show late_arrival --versions 1,2 --weights .5,.5",
    "monitor show": "late_arrival 2013-03-01",
    "incidents": "late_arrival late_arrival-2013-03-01-loss",
    "day": "late_arrival",
    "replay": "late_arrival arrivals=arrivals.csv --from 2013-03-01 --to 2013-03-08",
    "demo": "--until 2013-03-10",
    "drill": "null_burst",
    "context add": "prod --profile work --region eu-central-1",
    "context list": "",
    "context use": "prod",
    "context remove": "prod",
}
"""By command: what may follow it."""

SAMPLES: Final[dict[str, tuple[Any, str, int]]] = {
    "check": ({**DEFINED, "estimators": False, "mistakes": [MISTAKE]}, "fraud.py:4:", 1),
    "up": ({"api_url": "http://127.0.0.1:4566/api"}, "the API answers at http", 0),
    "down": ({"stopped": True}, "stopped", 0),
    "deploy": ({"ApiUrl": "https://example.org"}, "ApiUrl: https://example.org", 0),
    "status": (STATUS, "dead letters: drops: 3", 0),
    "proxy": ({"answered": 3}, "answered: 3", 0),
    "contract show": (CONTRACTS, "weather: wind was removed", 0),
    "contract infer": ({"code": "orders = Source(\n    'orders',\n)\n", "open": []}, "orders = Source(", 0),
    "send": ({"accepted": 0, "rejected": [{"index": 0, "field": "a", "reason": "missing"}]}, "missing", 1),
    "drop": ({"key": "drop/a", "source": "a", "accepted": 2, "rejected": 0, "parts": 1}, "accepted: 2", 0),
    "rebuild": ({"rebuilt": "weather"}, "rebuilt: weather", 0),
    "backfill": ({"readable": ["origin"], "states": 12}, "states: 12", 0),
    "upkeep": ({"as_of": "2013-03-02T00:00:00Z", "current": {"weather": 3}}, "current: weather: 3", 0),
    "wait": ({"waited_seconds": 3.25, "dead_letters": 0}, "waited_seconds: 3.25", 0),
    "quarantine list": ({"waiting": [{"key": "q", "source": "a", "day": "2013-03-01", "count": 2}]}, "2013-03-01", 0),
    "quarantine show": ([{"record": {"a": 1}, "rejections": [{"field": "a", "rule": "type"}]}], "rule: type", 0),
    "quarantine replay": ({"accepted": 1, "rejected": []}, "accepted: 1", 0),
    "train": (TRAINING, "late_arrival version 2: cannot tell", 1),
    "predict": (PREDICTIONS, "temperature", 0),
    "score": ({"scored": 2, "rejected": 0, "predictions": "a.parquet"}, "scored: 2", 0),
    "models": ({"versions": [VERSION], "history": [{"at": "2013", "event": "champion", "version": 1}]}, "champion", 0),
    "release show": (RELEASE, "late_arrival version 2: challenger", 0),
    "release off-policy": ({"lists": 9, "verdict": "cannot_tell", "refused": ["9 lists"]}, "verdict: cannot_tell", 0),
    **{
        f"release {action}": ({"model": "late_arrival", "routing": ROUTING}, "challenger: 2", 0)
        for action in ("start", "promote", "roll-back", "hold", "resume", "retire")
    },
    "experiment": (EXPERIMENT, "verdict: better: version 2 is better", 0),
    "monitor show": (REPORT, "volume:weather", 0),
    "incidents": (INCIDENT, "ann: I look", 0),
    "day": (DAY, "hint: run `smallbox upkeep`", 0),
    "replay": (REPLAY, "9 records in the lake", 0),
    "demo": ({**REPLAY, "kept": False}, "Try next: smallbox demo --keep", 0),
    "drill": ({"passed": True, "results": [DRILLED]}, "weather is 19", 0),
    **dict.fromkeys(("context add", "context list", "context use", "context remove"), (CONTEXTS, "eu-central-1", 0)),
}
"""By command: a document, a part of what people read of it, and the exit code."""

OTHERS: Final[dict[str, tuple[Any, str, int]]] = {
    "train": (
        {**TRAINING, "accepted": True, "routing": ROUTING, "release": {"action": "wait", "why": "a review"}},
        "champion 1, challenger 2",
        0,
    ),
    "models": ({"models": [{"name": "late_arrival", "routing": ROUTING}, {"name": "b", "routing": None}]}, "0.3", 0),
    "experiment": (EXPERIMENT_PLAN, "would be found with 37,575 units", 0),
    "incidents": ({"incidents": [INCIDENT]}, "late_arrival-2013-03-01-loss", 0),
    "check": ({**DEFINED, "estimators": True, "mistakes": []}, "no mistake", 0),
    "contract show": ({"snapshot": None, "sources": []}, "no deployed contracts", 0),
    "contract infer": ({"code": "# no key", "open": ["its key is not chosen"]}, "# no key", 1),
    "down": ({"stopped": False}, "nothing was running", 0),
    "drop": ({"key": "drop/a", "source": "a", "accepted": 0, "rejected": 2, "parts": 1}, "rejected: 2", 1),
    "quarantine replay": ({"accepted": 0, "rejected": [{"index": 0, "reason": "type"}]}, "type", 1),
    "score": ({"scored": 0, "rejected": 2, "predictions": "a.parquet"}, "rejected: 2", 1),
    "replay": (FAILED_REPLAY, "FAILED", 1),
    "demo": ({**FAILED_REPLAY, "kept": True}, "no prediction was logged", 1),
    "drill": ({"passed": False, "results": [{**DRILLED, "passed": False, "came": None}]}, "never", 1),
    "send": ({"accepted": 1, "rejected": [{"index": 0, "field": "a", "reason": "missing"}]}, "accepted: 1", 0),
}
"""The other forms of documents that have two."""
