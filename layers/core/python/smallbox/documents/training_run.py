"""The document of a training run.

    training/dataset -> training/fit -> registry/register -> release/start

Each function takes one type and passes the document on as the next, with its own keys: ``TrainingRequest``,
``DatasetRun``, ``FittedRun``, ``RegisteredRun``, ``ReleasedRun``. ``registry/register`` also records a ``FailedRun``.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from smallbox.documents.gate_verdict import VerdictReport
from smallbox.documents.metrics import BaselineComparison, ChampionComparison, Metric, Metrics, ParityReport


class TrainingRequest(TypedDict):
    """What starts a training run.

    Attributes:
        model: the model's name.
        as_of: moment up to which data was known, ISO 8601 with offset, not in the future; the present by default.
        reason: why the model is trained, for people; ``"asked for"`` by default.
    """

    model: str
    as_of: NotRequired[str]
    reason: NotRequired[str]


class DatasetCounts(TypedDict):
    """Requests of the training window, counted.

    Attributes:
        requests: requests whose attribution window is over; the sum of the other three.
        rows: requests with a label: the rows of the dataset.
        unlabelled: requests without a label; left out of the dataset.
        asked_late: requests whose outcome was known before the request itself; left out of the dataset.
    """

    requests: int
    rows: int
    unlabelled: int
    asked_late: int


class FitCounts(DatasetCounts):
    """Also the rows of the dataset by their use; the four add up to ``rows``.

    Attributes:
        fitted: training rows that fitted the estimator.
        calibrated: later training rows that calibrated its outputs.
        embargoed: rows between training and validation, used for neither.
        validation: rows that the candidate was measured on.
    """

    fitted: int
    calibrated: int
    embargoed: int
    validation: int


class DelayCurve(TypedDict):
    """Label delay by outcome: the share of labels that became known later than each of 21 moments.

    Attributes:
        hours: hours after the request's event time, from 0 to the attribution window, ascending.
        later: by outcome, for each moment the share of its labels known later, 0 to 1; empty without such labels. The
            outcomes of a number are its two halves.
    """

    hours: list[float]
    later: dict[str, list[float]]


class LabelReport(TypedDict):
    """Which requests have no label, whether the inputs predict it, and how late labels come.

    Attributes:
        unlabelled_share: share of requests without a label, 0 to 1.
        selection_auc: AUC of predicting from the inputs that a request has a label, 0 to 1; 0.5: labelled and
            unlabelled requests look alike. Unknown when there are too few rows.
        selection_failed: name of the error that the estimator raised on unlabelled requests; ``""``: no error.
        delays: label delay by outcome.
    """

    unlabelled_share: float
    selection_auc: Metric
    selection_failed: str
    delays: DelayCurve


class Artifacts(TypedDict):
    """Where the candidate's files are, as keys of the lake's bucket.

    Attributes:
        onnx_key: the served model.
        onnx_sha256: SHA-256 of its bytes, 64 hexadecimal digits.
        pipeline_key: the fitted scikit-learn pipelines, a skops file.
        profile_key: the reference profile: inputs of the dataset, outputs for the validation rows.
        reference_key: the reference by day of the dataset.
        explainer_key: what explains its answers.
        explainer_sha256: SHA-256 of that.
    """

    onnx_key: str
    onnx_sha256: str
    pipeline_key: str
    profile_key: str
    reference_key: str
    explainer_key: str
    explainer_sha256: str


class ChampionInputs(TypedDict):
    """The champion's own inputs for the validation rows, so that both are compared on the same requests.

    Attributes:
        version: number of the champion when the dataset was built.
        inputs: key of the inputs, a Parquet file; empty when they are those of the dataset.
    """

    version: int
    inputs: str


class _Prepared(TypedDict):
    model: str
    as_of: str
    reason: str
    signature: str
    dataset: str
    silent: str
    compared_with: ChampionInputs | None
    data_versions: dict[str, int | None]


class DatasetRun(_Prepared):
    """A run with its point-in-time dataset; keys are of the lake's bucket.

    Attributes:
        model: as in ``TrainingRequest``.
        as_of: as in ``TrainingRequest``, ISO 8601 in UTC.
        reason: as in ``TrainingRequest``.
        signature: digest of the definition that the dataset was built from; a later task refuses another.
        dataset: key of the dataset, a Parquet file.
        silent: key of a sample of the unlabelled requests, a Parquet file with the same columns.
        compared_with: the champion's inputs; ``None`` without a champion, or when it predicts another label.
        data_versions: by table of the lake the commit that was read; ``None``: the table does not exist.
        counts: requests of the training window.
    """

    counts: DatasetCounts


class _Fitted(_Prepared):
    counts: FitCounts
    metrics: Metrics
    baseline: BaselineComparison
    labels: LabelReport
    warnings: list[str]
    champion: ChampionComparison | None
    parity: ParityReport
    artifacts: Artifacts
    columns: list[str]
    dependencies: dict[str, str]


class FittedRun(_Fitted):
    """A run with its candidate: what ``DatasetRun`` has, and what the fit found.

    Attributes:
        counts: requests of the training window, and rows by use.
        metrics: the candidate's metrics on the validation rows, scored by ONNX.
        baseline: comparison with the best constant outputs.
        labels: what is known about missing and late labels.
        warnings: sentences for people; none stops the run.
        champion: comparison with the champion; ``None`` as ``compared_with``.
        parity: ONNX compared with scikit-learn.
        artifacts: the candidate's files.
        columns: input columns in the order in which the model takes them.
        dependencies: by package the version that shaped the candidate.
    """


class RegisteredRun(_Fitted):
    """A run with its version: what ``FittedRun`` has, and the gate's verdict.

    Attributes:
        version: number of the registered version, from 1.
        accepted: whether the gate accepts it; the state machine starts its release only then.
        verdict: the gate's verdict.
    """

    version: int
    accepted: bool
    verdict: VerdictReport


class RoutingReport(TypedDict):
    """Which versions serve; see :class:`smallbox.registry.routing.Routing`.

    Attributes:
        champion: version number of the champion.
        challenger: version number of the challenger; ``None``: no canary runs.
        share: share of requests that the challenger answers, 0 to 1.
        since: moment of the last change, microseconds since 1970 UTC.
        revision: number of changes, for optimistic concurrency.
        previous: version number of the champion before; ``None`` before the second champion.
        shadow: version number in the shadow; ``None``: no shadow runs.
        unit: the request field that assigns the share; empty: the key, or the group of a ranking.
        began: moment at which the running release began, microseconds since 1970 UTC; 0 without one.
        held: why a person holds the release; empty when nobody does.
        experiment: the running experiment, a :class:`~smallbox.registry.routing.RunningExperiment`; ``None`` without.
    """

    champion: int
    challenger: int | None
    share: float
    since: int
    revision: int
    previous: int | None
    shadow: int | None
    unit: str
    began: int
    held: str
    experiment: dict[str, Any] | None


class ReleaseStep(TypedDict):
    """What the release did with the version.

    Attributes:
        action: ``champion`` or ``challenger``: it serves as such; ``shadow``: it is judged on logged requests;
            ``wait``: the daily review begins its release.
        why: one sentence for people.
    """

    action: Literal["champion", "challenger", "shadow", "wait"]
    why: str


class ReleasedRun(RegisteredRun):
    """A run at its end: what ``RegisteredRun`` has, and the release.

    Attributes:
        routing: which versions serve now; ``None``: no version does.
        release: what the release did with the version.
    """

    routing: RoutingReport | None
    release: ReleaseStep


class FailedRun(TrainingRequest):
    """A run that failed before it had a version; keys of the tasks that succeeded may be there too.

    Attributes:
        error: what the state machine caught: ``Error``, the error's name, and ``Cause``, a text that is JSON with
            ``errorMessage`` when a function raised it.
    """

    error: Mapping[str, str]
