"""The tables of benchmarks/serving."""

import statistics
from collections.abc import Mapping
from typing import Any

import numpy as np

PLAIN, WINDOWS, SOURCE = "Smallbox", "Smallbox, with windows", "Smallbox, layers without bytecode"
FASTAPI, CLIENTS, BARE = "FastAPI + onnxruntime", "the same with boto3's clients", "bare onnxruntime call"
MLFLOW, BENTOML = "MLflow's server", "BentoML's service"
KERNEL = "bare round trip to a store"
PLAIN_STUBBED, WINDOWS_STUBBED = f"{PLAIN}, stubbed", f"{WINDOWS}, stubbed"

Told = Mapping[str, Mapping[str, float]]
"""By way its figures."""


def figures(rounds: list[dict[str, Any]]) -> dict[str, float]:
    """The middle of the rounds; of the requests of all rounds the percentiles, in milliseconds."""
    middle = {name: statistics.median(one[name] for one in rounds) for name in ("first_cpu", "first_wall", "resident")}
    times = np.concatenate([one["cpu"] for one in rounds]) / 1e6
    p50, p95 = np.percentile(times, (50, 95)) if len(times) else (np.nan, np.nan)
    return middle | {"p50": float(p50), "p95": float(p95)}


def print_ways(told: Told) -> None:
    """The table of the ways; ratios are to Smallbox without stored features."""
    yardstick = told[PLAIN]
    print("| | CPU of a request p50 / p95, ms | ratio | first prediction, CPU s / wall s | ratio | resident, MB |")
    print("|---|---|---|---|---|---|")
    for name, one in told.items():
        request, resident = " | ", ""
        if not np.isnan(one["p50"]):
            request = f"{one['p50']:.3f} / {one['p95']:.3f} | {one['p50'] / yardstick['p50']:.2f}"
            resident = f"{one['resident']:.0f}"
        first = f"{one['first_cpu']:.2f} / {one['first_wall']:.2f} | {one['first_cpu'] / yardstick['first_cpu']:.2f}"
        print(f"| {name} | {request} | {first} | {resident} |")


def print_goals(told: Told) -> None:
    """The table of the goals; those beside a peer that is not installed are left out."""
    plain, windows = told[PLAIN], told[WINDOWS]
    at_most = [
        ("CPU of a request without stored features, stubbed, ms", told[PLAIN_STUBBED]["p50"], 0.25),
        ("CPU of a request with 12 window features, stubbed, ms", told[WINDOWS_STUBBED]["p50"], 0.6),
        ("first prediction, CPU s", plain["first_cpu"], 0.6),
        ("resident, MB", max(plain["resident"], windows["resident"]), 120.0),
    ]
    if FASTAPI in told:
        at_most.append((f"CPU of a request, times {FASTAPI}", plain["p50"] / told[FASTAPI]["p50"], 1.2))
    at_least = [
        (f"CPU of a request of {name}, times ours", told[name]["p50"] / plain["p50"], 30.0)
        for name in (MLFLOW, BENTOML)
        if name in told
    ]
    if MLFLOW in told:
        at_least.append(
            (f"first prediction of {MLFLOW}, times ours", told[MLFLOW]["first_cpu"] / plain["first_cpu"], 5)
        )
    print("\n| goal | measured | wanted | met |\n|---|---|---|---|")
    for name, value, goal in at_most:
        print(f"| {name} | {value:.2f} | <= {goal:g} | {'yes' if value <= goal else 'no'} |")
    for name, value, goal in at_least:
        print(f"| {name} | {value:.2f} | >= {goal:g} | {'yes' if value >= goal else 'no'} |")


def print_steps(steps: Mapping[str, Mapping[str, int]], told: Told) -> None:
    """The share of each step, and of the middle request the milliseconds that this makes."""
    print(f"\n| step | {' | '.join(f'{name}, ms | share' for name in steps)} |\n|---{'|---|---' * len(steps)}|")
    totals = {name: sum(met.values()) for name, met in steps.items()}
    rest = [step for met in steps.values() for step in met]
    shares = {s: [steps[name].get(s, 0) / totals[name] for name in steps] for s in dict.fromkeys(rest)}
    for step, of in sorted(shares.items(), key=lambda one: -max(one[1])):
        cells = [f"{told[name]['p50'] * share:.3f} | {share:.0%}" for name, share in zip(steps, of, strict=True)]
        print(f"| {step} | {' | '.join(cells)} |")
