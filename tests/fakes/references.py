"""A version of the small model that has a reference by day."""

import numpy as np
import pyarrow as pa

from smallbox.define.model import Model
from smallbox.ports import Blobs
from smallbox.profiles.building import by_period, layout_of_values
from smallbox.profiles.columns import as_floats, as_texts
from smallbox.profiles.stored import LABEL_COLUMN, LOSS_COLUMN, ReferenceDays
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.times import DAY
from tests.fakes.small import dataset, late_parcel
from tests.fakes.versions import add_version


def reference_of(rows: pa.Table) -> ReferenceDays:
    """The reference of a dataset of the small model, with even scores."""
    values = {name: as_floats(rows[name]) for name in late_parcel.columns.numeric}
    texts = {name: as_texts(rows[name]) for name in late_parcel.columns.categorical}
    scores = np.linspace(0.01, 0.99, rows.num_rows)
    more = {"score": scores, LABEL_COLUMN: as_floats(rows["label"]), LOSS_COLUMN: -np.log(scores)}
    layout = layout_of_values({**values, **texts, **more})
    return ReferenceDays(layout, by_period(layout, {**values, **texts, **more}, rows["time"].to_numpy(), None, DAY))


def add_version_with_reference(registry: Registry, blobs: Blobs, model: Model = late_parcel) -> Version:
    """Register a version whose reference is stored."""
    key = "models/late_parcel/a/reference-b.days"
    blobs.put(key, reference_of(dataset(500, 0)).to_bytes())
    return add_version(registry, model, reference_key=key)
