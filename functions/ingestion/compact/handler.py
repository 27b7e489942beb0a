"""The lake's small files to large ones, once a day, before the other tasks of the day read them."""

from typing import Any

from smallbox.aws.lake import DeltaLake
from smallbox.aws.settings import Compact, from_environment
from smallbox.define.project import load
from smallbox.ingestion.compact import compact

settings = from_environment(Compact)
lake = DeltaLake.in_bucket(settings.lake_bucket)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Compact every table; passes the day's document on."""
    del context
    compact(load(), lake)
    return event
