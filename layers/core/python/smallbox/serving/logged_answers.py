"""Answers as columns of the prediction log: what was asked, with which inputs, and what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.log_columns import logged_names, logged_types
from smallbox.define.signature import Signature
from smallbox.messages.predictions import LoggedPredictions
from smallbox.records import Cause, Channel
from smallbox.release.canary_marks import CanaryMark
from smallbox.serving.vectors import Vectors
from smallbox.table_columns import ENTITY_PREFIX, GROUP
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class Asked:
    """Instances that one version answers, and when and how they were asked for.

    Attributes:
        instances: ``n`` validated instances.
        ids: the id of each prediction.
        as_of: the moment of each instance, ``(n,)``; its event time too, unless the caller sends another.
        now: the present.
        channel: how they were asked for.
    """

    instances: Sequence[Mapping[str, Any]]
    ids: list[str]
    as_of: Ints
    now: Micros
    channel: Channel


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to instances, all by one version.

    Attributes:
        signature: the version's; the definition's for the fallback.
        vectors: the inputs.
        outputs: ``(n, k)``, a column for each of the objective's outputs; NaN where the model gave no number.
        arm: ``champion``, ``challenger`` or ``fallback``.
        version: the version that answered; 0 for the fallback.
        degraded: for each instance, why it was not answered as usual; empty when it was.
        is_remembered: whether an equal request before got the same answer.
        canary: the mark of the request, while a canary runs.
    """

    signature: Signature
    vectors: Vectors
    outputs: Floats
    arm: str
    version: int
    degraded: Sequence[Sequence[Cause]]
    is_remembered: bool = False
    canary: CanaryMark | None = None


def logged(asked: Asked, answered: Answered) -> LoggedPredictions:
    """The columns of the prediction log."""
    signature, rows = answered.signature, len(asked.instances)
    inputs = answered.vectors.inputs
    sent = {column: [i.get(name) for i in asked.instances] for name, column in logged_names(signature).items()}
    numeric = dict(zip(signature.columns.numeric, _columns(inputs.numeric), strict=True))
    texts = dict(zip(signature.columns.categorical, inputs.categorical.T.tolist(), strict=True))
    as_of = asked.as_of.tolist()
    columns = {
        "id": asked.ids,
        "key": [signature.key_of(instance) for instance in asked.instances],
        "time": as_of,
        "event_time": [_event_time(signature, i, at) for i, at in zip(asked.instances, as_of, strict=True)],
        "served_at": [asked.now] * rows,
        "version": [answered.version] * rows,
        "arm": [answered.arm] * rows,
        "channel": [asked.channel] * rows,
        "missing": _missing(signature, inputs.missing),
        "degraded": [list(causes) for causes in answered.degraded],
        **dict(zip(signature.objective.outputs, _columns(answered.outputs), strict=True)),
        **_groups(signature, asked),
        **numeric,
        **texts,
        **sent,
        **{ENTITY_PREFIX + name: list(column) for name, column in answered.vectors.entities.items()},
    }
    canary = None if answered.canary is None else answered.canary.as_json()
    return LoggedPredictions(signature.name, columns, logged_types(signature), (*texts, *sent), canary)


def _groups(signature: Signature, asked: Asked) -> dict[str, list[str | None]]:
    """The group of each instance; the fallback also answers one that was sent without."""
    name = signature.objective.group
    return {GROUP: [instance[name] for instance in asked.instances]} if name else {}


def nulls(column: Floats) -> list[float | None]:
    """A column as JSON has it: null for NaN."""
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN is unlike itself


def _event_time(signature: Signature, instance: Mapping[str, Any], as_of: Micros) -> Micros:
    """The event time that the caller sent, else the moment of the request."""
    sent: Micros | None = instance.get(signature.request.time)
    return as_of if sent is None else sent


def _columns(matrix: Floats) -> list[list[float | None]]:
    """The columns of a matrix as JSON has them: null for NaN."""
    if np.isnan(matrix).any():
        return [nulls(column) for column in matrix.T]
    columns: list[list[float | None]] = matrix.T.tolist()
    return columns


def _missing(signature: Signature, missing: Bools) -> list[list[str]]:
    """The names of the missing stored features of each row."""
    if not missing.any():
        return [[] for _ in range(len(missing))]
    return [[name for name, one in zip(signature.stored, row, strict=True) if one] for row in missing]
