"""What the encoding of a Delta table's files spares its readers."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from smallbox.aws.delta_lake import DeltaLake
from smallbox.times import DAY


def test_a_reader_of_a_day_skips_much_of_a_compacted_file(tmp_path: Path) -> None:
    """After a daily upkeep each row group of the one large file says which days it has; many lack the one wanted."""
    lake = DeltaLake(str(tmp_path), options={})
    for day in range(8):
        for _ in range(2):
            lake.append("log", pa.table({"known_at": [day * DAY] * 10_000}))
        lake.compact("log")
    (uri,) = DeltaTable(str(tmp_path / "log")).file_uris()
    written = pq.ParquetFile(uri.removeprefix("file://")).metadata
    at = written.schema.names.index("known_at")
    groups = [written.row_group(n).column(at).statistics for n in range(written.num_row_groups)]
    assert written.num_rows == 160_000
    assert sum(one.min <= 3 * DAY <= one.max for one in groups) <= len(groups) * 3 / 4
