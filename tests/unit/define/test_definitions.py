"""Proves that a wrong definition is refused when it is imported, with the place and what to write instead."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from smallbox.define import (
    Canary,
    FeatureView,
    Gate,
    HarmLimits,
    Model,
    Monitor,
    Release,
    Retrain,
    Shadow,
    Source,
    boolean,
    ceiling,
    count,
    floor,
    integer,
    label,
    mean,
    number,
    rate,
    text,
    timestamp,
)
from smallbox.define.bundle import bundle_of
from smallbox.define.project import load, project_of
from smallbox.errors import DefinitionError, NotFound
from smallbox.ingestion.contract import check_values
from smallbox.records import Rejection

FIELDS = {"id": text(), "at": timestamp(), "who": text(), "amount": number(), "bad": boolean()}
PERSONAL = Source(
    "payments",
    key="id",
    time="at",
    fields={**FIELDS, "who": text(pii=True), "amount": number(pii=True), "bad": boolean(pii=True)},
)
SOURCE = Source("payments", key="id", time="at", fields=FIELDS)
VIEW = FeatureView("payer", entity="who", source=SOURCE, features={"payments_1h": count("1h")})


def _model(**changes: object) -> Model:
    parts: dict[str, object] = {
        "name": "fraud",
        "request": SOURCE,
        "inputs": ("amount", "who"),
        "views": (VIEW,),
        "label": label(SOURCE, on="id", value="bad", within="1d"),
        "estimator": lambda _: None,
    }
    return Model(**{**parts, **changes})  # type: ignore[arg-type]


def reads_who(who: Any) -> Any:
    """An on-demand feature of a text."""
    return who == ""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Source("Payments", key="id", time="at", fields=FIELDS), "lower-case"),
        (lambda: Source("p", key="nope", time="at", fields=FIELDS), "key='nope'"),
        (lambda: Source("p", key="id", time="who", fields=FIELDS), "time='who'"),
        (lambda: Source("p", key="id", time="at", fields=FIELDS, lateness="soon"), "'24h'"),
        (lambda: Source("p", key="id", time="at", fields=FIELDS, freshness="0h"), "longer than 0"),
        (lambda: Source("p", key="id", time="at", fields=FIELDS, volume=(9, 1)), "like \\(800, 1200\\)"),
        (lambda: Source("p", key="id", time="at", fields=FIELDS, volume=-1), "whole number"),
        (lambda: Source("p", key="id", time="at", fields=FIELDS, volume=0.5), "whole number"),  # type: ignore[arg-type]
        (lambda: Source("p", "id", "at", {**FIELDS, "id": text(pii=True)}), "key 'id' may not be pii"),
        (lambda: FeatureView("v", "who", PERSONAL, {"f": count("1h")}), "entity 'who' may not be pii"),
        (lambda: label(PERSONAL, on="id", value="bad", within="1d"), "label's field 'bad' may not be pii"),
        (lambda: _model(request=PERSONAL, views=()), "'who' is a personal text"),
        (lambda: _model(request=PERSONAL, inputs=("amount",)), "entity 'who' may not be pii"),
        (lambda: _model(request=PERSONAL, inputs=("amount",), views=(), on_demand=(reads_who,)), "personal text 'who'"),
        (lambda: text(pattern="("), "not a regular expression"),
        (lambda: text(pattern="a", choices=("a",)), "leave the pattern 'a' out"),
        (lambda: text(pattern="(a+)*"), r"write '\*\+'"),
        (lambda: text(pattern="(?:x|y){2,}?"), r"write '\{2,\}\+'"),
        (lambda: text(pattern="a*a*a*a*"), "three"),
        (lambda: text(pattern="|".join("abc" * 10)), "alternatives"),
        (lambda: text(pattern="(?x) a"), "flag x"),
        (lambda: text(pattern="(?#[)(a*)*(?#])"), "comment"),
        (lambda: number(minimum=2, maximum=1), "swap"),
        (lambda: FeatureView("v", "amount", SOURCE, {}), "entity 'amount'"),
        (lambda: FeatureView("v", "who", SOURCE, {"f": mean("who", "1h")}), "number"),
        (lambda: FeatureView("v", "who", SOURCE, {"f": rate("amount", "1h")}), "boolean"),
        (lambda: FeatureView("v", "who", SOURCE, {"f": count("7m")}), "whole number of its tiles"),
        (lambda: FeatureView("v", "who", SOURCE, {"f": count("1h")}, tile="7m"), "divide an hour"),
        (lambda: count("0h"), "longer than 0"),
        (lambda: _model(inputs=("amuont",)), "'amuont' is not a field"),
        (lambda: _model(views=(VIEW, FeatureView("w", "who", SOURCE, {"payments_1h": count("2h")}))), "only once"),
        (
            lambda: _model(label=label(SOURCE, on="id", value="bad", within="28d"), retrain=Retrain(window="90d")),
            r"write Shadow\(max_days=35\)",
        ),
        (
            lambda: _model(
                release=Release(shadow=Shadow(max_days=2)), label=label(SOURCE, on="id", value="bad", within="48h")
            ),
            r"write Shadow\(max_days=9\)",
        ),
        (
            lambda: _model(release=Release(canary=Canary(unit="nobody"))),
            "unit='nobody' is no field of the request that the log keeps",
        ),
        (lambda: Shadow(max_days=1), "at least 2"),
        (lambda: Shadow(confidence=0.4), "between 0.5 and 1"),
        (lambda: Canary(steps=("10% for 1d", "5% for 1d")), "their shares must grow"),
        (lambda: Canary(steps=()), "at least one"),
        (lambda: Canary(steps=("ten percent for 1d",)), "a share and how long it bakes"),
        (lambda: Canary(steps=("110% for 1d",)), "at most 100%"),
        (lambda: Canary(steps=("10% for a day",)), "is not a duration"),
        (lambda: HarmLimits(error=0.7), "between 0 and 0.5"),
        (lambda: HarmLimits(failed=2.0), "between 0 and 1"),
        (lambda: Release(canary=cast("Canary", 0.2)), r"Release: canary is 0.2 \(float\)"),
        (lambda: _model(explain_baseline={"amuont": 1.0}), "amuont is no column; the columns are amount, payments_1h"),
        (lambda: _model(explain_baseline={"amount": "much"}), "explain_baseline: amount"),
        (lambda: _model(explain_baseline={"who": 3.0}), "who is 3.0; write a text"),
        (lambda: _model(explain_baseline=("amount", 1.0)), "explain_baseline"),
        (lambda: project_of([_model(), _model()]), "two models"),
    ],
)
def test_a_wrong_definition_says_what_to_write(wrong: Callable[[], object], says: str) -> None:
    """Each mistake raises DefinitionError with a sentence that names it."""
    with pytest.raises(DefinitionError, match=says):
        wrong()


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"[A-Z]{2}\d{1,4}", "UA15", "UA15 "),
        (r"[a-z]+@[a-z]+\.[a-z]+", "a@b.c", "a@b"),
        (r"[a-z]+(?:-[a-z]+)*+", "late-arrival-now", "late-"),
        (r"(?:\d{1,3}\.){3}+\d{1,3}", "10.0.0.1", "10.0.0"),
        (r"\(?[)*]{}", ")" + "{}", "()"),
    ],
)
def test_a_pattern_is_matched_by_the_whole_text(pattern: str, good: str, bad: str) -> None:
    """Patterns of bounded cost are taken, escapes and classes read as such, and the contract matches all of a text."""
    source = Source("s", "id", "at", {"id": text(), "at": timestamp(), "code": text(pattern=pattern)})
    assert check_values(source, {"code": good}, 0, ()) == {"id": None, "at": None, "code": good}
    found = check_values(source, {"code": bad}, 0, ())
    assert isinstance(found, Rejection)
    assert (found.rule, found.value) == ("pattern", repr(bad))


def test_personal_numbers_are_inputs_that_no_answer_shows() -> None:
    """A number may be personal and an input; it and the features of such fields are the model's personal columns."""
    fields = {**FIELDS, "amount": number(pii=True)}
    source = Source("payments", key="id", time="at", fields=fields)
    view = FeatureView("payer", "who", source, {"amount_1h": mean("amount", "1h"), "payments_1h": count("1h")})
    model = _model(request=source, inputs=("amount", "who"), views=(view,))
    assert model.personal_columns == {"amount", "amount_1h"}


def test_columns_are_numeric_first_and_texts_last() -> None:
    """The model's columns are the numeric inputs, then the views' features, then the texts."""
    columns = _model().columns
    assert columns.numeric == ("amount", "payments_1h")
    assert columns.categorical == ("who",)
    assert columns.categorical_positions == [2]


def test_a_request_names_its_key_inputs_and_entities_once() -> None:
    """What a caller must send is the key, the inputs and the entities' names, without repeats."""
    assert _model().request_fields == ("id", "amount", "who")


def test_the_shipped_definitions_load() -> None:
    """Every definition in the definitions package imports, and is found by name."""
    project = load()
    assert set(project.models) == {"arrival_delay", "arrival_outcome", "late_arrival"}
    assert set(project.sources) == {"departures", "arrivals", "weather", "planes"}
    assert [view.name for view in project.views_of("arrivals")] == ["carrier", "origin", "route"]


def test_each_shipped_model_is_a_project_of_its_own() -> None:
    """The models share their sources and views, and each has all that it needs."""
    project = load()
    for model in project.models.values():
        own = project_of([model])
        assert (own.sources, own.views) == (project.sources, project.views)


def test_the_shipped_models_share_the_code_of_their_features() -> None:
    """What a version keeps of its on-demand features is cut out of the shared file, without any model."""
    bundles = {bundle_of(model.on_demand).digest: bundle_of(model.on_demand) for model in load().models.values()}
    (bundle,) = bundles.values()
    assert set(bundle.modules) == {"definitions", "definitions.flights"}


def test_an_unknown_name_says_what_there_is() -> None:
    """Asking for a source that is not there lists those that are."""
    with pytest.raises(NotFound, match="departures"):
        load().source("departues")


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        (number, {"minimum": "0"}, "field: minimum is '0' (str); write a number, without quotes"),
        (number, {"minimum": True}, "field: minimum is True; write a number, without quotes"),
        (integer, {"minimum": 0, "maximum": "400"}, "field: maximum is '400' (str); write a number, without quotes"),
        (text, {"nullable": "yes"}, "field: nullable is 'yes' (str); write True or False"),
        (Gate, {"min_skill": "0.6"}, "Gate: min_skill is '0.6' (str); write a number, without quotes"),
        (floor, {"figure": "auc", "limit": "0.7"}, "floor: limit is '0.7' (str); write a number, without quotes"),
        (ceiling, {"figure": 5, "limit": 0.7}, "ceiling: figure is 5 (int); write a text, in quotes"),
        (Canary, {"max_days": 1.5}, "Canary: max_days is 1.5 (float); write a whole number, without quotes"),
        (Monitor, {"max_lead": 1}, "Monitor: max_lead is 1 (int); write a text, in quotes"),
        (Retrain, {"every": 30}, "Retrain: every is 30 (int); write a text, in quotes"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(kind: Callable[..., Any], arguments: Any, said: str) -> None:
    """What would fail later, in a function that loads data, is named where it is written."""
    with pytest.raises(DefinitionError) as refused:
        kind(**arguments)
    assert refused.value.message == said
