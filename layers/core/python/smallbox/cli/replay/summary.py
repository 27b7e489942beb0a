"""The tables that end a replay."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_tables(document: Mapping[str, Any]) -> None:
    """Print what a replay returned: what every stage did, and the AUC by week."""
    console = Console()
    stages = Table(title="What every stage did", title_justify="left")
    for column in ("stage", "", "evidence"):
        stages.add_column(column)
    for stage in document["stages"]:
        worked = "[green]worked[/]" if stage["worked"] else "[red]FAILED[/]"
        stages.add_row(stage["stage"], worked, escape(stage["evidence"]))
    console.print(stages)
    weeks = Table(title="AUC by week", title_justify="left")
    for column in document["weeks"][0] if document["weeks"] else ():
        weeks.add_column(column, justify="right")
    for week in document["weeks"]:
        weeks.add_row(*map(cell, week.values()))
    console.print(weeks)
    console.print(f"\n{document['seconds']} s in all. The report: {document['report']}", highlight=False)


def cell(value: Any) -> str:
    """A value for a table: counts in groups of three, figures with three digits, a dash for what could not be told.

    >>> cell(1234), cell(0.70312), cell(None), cell("2013-03-01")
    ('1,234', '0.703', '-', '2013-03-01')
    """
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
