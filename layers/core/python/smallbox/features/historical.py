"""Features of a model as they were at given moments, from the lake: for training, batch scoring and the skew audit."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from smallbox.define.model import Model
from smallbox.define.view import FeatureView
from smallbox.features.offline import point_in_time
from smallbox.features.rows import columns_needed
from smallbox.features.window import Floats, Ints
from smallbox.ingestion.table import history, name_of, schema
from smallbox.ports import Lake


def historical_features(model: Model, lake: Lake, entities: Mapping[str, Sequence[str | None]], as_of: Ints) -> Floats:
    """The features that the store would have added, as of each moment.

    Args:
        model: the model.
        lake: where the records are. A source is read whole: a correction may have moved a record in time.
        entities: by view, the entity of each of ``n`` questions.
        as_of: the moment of each question.

    Returns:
        ``(n, len(model.feature_names))``; bit for bit what the online store gave at that moment.
    """
    histories = {
        source: _history(lake, [view for view in model.views if view.source.name == source])
        for source in dict.fromkeys(view.source.name for view in model.views)
    }
    features = [point_in_time(v, histories[v.source.name], entities[v.name], as_of) for v in model.views]
    return np.hstack([np.empty((len(as_of), 0)), *features])


def _history(lake: Lake, views: Sequence[FeatureView]) -> pa.Table:
    source = views[0].source
    columns = _union(columns_needed(view) for view in views)
    rows = lake.read(name_of(source), columns)
    return history(schema(source).empty_table().select(columns) if rows is None else rows)


def _union(columns: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in columns for name in names))
