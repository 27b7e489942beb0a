"""``ingestion/collect``: validates records sent over HTTPS, queues accepted ones and quarantines rejected ones."""

from collections.abc import Mapping
from typing import Any

from smallbox.define.project import Project
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.http_body import parse_events
from smallbox.ingestion.quarantine import Quarantine
from smallbox.messages.records import pack_records
from smallbox.ports import Queue
from smallbox.times import Moment


class CollectTask:
    """Validates and queues the records of one HTTPS request at a time."""

    def __init__(self, project: Project, queue: Queue, quarantine: Quarantine) -> None:
        self._project = project
        self._queue = queue
        self._quarantine = quarantine

    def collect(
        self, source: str, body: str | bytes, content_type: str | None, moment: Moment, request_id: str
    ) -> Mapping[str, Any]:
        """Validate every record; accepted records are durably queued when this returns.

        Args:
            source: the source's name.
            body: the request's body.
            content_type: its content type.
            moment: the present, or the moment of a replay; the messages then carry it as ``as_of``.
            request_id: names the batch of rejected records in quarantine.

        Returns:
            ``accepted``: a number. ``rejected``: index, field, rule, value and message of each rejected record.

        Raises:
            NotFound: there is no such source.
            MalformedBody, UnsupportedType, TooLarge: see :func:`~smallbox.ingestion.http_body.parse_events`.
        """
        contract = self._project.source(source)
        records, rejections = check_all(contract, parse_events(body, content_type), moment.at)
        self._quarantine.add(source, request_id, rejections, moment.at)
        self._queue.send(pack_records(records, as_of=moment.at if moment.is_replayed else None))
        return {"accepted": len(records), "rejected": [r.as_json() for r in rejections]}
