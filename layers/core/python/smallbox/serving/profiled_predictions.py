"""The profiles of logged predictions, by version, channel, arm and hour."""

import pyarrow as pa

from smallbox.lake.predictions import by_answerer, without_cause
from smallbox.ports import Blobs
from smallbox.profiles.building import by_hour, key_hashes
from smallbox.profiles.columns import logged_values
from smallbox.profiles.store import ProfileStore, prediction_subject
from smallbox.profiles.stored import is_logged
from smallbox.records import digest_of
from smallbox.registry.references import VersionLayouts
from smallbox.registry.store import Registry
from smallbox.times import Micros


class PredictionProfiles:
    """Adds the profiles of predictions to the store, in the bins of what their version was trained on.

    Args:
        registry: has the versions.
        blobs: has their references, and where profiles are kept.
    """

    def __init__(self, registry: Registry, blobs: Blobs) -> None:
        self._store = ProfileStore(blobs)
        self._layouts = VersionLayouts(registry, blobs)

    def add(self, model: str, rows: pa.Table, hourly_since: Micros = -(2**62)) -> None:
        """Add rows of a model's log; the same rows again overwrite their own profiles.

        Rows of the days before ``hourly_since`` are profiled by day.

        Answers of the fallback are left out, and those whose stored features could not be read, which say nothing of
        how inputs are distributed; so are answers of versions without a reference by day.
        """
        batch = digest_of("".join(rows["id"].to_pylist()).encode())
        for version, channel, arm, own in by_answerer(without_cause(rows, "states")):
            subject = prediction_subject(model, version, channel, arm)
            layout = self._layouts.of(self._store, subject.name, model, version, is_logged)
            if layout is not None:
                keys, times = key_hashes(own["key"].combine_chunks()), own["time"].to_numpy()
                self._store.put(subject, batch, by_hour(layout, logged_values(layout, own), times, keys, hourly_since))
