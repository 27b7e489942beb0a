"""The answers of a day that were degraded, by cause and who answered."""

from collections import Counter
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.records import Cause


class Answerer(NamedTuple):
    """Who gave degraded answers, and why they are degraded.

    Attributes:
        cause: why.
        version: the number of the version.
        arm: its arm, ``champion`` or ``challenger``.
    """

    cause: Cause
    version: int
    arm: str


def degraded_answers(rows: pa.Table) -> Counter[Answerer]:
    """How many rows of the log were degraded, by cause and who answered; answers of the fallback are left out.

    A row that has two causes counts for both.
    """
    causes = rows["degraded"].combine_chunks()
    owners = pc.list_parent_indices(causes)
    each = pa.table(
        {
            "cause": pc.list_flatten(causes),
            "version": rows["version"].combine_chunks().take(owners),
            "arm": rows["arm"].combine_chunks().cast(pa.string()).take(owners),
        }
    )
    own = each.filter(pc.and_(pc.not_equal(each["cause"], "prior"), pc.not_equal(each["arm"], "fallback")))
    counts = own.group_by(["cause", "version", "arm"]).aggregate([([], "count_all")])
    return Counter({Answerer(row["cause"], row["version"], row["arm"]): row["count_all"] for row in counts.to_pylist()})
