"""Proves that scoring by columns logs what answering row by row would: every column of every kind, row for row."""

import csv
import io
import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smallbox.arrays import Floats
from smallbox.define import Attributes, attribute, boolean, integer, text, timestamp
from smallbox.define.model import Model
from smallbox.features.inputs.point_in_time_join import historical_features
from smallbox.ingestion.contract import check_numbered
from smallbox.ingestion.file_parts import FilePart
from smallbox.ingestion.readers import Limits, read_batches
from smallbox.lake.names import records_table
from smallbox.lake.predictions import logged_table
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record
from smallbox.registry.loader import LoadedVersion
from smallbox.registry.routing import Routing
from smallbox.serving.logged_answers import Answered, Asked, logged
from smallbox.serving.part_scorer import Occasion, PartScorer
from smallbox.serving.sticky_assignment import shares_of
from smallbox.serving.vectors import entities_by_view, vectors_of
from smallbox.times import DAY, HOUR, Micros, format_moment, to_datetime
from tests.fakes.kinds import OTHER_KINDS
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, depot, late_parcel

NOW: Final[Micros] = 100 * DAY
KEY: Final = "score/late_parcel/in/today"


def age(promised_at: Any, sent_at: Any) -> Any:
    """Hours, of two moments that are only sent."""
    return (promised_at - sent_at) / np.timedelta64(1, "h")


def loud(note: Any, fragile: Any, pieces: Any) -> Any:
    """A number of a text, a boolean and a whole number that are only sent."""
    return np.array([len(one) for one in note], float) + fragile * 2 + pieces


kept = Attributes(
    "kept", entity=("depot", "lane"), source=replace(deliveries, fields={**deliveries.fields, "lane": text()}),
    features={"kept_delay": attribute("delay"), "kept_lane": attribute("lane", default="none")},
)  # fmt: skip
MORE: Final = {
    "lane": text(nullable=True),
    "promised_at": timestamp(nullable=True),
    "note": text(nullable=True),
    "fragile": boolean(nullable=True),
    "pieces": integer(nullable=True),
    "urgent": boolean(nullable=True),
    "stops": integer(nullable=True),
}


def _wide(model: Model) -> Model:
    """A model with every kind of column."""
    request = replace(model.request, fields={**model.request.fields, **MORE})
    inputs = ("weight", "urgent", "stops", "depot", "lane")
    return replace(model, request=request, inputs=inputs, views=(depot, kept), on_demand=(age, loud))


MODELS: Final = [_wide(model) for model in (late_parcel, *OTHER_KINDS)]


class _Scorer:
    """Outputs of the inputs alone; a row whose first number is missing has none."""

    def __init__(self, outputs: int) -> None:
        self._outputs = outputs

    def score(self, numeric: Floats, categorical: Any) -> Floats:
        words = np.array([[len(word) for word in row] for row in categorical], float).reshape(len(numeric), -1)
        total = np.nan_to_num(numeric[:, 1:]).sum(axis=1) + words.sum(axis=1) + numeric[:, 0]
        return np.stack([total * (n + 1) for n in range(self._outputs)], axis=1)


class _Loader:
    """Two versions: of the model, and of an older definition."""

    def __init__(self, model: Model) -> None:
        old = replace(model, views=(depot,), on_demand=(), inputs=("weight", "depot"))
        self._versions = {1: model, 2: old}

    def version(self, _: str, number: int) -> Any:
        signature: Any = self._versions[number]
        scorer: Any = _Scorer(len(signature.objective.outputs))
        return LoadedVersion(number, signature, scorer)


def _history() -> FakeLake:
    lake = FakeLake()
    for n in range(40):
        at = NOW - n * HOUR // 2
        values = {"parcel_id": f"d{n}", "delivered_at": at, "depot": "abc"[n % 3], "delay": float(n), "late": None}
        own: dict[str, Any] = {**values, "lane": "x|\\y"[: n % 5] or "z"}
        lake.append(records_table(kept.source), records_to_table(kept.source, [
            Record(kept.source.name, f"d{n}", at, at, at, own)
        ]))  # fmt: skip
    return lake


def _rows(count: int) -> list[dict[str, Any]]:
    """Requests with nulls, empty and odd texts, whole numbers for numbers, and moments before and after the present."""
    random = np.random.default_rng(3)

    def some(*values: Any) -> Any:
        return values[random.integers(len(values))]

    return [
        {
            "parcel_id": f"p{n}" if n % 17 else "twice",
            "sent_at": NOW + int(random.integers(-20, 8)) * HOUR,
            "depot": some("a", "b", "c", "", None, "a|b", "é\\"),
            "weight": some(1.5, -0.0, None, 3, 1e11, 2.25),
            "lane": some("x", "x|", "z", None, ""),
            "promised_at": some(None, NOW + HOUR),
            "note": some("", None, "call", "näher"),
            "fragile": some(True, False, None),
            "pieces": some(1, 0, None, -4),
            "urgent": some(True, False, None),
            "stops": some(3, None),
            "search": some("s1", "s2", "s3"),
        }
        for n in range(count)
    ]  # fmt: skip


def _broken(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with rows that break the contract, and one of another shape."""
    rows[3]["weight"] = "heavy"
    rows[11]["sent_at"] = None
    rows[12]["parcel_id"] = ""
    rows[20]["fragile"] = 7
    rows[21] = dict(reversed(rows[21].items()))
    return rows


def _file(kind: str, model: Model, rows: Sequence[Mapping[str, Any]]) -> bytes:
    fields = model.request.fields
    rows = [{name: row.get(name) for name in fields} for row in rows]
    moments = [name for name, field in fields.items() if field.type == "timestamp"]
    if kind == "parquet":
        good = [row for row in rows if isinstance(row["weight"], float | int | None) and row["fragile"] != 7]
        columns = {name: [row[name] for row in good] for name in fields}
        columns |= {name: [None if at is None else to_datetime(at) for at in columns[name]] for name in moments}
        columns["weight"] = [None if one is None else float(one) for one in columns["weight"]]
        out = io.BytesIO()
        pq.write_table(pa.table(columns), out)
        return out.getvalue()
    texts = [{**row, **{n: None if row[n] is None else format_moment(row[n]) for n in moments}} for row in rows]
    if kind == "jsonl":
        return "\n".join(map(json.dumps, texts)).encode()
    lines = io.StringIO()
    writer = csv.DictWriter(lines, list(fields))
    writer.writeheader()
    writer.writerows(texts)
    return lines.getvalue().encode()


def _row_by_row(model: Model, occasion: Occasion, content: bytes, lake: FakeLake) -> tuple[pa.Table, list[Any]]:
    """The oracle: the contract record by record, and the log's columns of instances, as for a request over HTTPS."""
    numbered: dict[int, Record] = {}
    rejections: list[Any] = []
    for first, raws in read_batches(occasion.key, io.BytesIO(content), model.request):
        found, bad = check_numbered(model.request, enumerate(raws, first), occasion.at)
        numbered |= found
        rejections += bad
    records, numbers = list(numbered.values()), list(numbered)
    tables: list[pa.Table] = []
    order: list[int] = []
    for share in shares_of(occasion.routing, model.assigned_by([record.values for record in records])):
        version = _Loader(model).version(model.name, share.version)
        signature, own = version.signature, [records[row] for row in share.rows]
        as_of = np.array([min(record.time, occasion.at) for record in own], np.int64)
        instances = [record.values for record in own]
        entities = entities_by_view(signature, instances)
        stored = historical_features(signature, lake, entities, as_of)
        vectors = vectors_of(signature, instances, entities, stored)
        outputs = version.scorer.score(vectors.inputs.numeric, vectors.inputs.categorical)
        ids = [f"{occasion.key}@{occasion.tag}-{numbers[row]}" for row in share.rows]
        log = logged(
            Asked(instances, ids, as_of, occasion.at, "batch"),
            Answered(signature, vectors, outputs, share.arm, version.number, [()] * len(own)),
        )
        tables.append(logged_table(log.types, log.columns))
        order += share.rows
    return pa.concat_tables(tables, promote_options="default").take(pa.array(np.argsort(order))), rejections


@pytest.mark.parametrize("routing", [Routing(1), Routing(1, 2, 0.5)], ids=["champion", "canary"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model.label.objective).__name__)
def test_columns_log_what_rows_do(model: Model, kind: str, routing: Routing) -> None:
    """Ids, times, inputs, sent fields, entities, missing features, groups and outputs are equal, and the rejections."""
    occasion, lake = Occasion(f"{KEY}.{kind}", "tag", NOW, routing), _history()
    content = _file(kind, model, _broken(_rows(200)))
    expected, rejections = _row_by_row(model, occasion, content, lake)
    scorer: Any = PartScorer(lake, _Loader(model))  # type: ignore[arg-type]
    scored = scorer.score(model, occasion, FilePart(0, array("q"), content))
    assert scored.log.schema == expected.schema
    assert scored.log.to_pylist() == expected.to_pylist()
    shown = [(one.index, one.field, one.rule, one.message) for one in rejections]
    assert [(one.index, one.field, one.rule, one.message) for one in scored.rejections] == shown
    assert scored.rejected == len(shown) >= (5 if kind != "parquet" else 2)
    assert {"sent_note", "sent_fragile", "sent_promised_at", "entity_kept"} <= set(expected.column_names)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_it_does_not_matter_where_a_file_is_cut(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of any number of batches, and at any number of model calls, are logged as those of one."""
    model, lake = MODELS[0], _history()
    occasion = Occasion(f"{KEY}.jsonl", "tag", NOW, Routing(1, 2, 0.5))
    content = _file("jsonl", model, [row for row in _rows(90) if row["parcel_id"] != "twice"])
    loader: Any = _Loader(model)
    part = FilePart(0, array("q"), content)
    whole = PartScorer(lake, loader).score(model, occasion, part).log
    monkeypatch.setattr("smallbox.serving.part_scorer._SLICE", rows)
    monkeypatch.setattr("smallbox.serving.part_scorer._AT_ONCE", 3)
    cut = PartScorer(lake, loader, Limits(rows, 10**9)).score(model, occasion, part).log
    assert cut.num_rows > 80
    assert cut.to_pylist() == whole.to_pylist()
