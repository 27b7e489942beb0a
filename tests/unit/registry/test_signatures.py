"""Proves that a version keeps the definition that it was trained with, and that no other function is run for it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import FeatureView, mean
from smallbox.define.bundle import bundle_of
from smallbox.define.frozen import freeze
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.errors import NotFound, NotReady
from smallbox.features.online.states import version_of
from smallbox.registry.signatures import (
    Signatures,
    bundle_key,
    check_unchanged,
    label_of_version,
    views_of_version,
)
from smallbox.registry.store import Registry
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.small import deliveries, late_parcel
from tests.fakes.versions import add_version

NAME = late_parcel.name


def weight_squared(weight: Any) -> Any:
    """An on-demand feature."""
    return weight**2


def _edited() -> Callable[..., Any]:
    def weight_squared(weight: Any) -> Any:
        return weight**2 + 1

    return weight_squared


WITH_FUNCTION = replace(late_parcel, on_demand=(weight_squared,))
EDITED = replace(late_parcel, on_demand=(_edited(),))
WIDER = FeatureView("depot", entity="depot", source=deliveries, features={"depot_delay_3h": mean("delay", "6h")})


class Stored:
    """A registry with one version of a model, its bundle stored, and another definition deployed."""

    def __init__(self, model: Model, deployed: Model) -> None:
        self.registry, self.blobs = Registry(FakeDocuments()), FakeBlobs()
        bundle = bundle_of(model.on_demand) if model.on_demand else None
        key, digest = ("", "") if bundle is None else (bundle_key(bundle), bundle.digest)
        if bundle is not None:
            self.blobs.put(key, bundle.content)
        self.version = add_version(self.registry, model, bundle_key=key, bundle_sha256=digest)
        self.signatures = Signatures(project_of([deployed]), self.registry, self.blobs)


def test_the_deployed_definition_is_used_where_it_is_the_same() -> None:
    """Nothing is thawed and no bundle is read for the definition that is deployed."""
    stored = Stored(WITH_FUNCTION, deployed=WITH_FUNCTION)
    stored.blobs.objects.clear()
    assert stored.signatures.of(NAME, 1) is WITH_FUNCTION


def test_a_version_keeps_its_columns_views_and_label() -> None:
    """After a window and the inputs changed, the version has those of its training, read once."""
    stored = Stored(late_parcel, deployed=replace(late_parcel, views=(WIDER,), inputs=("weight",)))
    signature = stored.signatures.of(NAME, 1)
    assert (signature.columns, signature.label) == (late_parcel.columns, late_parcel.label)
    assert [version_of(view) for view in signature.views] == [version_of(view) for view in late_parcel.views]
    assert [version_of(view) for view in views_of_version(stored.registry, stored.version)] != [version_of(WIDER)]
    assert label_of_version(stored.registry, stored.version) == late_parcel.label
    assert stored.signatures.of_version(stored.version) is signature


def test_deployed_functions_are_used_where_their_source_is_the_same() -> None:
    """Another view changes no function: the stored bundle is not even read."""
    stored = Stored(WITH_FUNCTION, deployed=replace(WITH_FUNCTION, views=(WIDER,)))
    stored.blobs.objects.clear()
    assert stored.signatures.of(NAME, 1).on_demand == (weight_squared,)


def test_a_function_that_was_edited_runs_as_it_was() -> None:
    """The version's own source is run, from its bundle."""
    stored = Stored(WITH_FUNCTION, deployed=EDITED)
    (function,) = stored.signatures.of(NAME, 1).on_demand
    assert (function(3), EDITED.on_demand[0](3)) == (9, 10)


def test_other_bytes_than_the_registered_bundle_are_never_run() -> None:
    """A bundle whose digest is not the version's is refused, also when it would run."""
    stored = Stored(WITH_FUNCTION, deployed=EDITED)
    stored.blobs.put(stored.version.bundle_key, bundle_of(EDITED.on_demand).content)
    with pytest.raises(NotReady):
        stored.signatures.of(NAME, 1)


def test_a_lost_bundle_is_said_in_words() -> None:
    """The version, the model and what to do."""
    stored = Stored(WITH_FUNCTION, deployed=EDITED)
    stored.blobs.objects.clear()
    with pytest.raises(NotReady, match="version 1 of late_parcel has lost its signature or its bundle; restore it"):
        stored.signatures.of(NAME, 1)


def test_a_lost_signature_is_said_in_words() -> None:
    """The same sentence; a version that was never there is not found."""
    stored = Stored(late_parcel, deployed=EDITED)
    lost = stored.registry.add(replace(stored.version, signature="0" * 16))
    with pytest.raises(NotReady, match=f"version {lost.number} of late_parcel has lost its signature"):
        stored.signatures.of(NAME, lost.number)
    with pytest.raises(NotFound, match="no version 3"):
        stored.signatures.of(NAME, 3)


def test_a_definition_is_unchanged_while_its_digest_is() -> None:
    """A run goes on with the definition that it began with, and with no other."""
    signature = Stored(late_parcel, deployed=late_parcel).version.signature
    check_unchanged(late_parcel, signature)
    with pytest.raises(NotReady, match="was changed while it was trained; train again"):
        check_unchanged(replace(late_parcel, views=(WIDER,)), signature)


def test_a_frozen_signature_is_json() -> None:
    """What the registry stores comes back as it was."""
    assert json.loads(json.dumps(freeze(WITH_FUNCTION), allow_nan=False)) == freeze(WITH_FUNCTION)
