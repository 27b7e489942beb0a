"""``smallbox train``, ``predict``, ``score``, ``models`` and ``day``."""

import argparse
from pathlib import Path
from typing import Any

from smallbox.cli import tables as people
from smallbox.cli.check import require_no_mistake
from smallbox.cli.connect import system_of
from smallbox.cli.data import existing
from smallbox.cli.output import json_lines, printed
from smallbox.cli.progress import machine_progress, progress
from smallbox.cli.scored_files import download_predictions, score
from smallbox.cli.system import System
from smallbox.errors import Unavailable


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    trainer = commands.add_parser(
        "train",
        help="check the definition, run the training pipeline, and wait for its verdict",
        epilog="The exit code is 0 when the gate accepts the version, and 1 when it refuses it or cannot tell.",
    )
    trainer.add_argument("model")
    trainer.add_argument("--as-of", help="train on the data known at this time, ISO 8601; default: now")
    trainer.set_defaults(run=printed(_train, people.training, worked=people.is_accepted))
    predictor = commands.add_parser("predict", help="ask for predictions; JSON lines of instances")
    predictor.add_argument("model")
    predictor.add_argument("file", type=Path)
    predictor.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    predictor.add_argument("--features", action="store_true", help="show the feature values of each prediction")
    predictor.set_defaults(run=printed(_predict))
    scorer = commands.add_parser(
        "score", help="score a file of requests through the inbox; writes the predictions beside the file"
    )
    scorer.add_argument("model")
    scorer.add_argument("file", type=Path)
    scorer.set_defaults(run=printed(_score))
    lister = commands.add_parser("models", help="models, or the versions and the history of one")
    lister.add_argument("model", nargs="?")
    lister.set_defaults(run=printed(_models, people.models))
    closer = commands.add_parser("day", help="close a day: join labels, check, review the canary, decide on training")
    closer.add_argument("model")
    closer.add_argument("--as-of", help="the midnight that ends the day, ISO 8601; default: the last one")
    closer.set_defaults(run=printed(_day, people.day_blocks))


def _train(arguments: argparse.Namespace) -> Any:
    require_no_mistake([arguments.model])
    as_of = {} if arguments.as_of is None else {"as_of": arguments.as_of}
    system = system_of(arguments)
    with machine_progress(arguments, system, f"training {arguments.model}"):
        return system.run("TrainingMachine", {"model": arguments.model, "reason": "asked for", **as_of})


def _day(arguments: argparse.Namespace) -> Any:
    return close_day(system_of(arguments), arguments.model, arguments.as_of)


def close_day(system: System, model: str, as_of: str | None) -> Any:
    """Run the daily tasks; the upkeep first if it is due, since they read many tables. The document mentions it."""
    try:
        why = system.upkeep(as_of, only_when_due=True)["due"]
        said = {} if why is None else {"upkeep": f"{why}; so the upkeep was run first"}
    except Unavailable as error:
        said = {"upkeep": f"{error.message}; the day was closed without it"}
    moment = {} if as_of is None else {"as_of": as_of}
    return {**system.run("DailyMachine", {"model": model, **moment}), **said}


def _predict(arguments: argparse.Namespace) -> Any:
    lines = json_lines(existing(arguments.file).read_text(), str(arguments.file))
    return system_of(arguments).predict(arguments.model, lines, arguments.as_of, explain=arguments.features)


def _score(arguments: argparse.Namespace) -> Any:
    system, file = system_of(arguments), existing(arguments.file)
    with progress(arguments, f"scoring {file.name}") as tell:
        report = score(system, arguments.model, file, tell)
        tell("download")
        predictions = download_predictions(system, report, file)
    return {**report, "predictions": str(predictions)}


def _models(arguments: argparse.Namespace) -> Any:
    system = system_of(arguments)
    if arguments.model is None:
        return system.request("GET", "/models")
    paths = (f"/models/{arguments.model}/{part}" for part in ("versions", "history"))
    return {name: value for path in paths for name, value in system.request("GET", path).items()}
