"""Where the prediction log has the unit and the covariate of an experiment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.errors import InvalidInput
from smallbox.lake.predictions import PredictionLog, of_versions
from smallbox.ports import Between
from smallbox.table_columns import ENTITY_PREFIX, GROUP, SENT_PREFIX

Frozen = Mapping[str, Any]
"""A frozen signature; see :mod:`smallbox.define.frozen`."""


def unit_column(signature: Frozen, unit: str) -> str:
    """The column of the log that holds the unit.

    Args:
        signature: a version's.
        unit: the request field; empty: the group of a ranking, else the key.

    Raises:
        InvalidInput: when the log does not have the field, or it is no name of a unit.
    """
    group = signature["objective"].get("group") or ""
    if not unit:
        return GROUP if group else "key"
    request = signature["request"]
    found = request["fields"].get(unit)
    if found is not None:
        check_names_units(unit, found["type"], is_personal=found["pii"])
    special = {request["key"]: "key", group: GROUP}
    entities = {view["entity"][0]: ENTITY_PREFIX + view["name"] for view in signature["views"] if _is_single(view)}
    read = {name: SENT_PREFIX + name for _, names in signature["on_demand"] for name in names}
    inputs = {name: name for name in signature["inputs"]}
    columns = {**read, **entities, **inputs, **special}
    if unit not in columns or found is None:
        raise InvalidInput(
            f"the prediction log of {signature['model']} has no column of the unit {unit!r}; it has those of "
            f"{', '.join(sorted(filter(None, columns)))}: make it an input, or the entity of a view",
            field="unit",
        )
    return str(columns[unit])


def check_names_units(unit: str, type_: str, *, is_personal: bool) -> None:
    """Raise unless a request field may be the unit of an experiment.

    Raises:
        InvalidInput: when it is personal, or neither a text nor a whole number.
    """
    if is_personal or type_ not in {"text", "integer"}:
        raise InvalidInput(
            f"the unit {unit!r} must be a text or a whole number that is not personal; send a pseudonym, like a keyed "
            "hash",
            field="unit",
        )


def _is_single(view: Mapping[str, Any]) -> bool:
    return len(view["entity"]) == 1


def check_covariate(signature: Frozen, covariate: str | None, personal: frozenset[str]) -> None:
    """Raise unless the covariate is a numeric column of the log that is not personal.

    Raises:
        InvalidInput: otherwise.
    """
    if covariate is None:
        return
    numeric = signature["columns"]["numeric"]
    if covariate not in numeric or covariate in personal:
        names = ", ".join(name for name in numeric if name not in personal)
        raise InvalidInput(
            f"the covariate {covariate!r} must be a numeric input or feature that is not personal; "
            f"{signature['model']} has {names}",
            field="covariate",
        )


@dataclass(frozen=True, slots=True)
class UnitRequests:
    """Reads the online requests of the log with their units.

    Attributes:
        log: the log.
        model: the model's name.
        columns: by version, the column that holds the unit; see :func:`unit_column`.
        otherwise: that of the deployed definition, for the fallback and for other versions.
        covariate: the column of the covariate; ``None``: none.
    """

    log: PredictionLog
    model: str
    columns: Mapping[int, str]
    otherwise: str
    covariate: str | None = None

    def between(self, start: int, end: int, arms: Sequence[str] | None = None) -> pa.Table:
        """The requests of ``[start, end)`` that were answered by these arms; by any where ``None``.

        The columns are ``unit``, ``key``, ``time``, ``version``, ``arm`` and ``covariate``. A request without a unit
        is assigned by its key, so that is its unit.
        """
        rows = self.log.read(self.model, Between("time", start, end), self._wanted())
        is_counted = pc.equal(rows["channel"], "online")
        if arms is not None:
            is_counted = pc.and_(is_counted, pc.is_in(rows["arm"], value_set=pa.array(arms, pa.string())))
        rows = rows.filter(is_counted)
        named = dict.fromkeys((self.otherwise, *self.columns.values()))
        parts = [self._part(rows, column) for column in named]
        return pa.concat_tables(parts)

    def _wanted(self) -> Callable[[str], bool]:
        names = {"key", "version", "arm", "channel", self.otherwise, *self.columns.values()}
        return (names | ({self.covariate} if self.covariate else set())).__contains__

    def _part(self, rows: pa.Table, column: str) -> pa.Table:
        """The rows of the versions whose unit is in a column."""
        others = [number for number, name in self.columns.items() if name != self.otherwise]
        if column == self.otherwise:
            own = rows.filter(pc.invert(pc.is_in(rows["version"], value_set=pa.array(others, pa.int64()))))
        else:
            own = of_versions(rows, [number for number, name in self.columns.items() if name == column])
        units = _texts(own[column]) if column in own.column_names else pa.nulls(own.num_rows, pa.string())
        has = self.covariate is not None and self.covariate in own.column_names
        covariate = own[self.covariate].cast(pa.float64()) if has else pa.nulls(own.num_rows, pa.float64())
        return pa.table(
            {
                "unit": pc.coalesce(units, own["key"]),
                **{name: own[name] for name in ("key", "time", "version", "arm")},
                "covariate": covariate,
            }
        )


def _texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Names as texts; a whole number that the log has as a number of an input loses its point."""
    if pa.types.is_floating(values.type):
        values = values.cast(pa.int64(), safe=False)
    return values.cast(pa.string())


def first_of_each_unit(rows: pa.Table) -> pa.Table:
    """The first request of each unit, in the order of their moments."""
    ordered = rows.sort_by([("time", "ascending"), ("key", "ascending")])
    numbered = ordered.select(["unit"]).append_column("row", pa.array(range(ordered.num_rows), pa.int64()))
    found = numbered.group_by("unit").aggregate([("row", "min")])["row_min"]
    return ordered.take(found.combine_chunks().sort())
