"""The profiles of labelled predictions: outputs, labels and losses, by version, channel, arm and hour."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.labels.join import LABELLED
from smallbox.labels.table import of_objective, scored_rows
from smallbox.lake.predictions import by_answerer
from smallbox.objectives.objective import Objective
from smallbox.ports import Between, Blobs
from smallbox.profiles.building import Values, by_hour, key_hashes
from smallbox.profiles.store import ProfileStore, labelled_subject
from smallbox.profiles.stored import LABEL_COLUMN, LOSS_COLUMN
from smallbox.registry.references import VersionLayouts
from smallbox.registry.store import Registry
from smallbox.table_columns import SETTLES_FROM, is_output


class LabelProfiles:
    """Keeps the profiles of labelled predictions in step with their table.

    Args:
        registry: has the versions.
        blobs: has their references, and where profiles are kept.
    """

    def __init__(self, registry: Registry, blobs: Blobs) -> None:
        self._store = ProfileStore(blobs)
        self._layouts = VersionLayouts(registry, blobs)

    def replace(self, objective: Objective, model: str, rows: pa.Table, between: Between) -> None:
        """Replace the profiles of a range of ``settles_from``, at whole hours, by those of its rows.

        Args:
            objective: that of the versions that answered.
            model: the model's name.
            rows: labelled predictions; those without a label are left out.
            between: the range.
        """
        known = rows.filter(pc.equal(rows["status"], LABELLED))
        for version, channel, arm, answered in by_answerer(known):
            own, subject = (
                answered.filter(of_objective(objective, answered)),
                labelled_subject(model, version, channel, arm),
            )
            layout = self._layouts.of(self._store, subject.name, model, version, _is_labelled)
            if layout is not None and own.num_rows:
                keys, times = key_hashes(own["key"].combine_chunks()), own[SETTLES_FROM].to_numpy()
                self._store.replace(
                    subject, between.start, between.end, by_hour(layout, _values(objective, own), times, keys)
                )


def _is_labelled(column: str) -> bool:
    return is_output(column) or column in {LABEL_COLUMN, LOSS_COLUMN}


def _values(objective: Objective, rows: pa.Table) -> Values:
    scored = scored_rows(objective, rows)
    losses, by_row = objective.losses(scored), np.full(rows.num_rows, np.nan)
    by_row[losses.rows] = losses.values
    outputs = dict(zip(objective.outputs, scored.outputs.T, strict=True))
    return {**outputs, LABEL_COLUMN: scored.labels, LOSS_COLUMN: by_row}
