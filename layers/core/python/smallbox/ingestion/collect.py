"""Records over HTTPS: accepted ones to the queue, rejected ones to quarantine, an answer for each."""

from collections.abc import Mapping
from typing import Any

from smallbox.define.project import Project
from smallbox.ingestion.body import parse_events
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.quarantine import Quarantine
from smallbox.messages.records import pack_records
from smallbox.ports import Queue
from smallbox.times import Moment


class CollectTask:
    """Takes one HTTPS body at a time."""

    def __init__(self, project: Project, queue: Queue, quarantine: Quarantine) -> None:
        self._project = project
        self._queue = queue
        self._quarantine = quarantine

    def collect(
        self, source: str, body: str | bytes, content_type: str | None, moment: Moment, request_id: str
    ) -> Mapping[str, Any]:
        """Check every record; an accepted one is durably queued when this returns.

        Args:
            source: the source's name.
            body: the request's body.
            content_type: its content type.
            moment: the present, or a replay's, which then rides with the messages.
            request_id: names the rejected records in quarantine.

        Returns:
            ``accepted``, a number, and ``rejected``: index, field, rule, value and message of each.

        Raises:
            NotFound: no such source.
            MalformedBody, UnsupportedType, TooLarge: the body is not what the route takes.
        """
        contract = self._project.source(source)
        records, rejections = check_all(contract, parse_events(body, content_type), moment.at)
        self._quarantine.add(source, request_id, rejections, moment.at)
        self._queue.send(pack_records(records, as_of=moment.at if moment.is_replayed else None))
        return {"accepted": len(records), "rejected": [r.as_json() for r in rejections]}
