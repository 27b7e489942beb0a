"""Proves what is said of labels: whether requests without one are like the others, and how late the others came."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from smallbox.define import Binary, Columns, Gate, Monitor, Regression, Release, Retrain, label, prepare
from smallbox.define.project import project_of
from smallbox.documents.training_run import FittedRun, TrainingRequest
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record
from smallbox.registry.gate import CandidateEvidence, Verdict, judge
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, format_moment
from smallbox.training.dataset import DatasetTask
from smallbox.training.dataset_rows import MAX_SILENT, build_dataset
from smallbox.training.examples import examples_of, requests_of
from smallbox.training.fit import FitTask
from smallbox.training.label_report import label_delays, report_labels, selection
from smallbox.training.run_warnings import selection_warnings
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.lake import FakeLake
from tests.fakes.small import dataset, deliveries, late_parcel, parcels


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """The data is small: threads would wait for each other."""
    with threadpool_limits(1):
        yield


DAYS, A_DAY = 150, 30
SENT = DAYS * A_DAY


def bookings() -> tuple[list[Record], list[Record]]:
    """Bookings with up to 90 days of lead, 47 % of them cancelled, the longer the lead the likelier.

    A cancellation is known some days after the booking; that a guest came, only when the lead has passed.
    """
    random = np.random.default_rng(90)
    time = np.arange(SENT) * (DAY // A_DAY)
    lead = random.uniform(0, 90, SENT)
    cancelled = random.random(SENT) < 0.17 + 0.6 * lead / 90
    after = np.where(cancelled, np.minimum(lead, random.exponential(5, SENT)), lead)
    asked = [
        Record("parcels", f"b{n}", int(at), int(at), 0, {"parcel_id": f"b{n}", "sent_at": int(at), "weight": float(w)})
        for n, (at, w) in enumerate(zip(time, lead, strict=True))
    ]
    known = time + (after * DAY).astype(int) + 1
    outcomes = [
        Record("deliveries", f"b{n}", int(at), int(at), 0, _outcome(f"b{n}", int(at), is_late=bool(late)))
        for n, (at, late) in enumerate(zip(known, cancelled, strict=True))
    ]
    return asked, outcomes


def _outcome(key: str, at: int, *, is_late: bool) -> dict[str, Any]:
    return {"parcel_id": key, "delivered_at": at, "depot": "north", "delay": 0.0, "late": is_late}


def trained(within: str, *, otherwise: bool | None) -> tuple[FittedRun, Verdict]:
    """The training run's document of the bookings with that label, and its verdict."""
    model = replace(
        late_parcel,
        views=(),
        inputs=("weight",),
        label=label(deliveries, on="parcel_id", value="late", within=within, otherwise=otherwise),
        release=Release(shadow=None, canary=None),
        retrain=Retrain(window="120d", validation="20d"),
    )
    lake, blobs, project = FakeLake(), FakeBlobs(), project_of([model], [deliveries])
    for source, records in zip((parcels, deliveries), bookings(), strict=True):
        lake.append(records_table(source), records_to_table(source, records))
    asked: TrainingRequest = {"model": model.name, "as_of": format_moment(DAYS * DAY)}
    registry = Registry(FakeDocuments())
    signatures = Signatures(project, registry, blobs)
    built = DatasetTask(project, lake, blobs, registry, signatures).run(asked, DAYS * DAY)
    run = FitTask(project, blobs, registry).run(built)
    parts = run["metrics"], run["baseline"], run["champion"], run["parity"], run["labels"], run["warnings"]
    return run, judge(model.gate, CandidateEvidence(*parts))


def test_bookings_that_are_labelled_in_time_only_when_cancelled_are_refused() -> None:
    """Within 20 days nearly all labels are cancellations: the gate refuses, with the figures and what to write."""
    document, verdict = trained("20d", otherwise=None)
    assert (document["metrics"]["figures"]["mean_score"]["value"] or 0) > 0.65, "47 % are cancelled"
    assert document["labels"]["unlabelled_share"] > 0.3
    assert verdict.outcome == "refused"
    assert [check.name for check in verdict.checks if check.outcome == "refused"] == ["labels"]
    for words in ("of the requests have no label", "with an AUC of 0.", "otherwise=False", "a longer within"):
        assert words in verdict.why
    assert document["labels"]["delays"]["later"]["true"][10] < 0.3, "most cancellations come early"


def test_where_silence_is_the_negative_nothing_is_unlabelled() -> None:
    """With ``otherwise=False`` every row has a label, and the gate has no doubt about them."""
    document, verdict = trained("20d", otherwise=False)
    assert document["counts"]["unlabelled"] == 0
    assert (document["labels"]["unlabelled_share"], document["labels"]["selection_auc"]["value"]) == (0, None)
    assert "labels" not in [check.name for check in verdict.checks if not check.passed]


def test_the_end_of_a_window_is_when_silence_is_known() -> None:
    """A silent row's label is known at the end of its window, neither earlier nor later."""
    model = replace(late_parcel, label=label(deliveries, on="parcel_id", value="late", within="24h", otherwise=False))
    lake = FakeLake()
    at = 500 * HOUR
    silent = Record("parcels", "p", at, at, 0, {"parcel_id": "p", "sent_at": at, "weight": 1.0, "depot": "north"})
    lake.append(records_table(parcels), records_to_table(parcels, [silent]))
    (row,) = build_dataset(project_of([model]), model, lake, at + DAY + 1).rows.to_pylist()
    assert (row["label"], row["label_known_at"]) == (False, at + DAY)


def test_unlabelled_rows_like_the_others_are_told_apart_by_nothing() -> None:
    """Labels that are lost at random leave an AUC of about a half; those lost by an input's value do not."""
    rows = requests_of(late_parcel.columns, dataset(4_000, seed=8))
    lost = np.random.default_rng(8).random(4_000) < 0.4
    found = selection(late_parcel, rows.take(~lost), rows.take(lost))
    assert abs(found.value - 0.5) < 3 * np.sqrt(found.variance)
    heavy = np.nan_to_num(rows.inputs["weight"].to_numpy()) > 0.5
    assert selection(late_parcel, rows.take(~heavy), rows.take(heavy)).value > 0.95


def test_the_point_of_a_number_tells_them_apart_not_a_quantile() -> None:
    """A median of 0 and 1 hardly orders rows, so the head without a quantile is asked where there is one."""
    asked: list[float | None] = []

    def trees(columns: Columns, quantile: float | None = None) -> Pipeline:
        asked.append(quantile)
        return Pipeline([("prepare", prepare(columns, categorical={})), ("line", Ridge())])

    objective = Regression("squared", quantiles=(0.1, 0.5, 0.9))
    own = replace(late_parcel.label, objective=objective)
    model = replace(
        late_parcel, label=own, estimator=trees, views=(), inputs=("depot",), gate=Gate(), monitor=Monitor()
    )
    rows = requests_of(model.columns, dataset(400, seed=8))
    lost = np.arange(400) % 2 == 0
    selection(model, rows.take(~lost), rows.take(lost))
    assert set(asked) == {None}


def test_too_few_rows_tell_nothing() -> None:
    """With fewer than fifty of either kind nothing is said."""
    rows = requests_of(late_parcel.columns, dataset(500, seed=8))
    assert np.isnan(selection(late_parcel, rows, rows.take(slice(49))).value)


def test_an_estimator_that_cannot_take_the_unlabelled_rows_tells_nothing() -> None:
    """A linear model without imputation, and missing numbers in unlabelled requests only: the training goes on."""
    model = replace(late_parcel, views=(), inputs=("weight",), estimator=_linear)
    rows = examples_of(model.columns, model.objective, dataset(1_000, seed=8))
    complete = rows.take(rows.inputs["weight"].notna().to_numpy())
    told = report_labels(model, complete, requests_of(model.columns, dataset(1_000, seed=9)), 0.5)
    assert told["selection_auc"] == {"value": None, "low": None, "high": None}
    assert "could not be compared: the estimator raised ValueError" in selection_warnings(model, told)[0]


def _linear(columns: Columns) -> Pipeline:
    return Pipeline([("prepare", prepare(columns)), ("classify", LogisticRegression())])


def test_the_delay_curve_is_by_class() -> None:
    """The share of a class that became known later than each twentieth of the window; without labels no curve."""
    rows = pa.table(
        {"time": [0, 0, 0, 0], "label": [True, True, True, True], "label_known_at": [0, 5 * HOUR, 10 * HOUR, 20 * HOUR]}
    )
    curve = label_delays(Binary(), examples_of(Columns((), ()), Binary(), rows), 20 * HOUR)
    assert curve["hours"] == [float(hour) for hour in range(21)]
    assert curve["later"] == {"true": [0.75] * 5 + [0.5] * 5 + [0.25] * 10 + [0.0], "false": []}


def test_the_delay_curve_of_a_number_is_of_its_halves() -> None:
    """Great values that come late are seen: the upper half of the labels is known later than the lower one."""
    later = np.array([1, 2, 3, 20, 20, 20]) * HOUR
    rows = pa.table({"time": [0] * 6, "label": [1.0, 2.0, 3.0, 10.0, 20.0, 30.0], "label_known_at": later})
    curve = label_delays(Regression(), examples_of(Columns((), ()), Regression(), rows), 20 * HOUR)
    assert curve["later"] == {
        "up to 6.5": [1.0, 0.6667, 0.3333, *[0.0] * 18],
        "above 6.5": [*[1.0] * 20, 0.0],
    }


def test_few_of_many_unlabelled_requests_are_kept_and_all_are_counted() -> None:
    """They are bounded; those whose outcome was known before they could be asked about are counted apart."""
    late, lake = 10, FakeLake()
    asked, outcomes = [], []
    for n in range(MAX_SILENT + 1_000 + late):
        at = 25 * DAY + n
        asked.append(Record("parcels", f"p{n}", at, at, 0, {"parcel_id": f"p{n}", "sent_at": at, "weight": 1.0}))
        if n < late:
            outcomes.append(Record("deliveries", f"p{n}", at - 1, at - 1, 0, _outcome(f"p{n}", at - 1, is_late=True)))
    lake.append(records_table(parcels), records_to_table(parcels, asked))
    lake.append(records_table(deliveries), records_to_table(deliveries, outcomes))
    built = build_dataset(project_of([late_parcel]), late_parcel, lake, 30 * DAY)
    assert (built.rows.num_rows, built.unlabelled, built.asked_late) == (0, MAX_SILENT + 1_000, late)
    assert built.silent.num_rows == built.silent["label"].null_count == MAX_SILENT
