"""Proves that the digest of a signature changes with what the answers mean, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from smallbox.define import (
    Attributes,
    Columns,
    FeatureView,
    Gate,
    Model,
    Multiclass,
    Ranking,
    Regression,
    Release,
    Source,
    attribute,
    count,
    equal,
    floor,
    integer,
    label,
    mean,
    number,
    prepare,
    text,
)
from smallbox.define.aggregates import Aggregate
from smallbox.define.fields import Field
from smallbox.define.frozen import signature_digest
from smallbox.define.preparation import preparation_of
from tests.fakes.user_package import UserPackage
from tests.unit.define.orders import EVENTS, OUTCOME, REQUEST, linear, log_amount, waits


def _model(**changes: Any) -> Model:
    parts: dict[str, Any] = {
        "request": REQUEST,
        "inputs": ("amount", "who"),
        "views": (_windows(), _attributes()),
        "on_demand": (log_amount,),
        "label": OUTCOME,
        "estimator": linear,
    }
    return Model("sold", **{**parts, **changes})


GATE = Gate(min_skill=0.9, guardrails=(floor("auc", 0.7),))


def _windows(source: Source = EVENTS, **changes: Any) -> FeatureView:
    features = {"f": mean("size", "3h", where=equal("shop", "a"), default=0.0), "g": count("1h")}
    parts: dict[str, Any] = {"name": "v", "entity": "who", "source": source, "features": features}
    return FeatureView(**{**parts, **changes})


def _attributes(source: Source = EVENTS, **changes: Any) -> Attributes:
    parts: dict[str, Any] = {"name": "w", "entity": "where", "source": source, "features": {"h": attribute("shop")}}
    return Attributes(**{**parts, **changes})


def _with(source: Source, **fields: Field) -> Source:
    return replace(source, fields={**source.fields, **fields})


def _events(source: Source) -> Model:
    return _model(views=(_windows(source), _attributes(source)))


def _other_linear(columns: Columns) -> Pipeline:
    """Another estimator with the same preparation."""
    return Pipeline([("prepare", prepare(columns)), ("classify", LogisticRegression(C=0.5))])


def _imputing(columns: Columns) -> Pipeline:
    return Pipeline([("prepare", prepare(columns, numeric={"impute": "mean"})), ("classify", LogisticRegression())])


def _edited() -> Callable[..., Any]:
    def log_amount(amount: Any) -> Any:
        return amount + 2

    return log_amount


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param(_model, id="nothing"),
        pytest.param(lambda: _model(request=_with(REQUEST, amount=number(unit="EUR"))), id="a lower limit left out"),
        pytest.param(lambda: _model(request=_with(REQUEST, who=text(choices=("a",)))), id="choices of an input"),
        pytest.param(lambda: _model(request=_with(REQUEST, amount=number(unit="EUR", nullable=True))), id="nullable"),
        pytest.param(lambda: _model(request=_with(REQUEST, more=text(nullable=True))), id="a new optional field"),
        pytest.param(lambda: _model(request=_with(REQUEST, note=number())), id="a field that is not read"),
        pytest.param(lambda: _model(request=replace(REQUEST, lateness="2d", freshness="3h", volume=3)), id="watching"),
        pytest.param(lambda: _events(_with(EVENTS, size=number(unit="kg", maximum=1e9))), id="a wider range"),
        pytest.param(lambda: _events(_with(EVENTS, unread=number(), more=text())), id="unread fields of a view"),
        pytest.param(lambda: _events(replace(EVENTS, lateness="3d", volume=(1, 2))), id="watching of a view's source"),
        pytest.param(lambda: _model(estimator=_other_linear), id="a line of the estimator"),
        pytest.param(
            lambda: _model(
                gate=Gate(min_skill=0.9, guardrails=(floor("auc", 0.7),)), release=Release(shadow=None), fallback=0.5
            ),
            id="rules",
        ),
        pytest.param(lambda: _model(inputs=["amount", "who"]), id="a list for a tuple"),
        pytest.param(lambda: _model(views=(_windows(entity=("who",)), _attributes())), id="an entity in a tuple"),
    ],
)
def test_what_means_the_same_has_the_same_digest(edited: Callable[[], Model]) -> None:
    """An edit that changes neither a value nor its meaning makes no new signature: the version fits as before."""
    assert signature_digest(edited()) == signature_digest(_model())


def _features(**features: Any) -> Model:
    return _model(views=(_windows(features=features), _attributes()))


ONLY_A = equal("shop", "a")


def _mean(field: str = "size", where: Any = ONLY_A) -> Aggregate:
    return mean(field, "3h", where=where, default=0.0)


F, G = _mean(), count("1h")


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param(lambda: _features(f=replace(F, window="6h"), g=G), id="a window"),
        pytest.param(
            lambda: _features(f=mean("size", "3h", where=equal("shop", "b"), default=0.0), g=G), id="a filter"
        ),
        pytest.param(lambda: _features(f=_mean(where=()), g=G), id="no filter"),
        pytest.param(lambda: _features(f=replace(F, default=1.0), g=G), id="a default"),
        pytest.param(lambda: _features(f=replace(F, default=None), g=G), id="no default"),
        pytest.param(lambda: _features(f=replace(F, kind="sum"), g=G), id="an aggregate"),
        pytest.param(lambda: _features(f=_mean("pieces"), g=G), id="a field"),
        pytest.param(lambda: _features(e=F, g=G), id="a name"),
        pytest.param(lambda: _features(g=G, f=F), id="the order of features"),
        pytest.param(lambda: _features(f=F), id="a feature less"),
        pytest.param(lambda: _features(f=F, g=G, i=G), id="a feature more"),
        pytest.param(lambda: _model(views=(_windows(tile="10m"), _attributes())), id="a tile"),
        pytest.param(lambda: _model(views=(_windows(entity=("who", "where")), _attributes())), id="an entity"),
        pytest.param(lambda: _model(views=(_attributes(), _windows())), id="the order of views"),
        pytest.param(lambda: _model(views=(_windows(),)), id="a view less"),
        pytest.param(
            lambda: _model(views=(_windows(), _attributes(features={"h": attribute("unread")}))), id="an attribute"
        ),
        pytest.param(
            lambda: _model(views=(_windows(), _attributes(features={"h": attribute("shop", default="b")}))),
            id="the default of an attribute",
        ),
        pytest.param(lambda: _events(_with(EVENTS, size=number(unit="lb"))), id="the unit of a view's field"),
        pytest.param(lambda: _events(_with(EVENTS, size=number(unit="kg", pii=True))), id="a personal field of a view"),
        pytest.param(lambda: _events(_with(EVENTS, size=integer(unit="kg"))), id="the type of a view's field"),
        pytest.param(lambda: _events(replace(EVENTS, known_after="20m")), id="when a record is known"),
        pytest.param(lambda: _events(replace(EVENTS, name="others")), id="another source"),
        pytest.param(lambda: _model(request=_with(REQUEST, amount=number(unit="USD"))), id="the unit of an input"),
        pytest.param(
            lambda: _model(request=_with(REQUEST, amount=number(pii=True, unit="EUR"))), id="a personal input"
        ),
        pytest.param(lambda: _model(inputs=("who", "amount", "is_gift")), id="an input"),
        pytest.param(lambda: _model(inputs=("who", "amount")), id="the order of inputs"),
        pytest.param(lambda: _model(label=replace(OUTCOME, within="3d")), id="the label's window"),
        pytest.param(lambda: _model(label=replace(OUTCOME, otherwise=False)), id="the label of silence"),
        pytest.param(lambda: _model(label=replace(OUTCOME, source_name="others")), id="the label's source"),
        pytest.param(lambda: _model(on_demand=()), id="no on-demand function"),
        pytest.param(lambda: _model(on_demand=(log_amount, waits)), id="an on-demand function"),
        pytest.param(lambda: _model(on_demand=(_edited(),)), id="the body of an on-demand function"),
        pytest.param(lambda: _model(estimator=_imputing), id="the preparation"),
    ],
)
def test_what_means_something_else_has_another_digest(edited: Callable[[], Model]) -> None:
    """An edit that may change a value or its meaning makes a new signature."""
    assert signature_digest(edited()) != signature_digest(_model())


def _of_quantiles(columns: Columns, quantile: float | None = None) -> Pipeline:
    return linear(columns)


def _labelled(value: str, objective: Any) -> str:
    outcome = label(EVENTS, on="event_id", value=value, within="2d", objective=objective)
    return signature_digest(_model(label=outcome, estimator=_of_quantiles))


@pytest.mark.parametrize(
    ("value", "one", "other"),
    [
        pytest.param("size", Regression("squared"), Regression("absolute"), id="the loss"),
        pytest.param("size", Regression(), Regression(quantiles=(0.5,)), id="quantiles"),
        pytest.param("size", Regression(quantiles=(0.1, 0.9)), Regression(quantiles=(0.1, 0.95)), id="a quantile"),
        pytest.param("shop", Multiclass(), Multiclass(("a", "b", "c")), id="a class more"),
        pytest.param("shop", Multiclass(("a", "b")), Multiclass(("b", "a")), id="the order of classes"),
        pytest.param("stars", Regression(), Ranking("who"), id="another kind"),
        pytest.param("stars", Ranking("who"), Ranking("is_for"), id="the group"),
        pytest.param("stars", Ranking("who"), Ranking("who", at=5), id="how many rows count"),
        pytest.param("ok", None, Ranking("who"), id="a boolean as a grade"),
    ],
)
def test_another_objective_has_another_digest(value: str, one: Any, other: Any) -> None:
    """Whatever says what the label means: two such versions answer with other numbers, or are judged otherwise."""
    assert _labelled(value, one) != _labelled(value, other)


def test_an_objective_that_is_left_out_is_the_default_one() -> None:
    """Writing what holds anyway makes no new signature."""
    assert _labelled("size", None) == _labelled("size", Regression("squared"))
    assert _labelled("shop", None) == _labelled("shop", Multiclass(("a", "b")))


DEFINITION = """
from smallbox.define import Columns, FeatureView, Model, Source, boolean, label, mean, number, prepare, text, timestamp

visits = Source(
    "visits", key="id", time="at", fields={"id": text(), "at": timestamp(), "size": number(), "ok": boolean()}
)

def double(size):
    return size * 2

def estimator(columns: Columns):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    return Pipeline([("prepare", prepare(columns)), ("classify", LogisticRegression())])

model = Model(
    "m", request=visits, inputs=("size",), on_demand=(double,), estimator=estimator,
    label=label(visits, on="id", value="ok", within="1d"),
)
"""


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        pytest.param("def double", "# twice the size\ndef double", True, id="a comment"),
        pytest.param("size * 2", "size * 2  # twice", True, id="a comment of a function"),
        pytest.param("LogisticRegression())", "LogisticRegression(C=0.1))", True, id="a line of the estimator"),
        pytest.param("size * 2", "size * 3", False, id="a function"),
        pytest.param("prepare(columns)", "prepare(columns, numeric={'impute': 'mean'})", False, id="the preparation"),
    ],
)
def test_the_digest_of_a_file_that_was_edited(package: UserPackage, before: str, after: str, is_same: bool) -> None:  # noqa: FBT001
    """As in an upgrade: the file is written, imported anew, and its model's digest is taken."""
    digests = []
    for source in (DEFINITION, DEFINITION.replace(before, after)):
        package.write({"models": source})
        found: Any = package.function("models", "model")
        digests.append(signature_digest(found))
    assert (digests[0] == digests[1]) is is_same


_IMPORTING = """
from missing_package import anything
from smallbox.define import prepare

def build(columns):
    return prepare(columns, numeric={"impute": "mean"})
"""


def test_the_preparation_of_a_module_that_cannot_be_imported_here(package: UserPackage) -> None:
    """A module that needs scikit-learn reads the same in a function without it: its source is read, not imported."""
    found = set()
    for inner in (_IMPORTING, _IMPORTING.replace("from missing_package import anything", "import math")):
        lazy = "def estimator(columns):\n    from .inner.pipelines import build\n    return build(columns)\n"
        package.write({"models": lazy, "inner.__init__": "", "inner.pipelines": inner})
        found.add(preparation_of(package.function("models", "estimator")))
    assert found == {("prepare(columns, numeric={'impute': 'mean'})",)}


def _spelled(within: str, known: str, tile: str, hours: str) -> Model:
    view = _windows(replace(EVENTS, known_after=known), tile=tile, features={"f": mean("size", hours)})
    return _model(label=replace(OUTCOME, within=within), views=(view,))


def test_another_spelling_of_a_duration_changes_nothing() -> None:
    """``"60m"`` is ``"1h"``: the signature is the same, and so is the label that versions are compared by."""
    one, other = _spelled("2d", "1h", "5m", "3h"), _spelled("48h", "60m", "300s", "180m")
    assert signature_digest(one) == signature_digest(other)
    assert one.label == other.label
    assert signature_digest(one) != signature_digest(_spelled("2d", "1h", "5m", "4h"))
