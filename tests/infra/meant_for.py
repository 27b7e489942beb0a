"""What each store is meant for: who reads, writes and deletes what, apart from the table of grants."""

from typing import Final

FOLDERS: Final = ("records", "current", "predictions", "labelled", "restated", "exposures")
UPKEEP: Final = "ingestion/upkeep"
LOADERS: Final = {"ingestion/append", "ingestion/load"}

BLOB_READERS: Final = {
    "bucket:lake/tables/records/*": {
        *LOADERS, UPKEEP, "features/rebuild", "features/backfill", "training/dataset", "serving/score",
        "feedback/join", "monitoring/check", "monitoring/freshness", "release/shadow", "release/experiment",
    },
    "bucket:lake/tables/current/*": {UPKEEP},
    "bucket:lake/tables/predictions/*": {
        "serving/log", "serving/score", UPKEEP, "feedback/join", "monitoring/check", "release/shadow",
        "release/review", "release/experiment",
    },
    "bucket:lake/tables/labelled/*": {
        "feedback/join", UPKEEP, "monitoring/check", "release/shadow", "release/review", "release/experiment",
    },
    "bucket:lake/tables/restated/*": {"feedback/join", UPKEEP},
    "bucket:lake/tables/exposures/*": {"release/experiment", UPKEEP},
    "bucket:lake/datasets/*": {"training/fit"},
    "bucket:lake/models/*": {
        "training/fit", "serving/predict", "serving/score", "monitoring/check", "release/shadow", "serving/log",
        "feedback/join",
    },
    "bucket:lake/profiles/records/*": {*LOADERS, UPKEEP, "monitoring/check"},
    "bucket:lake/profiles/predictions/*": {"serving/log", "serving/score", UPKEEP, "monitoring/check"},
    "bucket:lake/profiles/labelled/*": {"feedback/join", UPKEEP, "monitoring/check"},
    "bucket:lake/bundles/*": {
        "training/dataset", "serving/predict", "serving/score", "monitoring/check", "release/shadow",
    },
    "bucket:lake/references/*": {"monitoring/check"}, "bucket:lake/quarantine/*": {"monitoring/check"},
    "bucket:inbox/drop/*": {"ingestion/load"},
    "bucket:inbox/parts/*": {"ingestion/load", "serving/score"},
    "bucket:inbox/score/*/in/*": {"serving/score"},
    "bucket:inbox/score/*/out/*": {"serving/score"},
}  # fmt: skip

BLOB_WRITERS: Final = {
    "bucket:lake/tables/records/*": {*LOADERS, UPKEEP},
    "bucket:lake/tables/current/*": {UPKEEP},
    "bucket:lake/tables/predictions/*": {"serving/log", "serving/score", UPKEEP},
    **{f"bucket:lake/tables/{folder}/*": {"feedback/join", UPKEEP} for folder in ("labelled", "restated")},
    "bucket:lake/tables/exposures/*": {"release/experiment", UPKEEP},
    "bucket:lake/quarantine/*": {"ingestion/collect", *LOADERS},
    "bucket:lake/reports/*": {"ingestion/load"},
    "bucket:lake/datasets/*": {"training/dataset"},
    "bucket:lake/models/*": {"training/fit"},
    "bucket:lake/profiles/records/*": {*LOADERS, UPKEEP},
    "bucket:lake/profiles/predictions/*": {"serving/log", "serving/score", UPKEEP},
    "bucket:lake/profiles/labelled/*": {"feedback/join", UPKEEP},
    "bucket:lake/bundles/*": {"registry/register"},
    "bucket:lake/references/*": {"monitoring/check"},
    "bucket:inbox/parts/*": {"ingestion/load", "serving/score"},
    "bucket:inbox/score/*/in/daily/*": {"serving/score"},
    "bucket:inbox/score/*/out/*": {"serving/score"},
}

BLOB_DELETERS: Final = {
    **{f"bucket:lake/tables/{folder}/*": {UPKEEP} for folder in FOLDERS},
    **{f"bucket:lake/profiles/{of}/*": {UPKEEP} for of in ("records", "predictions", "labelled")},
    "bucket:lake/tables/records/*/_delta_log/*": LOADERS,
    "bucket:lake/tables/predictions/*/_delta_log/*": {"serving/log", "serving/score"},
    **{f"bucket:lake/tables/{folder}/*/_delta_log/*": {"feedback/join"} for folder in ("labelled", "restated")},
    "bucket:lake/tables/exposures/*/_delta_log/*": {"release/experiment"},
    "bucket:inbox/parts/*": {"ingestion/load", "serving/score"},
    "bucket:inbox/score/*/out/*": {"serving/score"},
}

TABLE_WRITERS: Final = {
    "table:online": {"features/stream", "features/rebuild", "features/backfill"},
    "table:registry": {
        "registry/register", "release/start", "release/review", "retraining/decide",
        "features/backfill", "release/guard", "release/experiment",
    },
    "table:metrics": {
        "feedback/join", "monitoring/check", "monitoring/resolve", "retraining/decide", "release/shadow",
        "release/review", "monitoring/freshness",
    },
}  # fmt: skip

TABLE_READERS: Final = {
    "table:online": {*TABLE_WRITERS["table:online"], "serving/predict", "monitoring/check"},
    "table:registry": {
        *TABLE_WRITERS["table:registry"], "registry/browse", "training/dataset", "training/fit", "serving/predict",
        "serving/score", "feedback/join", "monitoring/check", "features/stream", "features/rebuild", *LOADERS, UPKEEP,
        "release/shadow", "serving/log", "monitoring/freshness",
    },
    "table:metrics": {*TABLE_WRITERS["table:metrics"], "registry/browse", "release/guard"},
}  # fmt: skip

SENDERS: Final = {
    "queue:events": {"ingestion/collect"},
    "queue:drops": {"ingestion/load"},
    "queue:features": {"ingestion/append", "features/stream"},
    "queue:rebuild": {"ingestion/load", UPKEEP, "features/stream", "features/rebuild", "features/backfill"},
    "queue:predictions": {"serving/predict"},
    "queue:decide-dead": {"retraining/decide"},
}
