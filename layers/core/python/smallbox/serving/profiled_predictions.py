"""The profiles of logged predictions, by version, channel, arm and hour."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.lake.predictions import without_cause
from smallbox.ports import Blobs
from smallbox.profiles.building import by_hour, key_hashes
from smallbox.profiles.columns import logged_values
from smallbox.profiles.store import ProfileStore, prediction_subject
from smallbox.profiles.stored import is_logged
from smallbox.records import digest_of
from smallbox.registry.references import VersionLayouts
from smallbox.registry.store import Registry


class PredictionProfiles:
    """Adds the profiles of predictions to the store, in the bins of what their version was trained on.

    Args:
        registry: has the versions.
        blobs: has their references, and where profiles are kept.
    """

    def __init__(self, registry: Registry, blobs: Blobs) -> None:
        self._store = ProfileStore(blobs)
        self._layouts = VersionLayouts(registry, blobs)

    def add(self, model: str, rows: pa.Table) -> None:
        """Add rows of a model's log; the same rows again overwrite their own profiles.

        Answers of the fallback are left out, and those whose stored features could not be read, which say nothing of
        how inputs are distributed; so are answers of versions without a reference by day.
        """
        batch = digest_of("".join(rows["id"].to_pylist()).encode())
        answered = without_cause(rows.filter(pc.greater(rows["version"], 0)), "states")
        for who in answered.group_by(["version", "channel", "arm"]).aggregate([]).to_pylist():
            self._add(model, _of(answered, who), batch, who)

    def _add(self, model: str, rows: pa.Table, batch: str, who: Mapping[str, str | int]) -> None:
        subject = prediction_subject(model, int(who["version"]), str(who["channel"]), str(who["arm"]))
        layout = self._layouts.of(self._store, subject.name, model, int(who["version"]), is_logged)
        if layout is not None:
            keys = key_hashes(rows["key"].combine_chunks())
            self._store.put(subject, batch, by_hour(layout, logged_values(layout, rows), rows["time"].to_numpy(), keys))


def _of(rows: pa.Table, who: Mapping[str, str | int]) -> pa.Table:
    for column, value in who.items():
        rows = rows.filter(pc.equal(rows[column], value))
    return rows
