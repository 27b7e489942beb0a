"""A model version to vary."""

from smallbox.define.frozen import signature_digest
from smallbox.registry.version import Version
from smallbox.times import format_moment
from tests.fakes.small import late_parcel

VERSION = Version(
    model=late_parcel.name,
    number=0,
    status="registered",
    as_of=format_moment(0),
    reason="test",
    onnx_key="1",
    onnx_sha256="",
    pipeline_key="",
    profile_key="profile",
    dataset_key="",
    data_versions={},
    columns=list(late_parcel.columns.names),
    signature=signature_digest(late_parcel),
    views={},
    bundle_key="",
    bundle_sha256="",
    definition="",
    dependencies={},
    metrics={},
    parity={},
)
