"""Proves that a shadow scores a request as the candidate would have answered it online."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from smallbox.define.model import Model
from smallbox.define.serve import Serve
from smallbox.lake.names import records_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Between
from smallbox.records import Record
from smallbox.registry.loader import ModelLoader
from smallbox.registry.routing import Routing
from smallbox.registry.signatures import Signatures
from smallbox.release.shadow_scoring import ShadowScorer
from smallbox.serving.log import LogTask
from smallbox.serving.predict import PredictTask
from smallbox.times import DAY, HOUR, MINUTE, Moment, format_moment
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.edges import FakeMeter
from tests.fakes.serving import Serving, sum_of_numbers
from tests.fakes.small import deliveries, late_parcel, parcels
from tests.unit.release.shadowed import GOOD, PLAIN, Shadowed

ASKED: Final = 2 * DAY
WEIGHT_ONLY: Final = replace(PLAIN, inputs=("weight",))

Instance = dict[str, Any]

instances = some.lists(
    some.fixed_dictionaries(
        {
            "depot": some.one_of(some.none(), some.sampled_from(["", "north", "south|\\", "Zürich"])),
            "weight": some.one_of(some.none(), some.floats(-1e6, 1e6, width=32)),
        }
    ),
    min_size=1,
    max_size=8,
)
arrivals = some.lists(
    some.tuples(some.sampled_from(["north", "south|\\", "Zürich"]), some.integers(1, 300), some.floats(0, 100)),
    max_size=8,
)
"""Of deliveries: the depot, how many minutes before the request, and the delay."""


class _Both:
    """A champion whose log is scored, and its candidate, which answers the same requests afterwards."""

    def __init__(self, champion: Model, candidate: Model) -> None:
        self.serving = Serving(champion, deliveries)
        self.serving.join(candidate)
        self.serving.fill()
        for model in (champion, candidate):
            self.serving.register(model, sum_of_numbers(model.columns))
        self.name = champion.name

    def receive(self, records: Sequence[Record], source: Any) -> None:
        self.serving.lake.append(records_table(source), records_to_table(source, list(records)))

    def asked(self, rows: Sequence[Instance], version: int) -> list[float]:
        """What a version answers as champion; its answers are logged."""
        serving = self.serving
        before = serving.registry.routing(self.name)
        serving.registry.route(self.name, Routing(version, revision=0 if before is None else before.revision))
        signatures = Signatures(serving.project, serving.registry, serving.blobs)
        loader = ModelLoader(serving.registry, serving.blobs, signatures)
        online = PredictTask(
            serving.project, serving.online, serving.live, loader, serving.log, serving.fallbacks, lambda: 0
        )
        document = {"instances": list(rows)}
        found = online.tensors(self.name, document, Moment(ASKED), ASKED, f"of{version}")
        assert set(found.versions) == {version}
        LogTask(serving.project, serving.lake, FakeCanaryCounters(), FakeMeter()).append(serving.log.messages)
        serving.log.messages.clear()
        return [np.nan if one is None else one for one in found.outputs["score"]]

    def shadowed(self) -> dict[str, float]:
        """By key what the shadow of version 2 makes of what version 1 answered."""
        log = PredictionLog(self.serving.lake).read(self.name, Between("time", 0, 9 * DAY))
        found = ShadowScorer(self.serving.lake, self.serving.loader).score(self.name, 2, log, 9 * DAY)
        assert found.lost == 0
        return dict(zip(found.rows["key"].to_pylist(), found.outputs[:, 0].tolist(), strict=True))


def _sent(rows: Sequence[Instance]) -> list[Instance]:
    return [{"parcel_id": f"p{n}", "sent_at": format_moment(ASKED), **row} for n, row in enumerate(rows)]


@settings(max_examples=25, deadline=None)
@given(instances, arrivals)
@pytest.mark.parametrize(
    ("champion", "candidate"),
    [
        (PLAIN, PLAIN),
        (late_parcel, late_parcel),
        (PLAIN, WEIGHT_ONLY),
        (WEIGHT_ONLY, late_parcel),
        (PLAIN, late_parcel),
    ],
    ids=["equal", "equal with states", "fewer inputs", "a field from records and states", "states"],
)
def test_a_shadow_answers_as_the_candidate_would(
    champion: Model, candidate: Model, rows: list[Instance], arrived: list[tuple[str, int, float]]
) -> None:
    """Of equal and of other inputs: nulls, empty texts, stored features and fields that only records have."""
    both, sent = _Both(champion, candidate), _sent(rows)
    records = [
        Record(
            "deliveries", f"d{n}", at, at, at,
            {"parcel_id": f"d{n}", "delivered_at": at, "depot": depot, "delay": delay, "late": False},
        )
        for n, (depot, ago, delay) in enumerate(arrived)
        for at in [ASKED - ago * MINUTE]
    ]  # fmt: skip
    both.receive(records, deliveries)
    if records:
        both.serving.stream(records, ASKED)
    later = ASKED + HOUR
    of_keys = [Record("parcels", one["parcel_id"], ASKED, later, later, {**one, "sent_at": ASKED}) for one in sent]
    both.receive(of_keys, parcels)
    both.asked(sent, 1)
    shadowed, answered = both.shadowed(), both.asked(sent, 2)
    assert [shadowed[one["parcel_id"]] for one in sent] == pytest.approx(answered, rel=1e-5, abs=1e-5, nan_ok=True)


def test_limits_of_answers_hold_in_the_shadow() -> None:
    """Callers get no chance above the limit from either version, so the candidate is not judged on one."""
    limited = replace(PLAIN, serve=Serve(limits={"score": (0.2, 0.8)}))
    shadowed = Shadowed(1.0, model=limited)
    shadowed.ask(0)
    shadowed.learn(0)
    shadowed.close(2 * DAY)
    day = shadowed.days[0]
    assert day["asked"]["outputs"]["score"]["mean_difference"] == pytest.approx(0, abs=1e-6)
    assert day["settled"]["paired"]["candidate"] == pytest.approx(day["settled"]["paired"]["champion"], rel=1e-5)


def test_an_answer_that_was_set_to_a_limit_is_not_unlike_its_shadow() -> None:
    """A good challenger whose answers often meet a limit would be rolled back."""
    limited = replace(PLAIN, serve=Serve(limits={"score": (0.2, 0.8)}))
    shadowed = Shadowed(GOOD, model=limited)
    registry = shadowed.serving.registry
    running = registry.routing(limited.name)
    assert running is not None
    registry.route(limited.name, replace(running, shadow=None, challenger=2, share=1.0))
    shadowed.ask(0)
    shadowed.close(DAY)
    unlike = shadowed.days[0]["unlike"]
    assert 0 < unlike["answered"] < 200
    assert unlike["unlike"] == 0
