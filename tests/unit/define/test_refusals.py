"""Proves which definitions may not be deployed over what is deployed, and what the refusal says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define import FeatureView, Source, attribute, count, equal, integer, label, mean, number, text, timestamp
from smallbox.define.attributes import Attributes
from smallbox.define.fields import Field
from smallbox.define.model import Model
from smallbox.define.project import Project, project_of
from smallbox.define.refusals import Reader, refusals
from smallbox.documents.deployed_contracts import ContractsSnapshot
from smallbox.registry.contracts import Contracts
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import deliveries, late_parcel, parcels

MODEL: Final = late_parcel.name

SOURCE: Final = Source(
    "orders",
    key="id",
    time="at",
    fields={
        "id": text(pattern="o.*+"), "at": timestamp(), "other_at": timestamp(), "other_id": text(),
        "read": number(unit="m"), "unread": number(unit="m"),
    },
)  # fmt: skip
READER: Final = Reader("late_arrival version 3", {"orders": frozenset({"read"})})
RETIRE: Final = "or retire the version: `smallbox release retire MODEL VERSION --why ...`; replace a champion first"


def _deployed(*projects: Project) -> ContractsSnapshot:
    """What these deployments, one after another, leave."""
    contracts = Contracts(FakeDocuments())
    for project in projects:
        contracts.record(project, 0)
    return contracts.snapshot()


def _project(*sources: Source) -> Project:
    return project_of([], sources)


def _with(**fields: Field | None) -> Source:
    changed = {**SOURCE.fields, **fields}
    return replace(SOURCE, fields={name: field for name, field in changed.items() if field is not None})


def _refused(after: Source, readers: Sequence[Reader] = (READER,)) -> list[str]:
    return refusals(_deployed(_project(SOURCE)), _project(after), readers)


REFUSED: Final[list[tuple[Source, str, str, str]]] = [
    (_with(read=None), "field 'read' was removed", "it", "keep the field"),
    (
        _with(read=number(unit="m", maximum=5)),
        "field 'read' had the maximum none and has 5 now",
        "it",
        "add a new field with that rule beside it",
    ),
    (
        _with(id=text(pattern="p.*+")),
        "field 'id' must match 'p.*+' now",
        "it",
        "add a new field with that rule beside it",
    ),
    (
        _with(read=number(unit="m", pii=True)),
        "field 'read' is personal now",
        "it",
        "add a new field with that rule beside it",
    ),
    (_with(new=number()), "field 'new' was added and may not be null", "the source", "write nullable=True"),
    (
        replace(SOURCE, key="other_id"),
        "field 'other_id' became the key, instead of 'id'",
        "the source",
        "add a new source beside it",
    ),
    (
        replace(SOURCE, time="other_at"),
        "field 'other_at' became the event time, instead of 'at'",
        "the source",
        "add a new source beside it",
    ),
    (
        replace(SOURCE, known_after="1h"),
        "known_after changed from None to 3600 seconds",
        "the source",
        "add a new source beside it",
    ),
]
"""A source after the change, what happened, what the version reads, and the way out."""


@pytest.mark.parametrize(("after", "happened", "reads", "way_out"), REFUSED)
def test_a_change_that_a_live_version_forbids(after: Source, happened: str, reads: str, way_out: str) -> None:
    """Source, field, version and way out are named; without a version that reads it, the change is allowed."""
    assert _refused(after) == [
        f"source orders: {happened}, but late_arrival version 3 reads {reads}; {way_out}, {RETIRE}"
    ]
    assert _refused(after, [Reader("other version 1", {"parcels": frozenset({"read"})})]) == []


@pytest.mark.parametrize(
    "after",
    [
        _with(new=number(nullable=True)),
        _with(read=number(unit="m", nullable=True)),
        _with(read=number()),
        _with(unread=None),
        _with(unread=number(unit="m", maximum=5)),
        replace(SOURCE, lateness="9d", volume=3),
    ],
)
def test_a_change_that_a_live_version_does_not_notice(after: Source) -> None:
    """Optional fields, wider rules, units left out, and what happens to fields that no live version reads."""
    assert _refused(after) == []


def test_a_field_that_must_have_a_value_concerns_every_reader_of_the_source() -> None:
    """A field that was optional is as good as new to old senders, whether the version reads it or not."""
    optional = _with(unread=number(unit="m", nullable=True))
    found = refusals(_deployed(_project(optional)), _project(SOURCE), [READER])
    happened = "source orders: field 'unread' may not be null any more, but late_arrival version 3 reads the source"
    assert found == [f"{happened}; keep nullable=True, {RETIRE}"]
    assert refusals(_deployed(_project(optional)), _project(SOURCE), []) == []


def test_a_removed_source_that_a_live_version_reads() -> None:
    """Two versions that read it are both named; without one, the source may go."""
    readers = [READER, Reader("fraud version 1", {"orders": frozenset()})]
    (found,) = refusals(_deployed(_project(SOURCE)), _project(), readers)
    assert found == (
        "source orders was removed, but late_arrival version 3 and fraud version 1 read it; keep the source, " + RETIRE
    )
    assert refusals(_deployed(_project(SOURCE)), _project(), []) == []


@pytest.mark.parametrize(
    ("after", "holds"),
    [(integer(unit="m"), "type number, not integer"), (number(unit="km"), "unit 'm', not 'km'")],
)
def test_a_field_keeps_its_type_and_unit_for_ever(after: Field, holds: str) -> None:
    """Refused without any reader, also after the field was removed, or its unit left out, for a while."""
    column = "source orders: field 'unread': its column in the lake"
    says = [f"{column} holds the {holds}; add a new field of another name beside it"]
    assert _refused(_with(unread=after), ()) == says
    for between in (_project(_with(unread=None)), _project(_with(unread=number())), _project()):
        deployed = _deployed(_project(SOURCE), between)
        assert refusals(deployed, _project(_with(unread=after)), []) == says
        assert refusals(deployed, _project(SOURCE), []) == []


def test_a_field_may_get_its_unit_later() -> None:
    """The first unit is what the column holds from then on."""
    plain = _with(unread=number())
    metres, feet = (_project(_with(unread=number(unit=unit))) for unit in ("m", "ft"))
    assert refusals(_deployed(_project(plain)), metres, []) == []
    assert len(refusals(_deployed(_project(plain), metres), feet, [])) == 1


def _logging(**features: str) -> Model:
    """A model with attributes of these fields."""
    found = {name: attribute(field) for name, field in features.items()}
    return replace(late_parcel, views=(Attributes("facts", "depot", deliveries, found),))


def test_a_column_of_a_log_keeps_its_type_for_ever() -> None:
    """A feature that was a number is refused as a text, also after it was gone; another number may take its name."""
    before, gone = project_of([_logging(fact="delay")]), project_of([_logging(other="delay")])
    column = "model late_parcel: 'fact': its column in the prediction log"
    says = [f"{column} holds the type number, not text; give the input or feature another name"]
    for deployed in (_deployed(before), _deployed(before, gone)):
        assert refusals(deployed, project_of([_logging(fact="depot")]), []) == says
        assert refusals(deployed, project_of([_logging(fact="late")]), []) == []
    assert refusals(_deployed(before), _project(parcels, deliveries), []) == []


def test_a_sent_field_keeps_its_type_in_the_log() -> None:
    """Another request source may have a field of the same name and another type: the log has one column for both."""

    def speed(hurry: Any) -> Any:
        return hurry * 1.0

    def model(name: str, hurry: Field) -> Model:
        source = replace(parcels, name=name, fields={**parcels.fields, "hurry": hurry})
        return replace(late_parcel, request=source, on_demand=(speed,))

    deployed = _deployed(project_of([model("parcels", number())]))
    (found,) = refusals(deployed, project_of([model("letters", integer())]), [])
    assert "'sent_hurry': its column in the prediction log holds the type number, not integer" in found


def test_nothing_deployed_refuses_nothing() -> None:
    """A first deployment, and one of the same definitions."""
    project = project_of([late_parcel])
    reader = Reader.of("late_parcel version 1", late_parcel)
    assert refusals(_deployed(), project, [reader]) == refusals(_deployed(project), project, [reader]) == []


def heavy(weight: Any) -> Any:
    """An on-demand feature."""
    return weight > 1


def test_a_reader_reads_what_its_signature_names() -> None:
    """Of the request what is sent, of a view what it filters, aggregates and looks up, of the label its two fields."""
    windows = FeatureView(
        "windows", "depot", deliveries, {"m": mean("delay", "3h"), "n": count("3h", where=equal("late", True))}
    )
    shops = Source("shops", "name", "since", {"name": text(), "since": timestamp(), "city": text(), "size": number()})
    request = replace(parcels, fields={**parcels.fields, "name": text(), "colour": text()})
    facts = Attributes("facts", "name", shops, {"city": attribute("city")})
    outcome = label(deliveries, on="parcel_id", value="late", within="24h")
    model = replace(
        late_parcel, request=request, inputs=("depot",), views=(windows, facts), on_demand=(heavy,), label=outcome
    )
    expected: Mapping[str, frozenset[str]] = {
        "parcels": frozenset({"parcel_id", "sent_at", "depot", "name", "weight"}),
        "deliveries": frozenset({"parcel_id", "delivered_at", "depot", "delay", "late"}),
        "shops": frozenset({"name", "since", "city"}),
    }
    reader = Reader.of("late_parcel version 7", model)
    assert reader == Reader("late_parcel version 7", expected, "late_parcel", "parcels")
    assert Reader.from_json(reader.as_json()) == reader


def test_the_versions_of_a_model_that_is_removed_hold_nothing_back() -> None:
    """A model may go together with its sources; while it stays, its versions keep them."""
    reader = Reader.of("late_parcel version 1", late_parcel)
    deployed = _deployed(project_of([late_parcel]))
    assert refusals(deployed, _project(), [reader]) == []
    assert refusals(deployed, Project({}, {}, {MODEL: late_parcel}), [reader])


def test_a_model_keeps_the_source_of_its_requests() -> None:
    """Callers of the champion send records of one source; a contract of another would refuse them all."""
    letters = replace(parcels, name="letters")
    after = project_of([replace(late_parcel, request=letters)], [parcels])
    reader = Reader.of("late_parcel version 1", late_parcel)
    (found,) = refusals(_deployed(project_of([late_parcel])), after, [reader])
    assert found.startswith(
        "model late_parcel: its requests are of source letters now, but late_parcel version 1 answers requests of "
        "source parcels; give the new model another name, or retire"
    )
