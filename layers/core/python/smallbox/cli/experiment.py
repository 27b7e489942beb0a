"""``smallbox experiment``: plan, start, show or stop an A/B test or an interleaving of versions of a model."""

import argparse
import getpass
from collections.abc import Iterator
from typing import Any, get_args

from smallbox.cli.connect import system_of
from smallbox.cli.output import Block, TableBlock, cell, printed
from smallbox.define.interleavings import CountedPairs, Merge
from smallbox.registry.routing import ExperimentKind
from smallbox.release.experiment_request import EXPERIMENT_ACTIONS

_SENT = (
    "model", "action", "versions", "weights", "outcome", "within", "unit", "covariate", "guardrails", "better",
    "only_measured", "on_unit", "on_key", "min_days", "max_days", "confidence", "smallest_effect", "name", "why",
    "as_of", "kind", "merge", "pairs",
)  # fmt: skip
_CHANGES = frozenset({"start", "stop"})


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "experiment",
        help="plan, start, show or stop an experiment of two or more versions",
        epilog="Without --outcome and another --kind it is what Release(experiment=...) declares, with the options "
        "given here; with --outcome nothing of that. An interleaving has no outcome. start and stop need --why.",
    )
    parser.add_argument("action", choices=EXPERIMENT_ACTIONS)
    parser.add_argument("model")
    parser.add_argument(
        "--kind", choices=get_args(ExperimentKind),
        help="ab: each unit is answered by one version; interleaving: each ranked list is made by two; default: the "
        "declared one, else ab",
    )  # fmt: skip
    parser.add_argument(
        "--merge", choices=get_args(Merge), help="how an interleaving makes a list; default: team_draft"
    )
    parser.add_argument(
        "--pairs", choices=get_args(CountedPairs),
        help="what counts of a team draft: all rounds (default), or those in which the versions pick different rows",
    )  # fmt: skip
    parser.add_argument("--versions", type=_numbers(int), help="like 3,5; the others are compared with the first")
    parser.add_argument("--weights", type=_numbers(float), help="their shares of the units, like .5,.5; default: equal")
    parser.add_argument("--name", help="the experiment's name; it salts who gets which version")
    parser.add_argument("--why", help="the reason to start or stop, for the history")
    parser.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    _add_measured(parser)
    parser.set_defaults(run=printed(_experiment, experiment_blocks))


def _add_measured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outcome", metavar="SOURCE.FIELD", help="what decides: for each unit the sum of this field")
    parser.add_argument("--within", help="how long after the first exposure a record counts; default: 7d")
    parser.add_argument("--better", choices=("higher", "lower"), help="default: higher")
    parser.add_argument("--on-unit", metavar="FIELD", help="the field of the source with the unit")
    parser.add_argument("--on-key", metavar="FIELD", help="the field of the source with the request's key")
    parser.add_argument(
        "--only-measured", action="store_true", default=None, help="leave units without a record out, not as 0"
    )
    parser.add_argument("--unit", help="the request field that is assigned; default: the request's key")
    parser.add_argument("--covariate", metavar="FEATURE", help="what explains the outcome before the exposure (CUPED)")
    parser.add_argument(
        "--guardrail", action="append", dest="guardrails", metavar="SOURCE.FIELD[,lower][,WORST]",
        help="an outcome that must not get worse by more than this share; may be repeated",
    )  # fmt: skip
    parser.add_argument("--min-days", type=int, help="no verdict before; default: 7")
    parser.add_argument("--max-days", type=int, help="no longer than this; default: 90, of an interleaving 28")
    parser.add_argument("--confidence", type=float, help="default: .95")
    parser.add_argument("--smallest-effect", type=float, metavar="SHARE", help="of the first mean; default: .02")


def _numbers(kind: type[int] | type[float]) -> Any:
    def numbers(text: str) -> list[int | float]:
        return [kind(part) for part in text.split(",")]

    return numbers


def _experiment(arguments: argparse.Namespace) -> Any:
    document = {name: getattr(arguments, name) for name in _SENT if getattr(arguments, name) is not None}
    if arguments.action in _CHANGES:
        document["who"] = getpass.getuser()
    return system_of(arguments).invoke("ExperimentFunction", document, f"experiment {arguments.action}")


def experiment_blocks(document: Any) -> Iterator[Block]:
    """A plan, or an experiment with its newest result."""
    if "result" not in document:
        yield from _plan_blocks(document)
        return
    yield from _head_blocks(document)
    if document["result"]:
        is_interleaving = document["kind"] == "interleaving"
        yield from (_preference_blocks if is_interleaving else _effect_blocks)(document)
    elif "plan" in document:
        yield f"plan: {document['plan']['sentence']}"


def _head_blocks(document: Any) -> Iterator[Block]:
    result, stopped = document["result"], document["stopped"]
    yield f"{document['name']}: {document['state']} since {document['since']}, by {document['who']}: {document['why']}"
    if stopped:
        yield f"stopped {stopped['at']} by {stopped['who']}: {stopped['why']}"
    if result:
        yield f"verdict: {result['verdict']}: {result['sentence']}"


def _preference_blocks(document: Any) -> Iterator[Block]:
    """The preference of each look, the sign test of the newest, and what counted where that was not all."""
    names = ("as_of", "verdict", "units", "value", "low", "high")
    rows = [[{**day, **day["preference"]}[name] for name in names] for day in document["days"]]
    yield TableBlock(names, rows, "mean preference for the second version")
    yield f"prefer: {cell(document['result']['prefer'])}; sign test, p: {document['result']['sign_p']:.2g}"
    if document["rules"].get("pairs") == "competitive":
        yield "counted: the rounds in which the versions would have picked different rows"


def _effect_blocks(document: Any) -> Iterator[Block]:
    result = document["result"]
    names = ("version", "weight", "assigned", "answered", "measured", "mean")
    yield TableBlock(names, [[one[name] for name in names] for one in result["versions"]], "units")
    rows = [
        [one["outcome"], one["version"], one["known"], one["units"], *map(_share, _relative(one)), one["needed"]]
        for one in result["effects"]
    ]
    yield TableBlock(("outcome", "version", "known", "units", "effect", "from", "to", "units needed"), rows, "effects")
    yield f"sample ratio, p: {cell(result['sample_ratio'])}"


def _plan_blocks(document: Any) -> Iterator[Block]:
    yield document["sentence"]
    names = ("outcome", "mean", "deviation", "explained", "effect", "units", "days", "units_at_once", "days_at_once")
    yield TableBlock(names, [[one[name] for name in names] for one in document["outcomes"]], "what each outcome needs")
    yield f"reached: {document['reached']}; looked at once at the end: {document['reached_at_once']}"


def _relative(effect: Any) -> list[float | None]:
    return [effect["relative_value"], effect["relative_low"], effect["relative_high"]]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"
