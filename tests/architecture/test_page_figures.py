"""The figures that the pages quote are those of the code."""

import re
from dataclasses import fields
from typing import Any

import pytest

from infra import machines
from infra.deployment import ROOT
from infra.parts import queues
from infra.stages.ingestion import LOADERS
from infra.stores import PARTS_DAYS
from smallbox import define, request_sizes
from smallbox.aws import delta_lake as lake
from smallbox.aws import online
from smallbox.aws.signed import service
from smallbox.define import patterns, source, tiles, view
from smallbox.define.rules import Release
from smallbox.features import backfill, stream
from smallbox.features.online import apply, markers, reads, recent, states
from smallbox.features.windows import sketch
from smallbox.ingestion import file_parts as parts
from smallbox.ingestion import http_body as body
from smallbox.ingestion import lines, readers, unpacking, upkeep
from smallbox.messages import predictions, rebuilds, split
from smallbox.monitoring import accuracy
from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.objectives.tolerance import PROBABILITY_TOLERANCE
from smallbox.registry import store
from smallbox.release import canary
from smallbox.release import judged_predictions as judged
from smallbox.serving import score
from smallbox.times import DAY, HOUR, MINUTE, SECOND
from smallbox.training import dataset_rows as point_in_time
from smallbox.training import fit_model as fitting
from smallbox.training import profile, run_warnings

WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven")
MB = 1_000_000


def _default(of: type, name: str) -> Any:
    (found,) = [field.default for field in fields(of) if field.name == name]
    return found


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"


BATCH = f"{readers.BATCH_LIMITS.rows:,} rows or {readers.BATCH_LIMITS.bytes // MB} MB"
PART = f"{parts.PART_LIMITS.rows:,} rows or {parts.PART_LIMITS.bytes // MB} MB"
SCORED = f"{score.SCORE_SIZES.part.rows:,} rows or {score.SCORE_SIZES.part.bytes // MB} MB"
PACKED = f"{unpacking.RATIO_FROM // MB} MB and {unpacking.RATIO_LIMIT} times its packed size"

SENTENCES = {
    "docs/stages/features.md": [
        f"`tile` of the view, {_default(view.FeatureView, 'tile').removesuffix('m')} minutes by default",
    ],
    "docs/protocols/features.md": [
        f"in transactions of at most {reads.TRANSACTION_ITEMS} items",
        f"up to {apply.WRITE_ATTEMPTS} times with jitter",
        f"A marker expires {WORDS[markers.MARKER_MARGIN // DAY]} day after its record can no longer be added",
        f"no longer written expires {states.LIFETIME_MARGIN // DAY} days after it left every window",
        f"a marker lives at least {online._LEAST_LIFE // DAY} days from now",
        f"not known yet waits {stream.EARLY_DELAY // MINUTE} minutes in the queue",
        f"asked for again after {WORDS[rebuilds.LATER_DELAY // MINUTE]} minutes",
        f"A state of more than {tiles.STATE_LIMIT // 1_000} KB",
        f"a HyperLogLog of {sketch.REGISTERS} registers",
        f"Its relative standard error is {_percent(1.04 / sketch.REGISTERS**0.5, 1)}",
        f"remembers states for {WORDS[recent.STALENESS // SECOND]} second",
        f"more than {WORDS[source.FUTURE_LIMIT // DAY]} days and an hour ahead of the state's watermark",
        f"parts of about {backfill.ROWS_PER_PART:,} rows, at most {backfill.MAX_PARTS} parts",
    ],
    "docs/protocols/ingestion.md": [
        f"messages of at most {split.MESSAGE_BYTES:,} bytes",
        f"an array of up to {request_sizes.EVENT_LIMIT}",
        f"more than {request_sizes.EVENT_LIMIT} records or {request_sizes.BODY_LIMIT:,} bytes",
        f"more than {body._DEPTH_LIMIT} levels",
        f"a text of more than {patterns.TEXT_LIMIT} characters",
        f"becomes known more than {source.FUTURE_LIMIT // DAY} days from now",
        f"a line of more than {lines.LINE_LIMIT // MB} MB; a CSV row of more than {lines.ROW_LIMIT // MB} MB",
        f"more than {PACKED}, or to more than {unpacking.UNPACKED_LIMIT // 1000 // MB} GB",
        f"A *part* has at most {PART} of text",
        f"where a batch ends ({BATCH})",
        f"Up to {WORDS[LOADERS]} workers load one part at a time",
        f"a table has more than {upkeep.MAX_FILES} files",
        f"every {lake.TAIL_COMMITS}th commit of a table",
        f"Replaced files are removed after {WORDS[lake.RETENTION_HOURS // 24]} days",
        f"the message is tried {WORDS[queues._MAX_RECEIVES]} times",
    ],
    "docs/stages/training.md": [
        f"the first {_percent(1 - Binary.calibration_share)} of the training rows",
        f"the last {_percent(Multiclass.calibration_share)} calibrate it",
        f"Each part needs {fitting.MIN_ROWS} rows and every class",
        f"difference of an output may be {PROBABILITY_TOLERANCE:.4f}",
        f"a skill of {run_warnings.LEAKAGE_SKILL:.2f} or more".replace("0.", "."),
        f"Up to {point_in_time.MAX_SILENT:,} unlabelled requests",
        f"the {profile.MAX_CATEGORIES} most frequent categories",
    ],
    "docs/stages/registry.md": [
        f"scikit-learn <= {PROBABILITY_TOLERANCE:.4f}",
        f"up to {store._ATTEMPTS} attempts",
    ],
    "docs/stages/release.md": [
        f"with a probability of {_percent(canary.POWER)}",
        f"of the last {WORDS[judged.RECENT // (7 * DAY)]} weeks",
    ],
    "docs/stages/serving.md": [
        f'`{{"instances": [{{...}}, ...]}}`, at most {request_sizes.INSTANCE_LIMIT}',
        f"cut to {predictions.SHORT} characters",
        f"tried again, {WORDS[service.ATTEMPTS]} times in all",
        f"parts of at most {SCORED} of text",
        f"scores up to {WORDS[machines._SCORED_AT_ONCE]} parts at once",
        f"no more than {WORDS[machines._SCORED_AT_ONCE]} are scored at once",
        f"The working folder is removed after {PARTS_DAYS} days",
    ],
    "docs/stages/monitoring.md": [
        f"up to {accuracy.SPANS[-1]} days, or up to {accuracy.MAX_ROWS_JUDGED:,} rows",
    ],
    "docs/definition.md": [f"`Release.max_days` ({_default(Release, 'max_days')} by default)"],
    "docs/costs.md": [f"parts of large files are removed after {PARTS_DAYS} days", f"parts ({SCORED} of text each)"],
    "docs/quickstart.md": [f"A file of more than {score.SCORE_SIZES.part.rows:,} rows is cut into parts"],
}  # fmt: skip
"""Of each page, phrases with figures that the code decides."""


@pytest.mark.parametrize(("page", "phrase"), [(page, phrase) for page, found in SENTENCES.items() for phrase in found])
def test_a_page_quotes_the_constant_of_the_code(page: str, phrase: str) -> None:
    """The page has the phrase, with the code's figure in it, wherever its lines break."""
    assert phrase in re.sub(r"\s+", " ", (ROOT / page).read_text())


def test_the_tile_sizes_of_the_page_are_those_of_the_code() -> None:
    """Below the first edge of the table a window has fine tiles, up to the second an hour, from there on a day."""
    page = (ROOT / "docs/stages/features.md").read_text()
    edges = re.search(r"\| below (\d+) hours \|.*\n\| \1 hours to below (\d+) days \|.*\n\| \2 days and more \|", page)
    assert edges
    hours, days = int(edges[1]), int(edges[2])
    fields = {"id": define.text(), "at": define.timestamp(), "name": define.text()}
    lengths = (f"{hours - 1}h", f"{hours}h", f"{24 * days - 1}h", f"{days}d")
    features = {f"count_{length}": define.count(length) for length in lengths}
    found = define.FeatureView("v", entity="name", source=define.Source("s", "id", "at", fields), features=features)
    sizes = [found.tile_size(aggregate) for aggregate in found.features.values()]
    assert sizes == [found.tile_micros, HOUR, HOUR, DAY]
