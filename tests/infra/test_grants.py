"""Every function reaches the objects that its own work needs, and no others."""

from typing import Final

import pytest

from infra.permissions import Grant
from tests.infra.templates import Allowed, Assembly

FOLDERS: Final = ("records", "current", "predictions", "labelled")
UPKEEP: Final = "ingestion/upkeep"

WRITERS: Final = {
    "Lake/tables/records/*": {"ingestion/append", "ingestion/load", UPKEEP},
    "Lake/tables/current/*": {UPKEEP},
    "Lake/tables/predictions/*": {"serving/log", "serving/score", UPKEEP},
    "Lake/tables/labelled/*": {"feedback/join", UPKEEP},
    "Lake/quarantine/*": {"ingestion/append", "ingestion/collect", "ingestion/load"},
    "Lake/reports/*": {"ingestion/load"},
    "Lake/datasets/*": {"training/dataset"},
    "Lake/models/*": {"training/fit"},
    "Lake/references/*": {"monitoring/accept"},
    "Inbox/parts/*": {"ingestion/load"},
    "Inbox/score/*/out/*": {"serving/score"},
}

DELETERS: Final = {
    **{f"Lake/tables/{folder}/*": {UPKEEP} for folder in FOLDERS},
    "Lake/tables/records/*/_delta_log/*": {"ingestion/append", "ingestion/load"},
    "Lake/tables/predictions/*/_delta_log/*": {"serving/log", "serving/score"},
    "Lake/tables/labelled/*/_delta_log/*": {"feedback/join"},
    "Inbox/parts/*": {"ingestion/load"},
}


def _holders(assembly: Assembly, action: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for allowed in assembly.allowed():
        if allowed.action == action:
            found.setdefault(allowed.resource, set()).add(allowed.job)
    return found


def test_each_folder_is_written_by_those_whose_work_it_is(aws: Assembly) -> None:
    """Nobody but its own writers may put an object into a folder of a bucket."""
    assert _holders(aws, "s3:PutObject") == WRITERS


def test_objects_are_deleted_by_the_upkeep_and_the_loader_alone(aws: Assembly) -> None:
    """Data files of tables go by the upkeep; a writer of a table may only remove old entries of that table's log."""
    assert _holders(aws, "s3:DeleteObject") == DELETERS


def test_a_function_lists_only_what_it_may_also_read(aws: Assembly) -> None:
    """Every listing is bound to prefixes, each of which the function reads anyway, or counts by its names."""
    readable = {(a.job, a.resource) for a in aws.allowed() if a.action == "s3:GetObject"}
    listings = [allowed for allowed in aws.allowed() if allowed.action == "s3:ListBucket"]
    listed = {(allowed.job, f"{allowed.resource}/{prefix}") for allowed in listings for prefix in _prefixes(allowed)}
    assert listed - readable == {("monitoring/check", "Lake/quarantine/*")}
    assert {job for job, _ in listed} == {job for job, on in readable if on.startswith("Lake/tables/")}


def _prefixes(listing: Allowed) -> list[str]:
    (operator,) = listing.condition
    assert operator == "StringLikeIfExists"
    found = listing.condition[operator]["s3:prefix"]
    prefixes: list[str] = found if isinstance(found, list) else [found]
    assert all(prefix.endswith("/*") and prefix != "/*" for prefix in prefixes)
    return prefixes


def test_a_bucket_is_never_listed_whole() -> None:
    """A grant to list without prefixes does not get as far as a template."""
    with pytest.raises(ValueError, match="prefixes"):
        Grant("bucket:lake", ("s3:ListBucket",))
