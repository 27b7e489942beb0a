"""Proves that a version keeps its definition whole: what is thawed has the same columns, views, label and fields."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from smallbox.define import (
    Attributes,
    Columns,
    FeatureView,
    Model,
    Ranking,
    Regression,
    above,
    at_least,
    at_most,
    attribute,
    below,
    count,
    distinct,
    equal,
    first,
    label,
    last,
    maximum,
    mean,
    minimum,
    one_of,
    rate,
    since_last,
    std,
    total,
    unequal,
)
from smallbox.define.aggregates import Aggregate
from smallbox.define.attributes import Attribute, View
from smallbox.define.conditions import Condition
from smallbox.define.frozen import freeze, frozen_digest, signature_digest, thaw, thaw_label
from smallbox.define.frozen_views import freeze_view, thaw_view
from smallbox.define.rules import Label
from smallbox.errors import NotReady
from smallbox.features.online.states import version_of
from tests.unit.define.orders import EVENTS, FUNCTIONS, OUTCOME, REQUEST, linear, waits

numbers = st.floats(-1e6, 1e6, allow_nan=False)
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(equal, st.just("shop"), st.sampled_from(["a", "b"])),
    st.builds(unequal, st.just("size"), numbers),
    st.builds(equal, st.just("ok"), st.booleans()),
    st.builds(above, st.just("size"), numbers),
    st.builds(at_least, st.just("pieces"), st.integers(0, 5)),
    st.builds(below, st.just("size"), numbers),
    st.builds(at_most, st.just("pieces"), st.integers(0, 5)),
    st.builds(one_of, st.just("shop"), st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True)),
)
WINDOWS = st.sampled_from(["1h", "3h", "1d", "30d"])
_WHERE = st.lists(CONDITIONS, max_size=2)
_OPTIONS: dict[str, Any] = {"window": WINDOWS, "where": _WHERE}
_WITH_DEFAULT: dict[str, Any] = {**_OPTIONS, "default": st.none() | numbers}
AGGREGATES: st.SearchStrategy[Aggregate] = st.one_of(
    st.builds(count, **_OPTIONS),
    st.builds(distinct, st.sampled_from(["size", "shop", "unread"]), window=st.just("3h"), where=_WHERE),
    st.builds(rate, st.just("ok") | CONDITIONS, **_WITH_DEFAULT),
    st.builds(since_last, **_WITH_DEFAULT),
    *(
        st.builds(kind, st.sampled_from(["size", "pieces", "ok"]), **_WITH_DEFAULT)
        for kind in (total, mean, std, minimum, maximum, last, first)
    ),
)
ENTITIES: st.SearchStrategy[Any] = st.sampled_from(["who", ("who",), ("who", "where")])


@st.composite
def _window_views(draw: st.DrawFn, name: str) -> FeatureView:
    features = {f"{name}_{n}": one for n, one in enumerate(draw(st.lists(AGGREGATES, min_size=1, max_size=4)))}
    return FeatureView(name, draw(ENTITIES), EVENTS, features, tile=draw(st.sampled_from(["5m", "10m"])))


@st.composite
def _attribute_views(draw: st.DrawFn, name: str) -> Attributes:
    options = st.one_of(
        st.builds(attribute, st.sampled_from(["size", "pieces", "ok"]), default=st.none() | numbers),
        st.builds(attribute, st.sampled_from(["shop", "where", "unread"]), default=st.none() | st.text(max_size=3)),
    )
    features = {f"{name}_{n}": one for n, one in enumerate(draw(st.lists(options, min_size=1, max_size=4)))}
    return Attributes(name, draw(ENTITIES), EVENTS, features)


VIEWS: st.SearchStrategy[tuple[View, ...]] = st.tuples(
    st.one_of(_window_views("v"), _attribute_views("v")), st.one_of(_window_views("w"), _attribute_views("w"))
).flatmap(lambda views: st.sampled_from([(), views[:1], views]))


LABELS = (
    OUTCOME,
    replace(OUTCOME, otherwise=False),
    label(EVENTS, on="event_id", value="size", within="3d", otherwise=0.5),
    label(EVENTS, on="event_id", value="stars", within="1d", objective=Regression("quantile", quantiles=(0.1, 0.9))),
    label(EVENTS, on="event_id", value="shop", within="2d", otherwise="neither"),
    label(EVENTS, on="event_id", value="stars", within="2d", objective=Ranking("who", at=3)),
)


def quantiles(columns: Columns, quantile: float | None = None) -> Pipeline:
    """An estimator with a parameter for the quantile."""
    return linear(columns)


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Models of all kinds of inputs, views and functions."""
    inputs = draw(st.lists(st.sampled_from(["amount", "items", "is_gift", "who", "where"]), unique=True, min_size=1))
    return Model(
        "sold",
        request=REQUEST,
        inputs=tuple(inputs),
        views=draw(VIEWS),
        on_demand=draw(st.sampled_from([(), (waits,), FUNCTIONS, FUNCTIONS[::-1]])),
        label=draw(st.sampled_from(LABELS)),
        estimator=quantiles,
    )


def _stored(document: Mapping[str, Any]) -> Any:
    """As the registry gives it back."""
    return json.loads(json.dumps(document, allow_nan=False))


@settings(max_examples=100)
@given(models())
def test_what_is_thawed_means_the_same(model: Model) -> None:
    """Columns, features, defaults, sent and personal fields, label and the version of every view are the model's."""
    document = _stored(freeze(model))
    functions = {function.__name__: function for function in FUNCTIONS}
    thawed = thaw(document, [functions[name] for name, _ in document["on_demand"]])
    for name in (
        "name", "columns", "inputs", "label", "stored", "feature_names", "sent_fields", "request_fields", "defaults",
        "on_demand", "on_demand_fields", "personal_columns", "objective",
    ):  # fmt: skip
        assert getattr(thawed, name) == getattr(model, name), name
    assert [version_of(view) for view in thawed.views] == [version_of(view) for view in model.views]
    assert [view.entity_fields for view in thawed.views] == [view.entity_fields for view in model.views]
    assert frozen_digest(document) == signature_digest(model)


@given(st.one_of(_window_views("v"), _attribute_views("v")))
def test_a_thawed_view_is_frozen_as_it_was(view: View) -> None:
    """Every aggregate, condition and attribute comes back equal, in its order, with the source that it reads."""
    thawed = thaw_view(_stored(freeze_view(view)))
    assert list(thawed.features.items()) == list(view.features.items())
    assert (type(thawed), thawed.name, version_of(thawed)) == (type(view), view.name, version_of(view))
    assert (thawed.source.key, thawed.source.time) == (EVENTS.key, EVENTS.time)
    assert thawed.source.known_after_micros == EVENTS.known_after_micros
    assert freeze_view(thawed) == freeze_view(view)


WHERE = (equal("shop", "a"), above("size", 1.5))
KINDS: Mapping[str, Aggregate | Attribute] = {
    "count": count("1h", where=WHERE),
    "sum": total("size", "1h", default=0.5),
    "mean": mean("size", "1d", where=WHERE[1]),
    "std": std("pieces", "1h"),
    "rate of a field": rate("ok", "1h", default=0.1),
    "rate of a condition": rate(one_of("shop", ["a", "b"]), "1h", where=WHERE),
    "min": minimum("size", "1h"),
    "max": maximum("size", "1h"),
    "last": last("size", "1h"),
    "first": first("size", "1h"),
    "since_last": since_last("30d", where=unequal("shop", "a"), default=1e9),
    "distinct": distinct("shop", "3h"),
    "number": attribute("size", default=0.0),
    "text": attribute("shop", default="c"),
    "boolean": attribute("ok"),
}


@pytest.mark.parametrize("feature", KINDS.values(), ids=KINDS)
def test_every_kind_of_feature_comes_back(feature: Any) -> None:
    """None is left out of the frozen form, also not one that is added later: the kinds are counted."""
    kind: Any = Attributes if isinstance(feature, Attribute) else FeatureView
    view = kind("v", "who", EVENTS, {"f": feature})
    assert thaw_view(_stored(freeze_view(view))).features == {"f": feature}
    kinds = {one.kind for one in KINDS.values() if isinstance(one, Aggregate)}
    assert kinds == set(Aggregate.__annotations__["kind"].__args__)


@pytest.mark.parametrize("outcome", LABELS, ids=lambda one: one.value)
def test_the_label_comes_back(outcome: Label) -> None:
    """Its window, the label of silence, and an objective with the same outputs: versions are compared by them."""
    model = Model("sold", request=REQUEST, inputs=("amount",), label=outcome, estimator=quantiles)
    thawed = thaw_label(_stored(freeze(model)))
    assert (thawed, hash(thawed)) == (outcome, hash(outcome))
    assert (thawed.within_micros, thawed.objective.outputs) == (outcome.within_micros, outcome.objective.outputs)


@pytest.mark.parametrize("kind", ["survival", "measure", "no such.kind", ""])
def test_an_objective_that_this_release_lacks_is_not_ready(kind: str) -> None:
    """A version of a later release: the sentence names the objective and what to do."""
    model = Model("sold", request=REQUEST, inputs=("amount",), label=OUTCOME, estimator=linear)
    document = {**_stored(freeze(model)), "objective": {"kind": kind}}
    with pytest.raises(NotReady, match=f"this release has no objective '{kind}'; deploy one that has it, or train"):
        thaw(document, ())


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (
            {"kind": "binary", "cost": 2.0},
            "'binary' with cost=2.0; deploy one that has it, or train again",
        ),
        ({"kind": "regression", "loss": "huber", "quantiles": []}, "no objective 'regression' with loss='huber'"),
    ],
)
def test_an_objective_of_a_later_release_is_not_ready(later: Mapping[str, Any], says: str) -> None:
    """Also where only an argument is new: it may change what the outputs mean."""
    model = Model("sold", request=REQUEST, inputs=("amount",), label=OUTCOME, estimator=linear)
    document = {**_stored(freeze(model)), "objective": later}
    with pytest.raises(NotReady, match=says):
        thaw(document, ())


def test_a_release_that_would_order_columns_otherwise_does_not_serve_the_version() -> None:
    """The columns are part of what was frozen, and are checked when it is thawed."""
    model = Model("sold", request=REQUEST, inputs=("amount", "items"), label=OUTCOME, estimator=linear)
    document = _stored(freeze(model))
    document["columns"]["numeric"].reverse()
    with pytest.raises(NotReady, match="a version of sold was registered by a release that ordered columns otherwise"):
        thaw(document, ())
