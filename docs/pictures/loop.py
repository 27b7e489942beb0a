"""The loop on AWS services, by stage."""

from typing import Final

from docs.pictures.svg import GREY, INK, Drawing

WIDTH: Final = 1080
HEIGHT: Final = 1010
BOX: Final = 50
"""The height of a box."""

COLOURS: Final = {
    "API Gateway": ("#f3e8fd", "#6b21a8"),
    "Lambda": ("#fff1e0", "#b45309"),
    "SQS": ("#fde8f0", "#9d174d"),
    "S3 inbox": ("#e6f4ea", "#1e6b33"),
    "EventBridge": ("#e8eaed", "#3c4653"),
    "CloudWatch": ("#e8eaed", "#3c4653"),
    "SNS": ("#e8eaed", "#3c4653"),
    "Step Functions": ("#fff8fb", "#be185d"),
    "DynamoDB": ("#e5edfc", "#1d4ed8"),
    "S3": ("#e6f4ea", "#1e6b33"),
}
"""Fill and edge of each AWS service."""


def _x(column: int) -> int:
    return 30 + column * 150


def _box(d: Drawing, x: float, y: float, service: str, name: str, width: int = 118) -> None:
    fill, edge = COLOURS[service]
    d.box(x, y, width, BOX, fill=fill, edge=edge)
    d.text(x + width / 2, y + 20, service, size=12, anchor="middle", colour=edge)
    d.text(x + width / 2, y + 39, name, size=13, anchor="middle", bold=True)


def _chain(d: Drawing, column: int, y: float, *boxes: tuple[str, str]) -> None:
    """Boxes from a column on, an arrow from each to the next."""
    for at, (service, name) in enumerate(boxes):
        if at:
            d.arrow((_x(column + at) - 32, y + BOX / 2), (_x(column + at), y + BOX / 2))
        _box(d, _x(column + at), y, service, name)


def _down(d: Drawing, column: int, top: float, bottom: float, *, both: bool = False) -> None:
    d.arrow((_x(column) + 59, top), (_x(column) + 59, bottom), both=both)


def _band(d: Drawing, y: float, name: str, holds: str) -> None:
    fill, edge = COLOURS["DynamoDB"]
    d.box(20, y, 900, 44, fill=fill, edge=edge)
    d.text(36, y + 28, name, bold=True, colour=edge)
    d.text(300, y + 28, holds, colour=INK)


def _lake(d: Drawing) -> None:
    """The lake's bucket: a band above the features, an arm on the right, a band at the bottom."""
    fill, edge = COLOURS["S3"]
    d.area(
        (20, 215),
        (1060, 215),
        (1060, 990),
        (20, 990),
        (20, 945),
        (955, 945),
        (955, 275),
        (20, 275),
        fill=fill,
        edge=edge,
    )
    d.text(36, 240, "S3 lake", bold=True, colour=edge)
    d.text(
        36, 262, "Delta tables records, current, predictions, labelled; files: quarantine, reports, datasets, models"
    )
    d.text(36, 973, "S3 lake (the same bucket)", bold=True, colour=edge)


def _ingestion(d: Drawing) -> None:
    d.text(30, 42, "ingestion", size=16, bold=True)
    _chain(d, 0, 55, ("API Gateway", "POST /events"), ("Lambda", "collect"), ("SQS", "events"), ("Lambda", "append"))
    _chain(d, 0, 130, ("S3 inbox", "drop/"), ("SQS", "drops"), ("Lambda", "load"))
    d.text(_x(3) + 75, 150, "files reach their queues through EventBridge", size=12, colour=GREY)
    _chain(d, 4, 55, ("EventBridge", "00:15 UTC"), ("Lambda", "upkeep"))
    _down(d, 3, 105, 215)
    _down(d, 2, 180, 215)
    _down(d, 5, 105, 215)


def _features(d: Drawing) -> None:
    d.text(30, 310, "features", size=16, bold=True)
    _chain(d, 1, 325, ("SQS", "rebuild"), ("Lambda", "rebuild"))
    _chain(d, 3, 325, ("SQS", "features"), ("Lambda", "stream"))
    _box(d, _x(5), 325, "Step Functions", "backfill")
    for column in (2, 3, 5):
        _down(d, column, 275, 325)
    for column in (2, 4, 5):
        _down(d, column, 375, 410)
    d.text(_x(3) + 68, 306, "after the commit", size=12, colour=GREY)
    for at, asked_by in enumerate(("asked by load,", "stream, upkeep")):
        d.text(30, 346 + 18 * at, asked_by, size=13, colour=GREY)
    d.arrow((140, 350), (180, 350))
    _band(d, 410, "DynamoDB online", "states of entities, markers of applied records")


def _serving(d: Drawing) -> None:
    d.text(30, 488, "serving", size=16, bold=True)
    _down(d, 1, 454, 503)
    log = (("SQS", "predictions"), ("Lambda", "log"))
    _chain(d, 0, 503, ("API Gateway", "POST /predict"), ("Lambda", "predict"), *log)
    _chain(d, 2, 573, ("S3 inbox", "score/"), ("SQS", "scores"), ("Lambda", "score"))
    d.arrow((_x(3) + 118, 528), (955, 528))
    d.arrow((_x(4) + 118, 598), (955, 598), both=True)
    _down(d, 1, 650, 553)
    d.text(_x(1) + 68, 640, "routing", size=12, colour=GREY)
    _down(d, 4, 650, 623)
    _band(d, 650, "DynamoDB registry, metrics", "versions, routing, history; the checks of each day")


def _machine(d: Drawing, x: float, width: int, title: str, *names: str) -> None:
    fill, edge = COLOURS["Step Functions"]
    d.box(x, 745, width, 95, fill=fill, edge=edge)
    d.text(x + 10, 766, title, size=13, colour=edge, bold=True)
    pitch = (width - 6) // len(names)
    for at, name in enumerate(names):
        if at:
            d.arrow((x - 4 + at * pitch, 802), (x + 10 + at * pitch, 802))
        _box(d, x + 10 + at * pitch, 777, "Lambda", name, width=pitch - 14)


def _machines(d: Drawing) -> None:
    d.text(30, 728, "feedback, monitoring, release, retraining", size=16, bold=True)
    d.text(610, 728, "training, registry, release", size=16, bold=True)
    daily = "join", "check", "shadow", "review", "experiment", "decide"
    _machine(d, 20, 570, "Step Functions: daily, for each model", *daily)
    _machine(d, 610, 330, "Step Functions: training", "dataset", "fit", "register", "start")
    d.arrow((580, 802), (620, 802))
    for x in (430, 860):
        d.arrow((x, 694), (x, 745), both=True)
    d.arrow((930, 802), (955, 802), both=True)
    _box(d, 20, 870, "EventBridge", "01:00 UTC", width=112)
    _box(d, 170, 870, "CloudWatch", "alarms")
    _box(d, 470, 870, "SNS", "incidents")
    d.arrow((76, 870), (76, 827))
    d.arrow((182, 827), (182, 870))
    d.arrow((288, 895), (470, 895))
    d.arrow((535, 870), (535, 827))
    d.arrow((151, 840), (151, 945), both=True)
    d.text(610, 884, "decide starts a training; the review moves a release up or", size=13, colour=GREY)
    d.text(610, 904, "down; the guard looks at canaries every five minutes", size=13, colour=GREY)


def draw() -> str:
    """The picture."""
    d = Drawing(WIDTH, HEIGHT, "The loop on AWS services, by stage")
    _lake(d)
    _ingestion(d)
    _features(d)
    _serving(d)
    _machines(d)
    return d.svg()
