"""Proves that no input or feature may be named as a column that a table has of its own; none of those is missed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define import FeatureView, attribute, count, text
from smallbox.define.attributes import Attributes
from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.define.on_demand import OnDemand
from smallbox.define.project import project_of
from smallbox.errors import DefinitionError
from smallbox.lake.schemas import labelled_schema, prediction_schema
from smallbox.table_columns import GROUP, LABEL_COLUMNS, LOG_COLUMNS, OUTPUT, RANKED_COLUMNS, reserved_because
from smallbox.training.dataset_rows import build_dataset
from tests.fakes.kinds import OTHER_KINDS, outcomes
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, late_parcel, parcels


def weight_on(sent_at: Any) -> Any:
    """An on-demand feature of a field that is no input: the log has it as a sent field."""
    return sent_at.astype(float)


MODEL: Final = replace(late_parcel, on_demand=(weight_on,))


def _own_columns() -> set[str]:
    """The columns of the log, the labelled predictions and a dataset that are not the model's; of every objective."""
    names: set[str] = set()
    for model in (MODEL, *OTHER_KINDS):
        dataset = build_dataset(project_of([model], [deliveries, outcomes]), model, FakeLake(), 0).rows
        names |= {*prediction_schema(logged_types(model)).names, *labelled_schema(model.objective).names}
        names |= {*dataset.column_names} - {*model.columns.names}
    return names - {*MODEL.columns.names}


def test_every_column_of_a_table_is_reserved() -> None:
    """Also one that is added tomorrow; three prefixes stand for the columns of outputs, views and sent fields."""
    named = {"entity_depot", "sent_sent_at", "label_known_at", "settles_from", "score_q10", "score_on_time", "group"}
    assert named <= _own_columns()
    assert [name for name in _own_columns() - {*RANKED_COLUMNS} if reserved_because(name) is None] == []


def test_the_columns_of_lists_are_reserved_in_rankings_alone() -> None:
    """Other models have no such columns, and may go on with features of these names."""
    ranking = OTHER_KINDS[-1]
    for name in RANKED_COLUMNS:
        assert name in _as_input(name).columns.names
        source = replace(ranking.request, fields={**ranking.request.fields, name: text()})
        with pytest.raises(DefinitionError, match="ordered lists"):
            replace(ranking, request=source, inputs=(name,))


def test_no_other_name_is_reserved() -> None:
    """Each reserved name is a column of a table; a name that only resembles one is free."""
    assert {*LOG_COLUMNS, *LABEL_COLUMNS, OUTPUT, GROUP} <= _own_columns()
    assert [reserved_because(name) for name in ("scores", "entity", "resent_at", "labels", "groups")] == [None] * 5


def _as_input(name: str) -> Model:
    source = replace(parcels, fields={**parcels.fields, name: text()})
    return replace(late_parcel, request=source, inputs=(name,))


def _as_feature(name: str) -> Model:
    return replace(late_parcel, views=(FeatureView("v", "depot", deliveries, {name: count("1h")}),))


def _as_attribute(name: str) -> Model:
    return replace(late_parcel, views=(Attributes("v", "depot", deliveries, {name: attribute("depot")}),))


def _as_on_demand(name: str) -> Model:
    def function(weight: Any) -> Any:
        return weight

    function.__name__ = name
    functions: tuple[OnDemand, ...] = (function,)
    return replace(late_parcel, on_demand=functions)


ROLES: Final[Mapping[str, Callable[[str], Model]]] = {
    "input": _as_input, "feature": _as_feature, "attribute": _as_attribute, "on demand": _as_on_demand,
}  # fmt: skip

IN_THE_LAKE: Final = {"key", "time"}
"""Names that a source already refuses for its fields."""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [*LOG_COLUMNS, *LABEL_COLUMNS, OUTPUT, GROUP, "score_q10", "entity_", "sent_amount"])
def test_a_definition_refuses_a_reserved_name(role: str, name: str) -> None:
    """Whatever becomes the column: the message names it, and the reason."""
    says = f"named '{name}'" if role == "input" and name in IN_THE_LAKE else f"{name}: no input or feature"
    with pytest.raises(DefinitionError, match=says) as refused:
        ROLES[role](name)
    assert name in IN_THE_LAKE or str(reserved_because(name)) in str(refused.value)


def test_a_field_that_is_no_column_may_have_the_name() -> None:
    """A field that nobody reads, and one that only an on-demand feature reads, collide with nothing."""
    fields = {name: text(nullable=True) for name in ("status", "label", "event_time", "entity_payer")}

    def status_of(status: Any, event_time: Any) -> Any:
        return (status == event_time).astype(float)

    source = replace(parcels, fields={**parcels.fields, **fields})
    model = replace(late_parcel, request=source, on_demand=(status_of,))
    names = prediction_schema(logged_types(model)).names
    assert len(set(names)) == len(names)
    assert {"sent_status", "sent_event_time"} <= set(names)
