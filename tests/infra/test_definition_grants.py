"""Who may reach what a registered version keeps of its definition, and which views are live."""

from tests.infra.grants import granted
from tests.infra.templates import Assembly

FOLLOWERS = {"features/stream", "features/rebuild", "ingestion/append", "ingestion/load", "ingestion/upkeep"}
"""The functions that follow the live views, and need nothing else of the registry."""


def test_who_follows_the_live_views_gets_one_document_at_a_time(aws: Assembly) -> None:
    """They can neither list what the registry has nor change it."""
    actions = {(one.who, one.action) for one in granted(aws) if one.on == "table:registry" and one.who in FOLLOWERS}
    assert actions == {(who, "dynamodb:GetItem") for who in FOLLOWERS}


def test_the_code_of_versions_is_written_by_who_registers_them_alone(aws: Assembly) -> None:
    """That function puts the bundle of a version there and cannot read one; nobody deletes one."""
    bundles = {(one.who, one.action) for one in granted(aws) if one.on.startswith("bucket:lake/bundles/")}
    assert {(who, action) for who, action in bundles if action != "s3:GetObject"} == {
        ("registry/register", "s3:PutObject")
    }
    assert ("registry/register", "s3:GetObject") not in bundles
