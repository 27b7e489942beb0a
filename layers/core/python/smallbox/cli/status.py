"""``smallbox status``: the status of the whole system on one screen."""

import argparse
from collections.abc import Iterator
from typing import Any

from smallbox.cli.connect import system_of
from smallbox.cli.output import Block, TableBlock, cell, printed
from smallbox.cli.queue_figures import queue_figures
from smallbox.cli.tables import incident_line


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``status``."""
    parser = commands.add_parser(
        "status",
        help="show champions, last trainings, breaches, incidents, source freshness, queues and dead letters",
        epilog="The exit code is 0 if the system answered, also with breaches or dead letters.",
    )
    parser.set_defaults(run=printed(_status, status_blocks))


def _status(arguments: argparse.Namespace) -> Any:
    system = system_of(arguments)
    queues = {"queues": queue_figures(system), "dead_letters": system.dead_letters_by_queue()}
    return {**system.request("GET", "/status"), **queues}


def status_blocks(document: Any) -> Iterator[Block]:
    """Tables of models, sources, live views and queues that are behind; a line for each breach, and of dead letters."""
    models = document["models"]
    columns = ("model", "champion", "canary", "last training", "day checked", "breaches", "incidents")
    yield TableBlock(columns, [_row(model) for model in models])
    for model in models:
        training = model["last_training"]
        if training and training["outcome"] != "accepted":
            yield f"{model['name']}: the last training {_ended(training)}: {training['why']}"
        if model["is_changed"]:
            yield f"{model['name']}: the deployed definition is not the champion's; {_next_step(model)}"
        yield from (f"{model['name']}: {sentence}" for sentence in model["breaches"])
        yield from map(incident_line, model["incidents"])
    sources = [[model["name"], *source.values()] for model in models for source in model["sources"]]
    if sources:
        yield TableBlock(("model", "source", "records of the day", "age in hours", "at most", "breached"), sources)
    if document["views"]:
        head = ("live view", "version", "source", "state", "needed by")
        yield TableBlock(head, [[*view.values()] for view in document["views"]])
    behind = [[queue, *one.values()] for queue, one in document["queues"].items() if any(one.values())]
    if behind:
        yield TableBlock(("queue", "messages", "oldest, seconds"), behind)
    dead = {queue: count for queue, count in document["dead_letters"].items() if count}
    yield f"dead letters: {cell(dead) if dead else 'none'}"


def _next_step(model: Any) -> str:
    name, number = model["name"], model["trained_version"]
    if number is None:
        return f"`smallbox train {name}`"
    return (
        f"version {number} was trained with it and waits for its canary, or was given up: `smallbox day {name}` says, "
        f"`smallbox release {name} promote {number} --why TEXT` makes it champion"
    )


def _row(model: Any) -> list[Any]:
    champion, canary, training = model["champion"], model["canary"], model["last_training"]
    return [
        model["name"],
        champion and f"{champion['version']}, since {_short(champion['since'])}",
        canary and f"{canary['version']}, {canary['share']:.0%} since {_short(canary['since'])}",
        training and f"{_ended(training)}, {_short(training['as_of'])}",
        model["day"],
        len(model["breaches"]),
        len(model["incidents"]),
    ]


def _short(moment: str) -> str:
    """A timestamp to the minute, in UTC.

    >>> _short("2013-03-01T00:00:00Z")
    '2013-03-01 00:00'
    """
    return moment[:16].replace("T", " ")


def _ended(training: Any) -> str:
    outcome = str(training["outcome"]).replace("_", " ")
    return outcome if training["version"] is None else f"{outcome} (version {training['version']})"
