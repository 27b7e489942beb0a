"""A source's contract as a document, and its version."""

import hashlib
import json
from typing import Final

from smallbox.define.fields import Field
from smallbox.define.source import Source
from smallbox.documents.deployed_contracts import ContractDocument, ContractField

_DIGITS: Final = 12


def contract_of_source(source: Source) -> ContractDocument:
    """The contract of a source: what senders of records, and readers of the lake, rely on.

    Equal contracts give equal documents, however they are written: ``"60m"`` is ``"1h"``, and choices have no order.
    Lateness, volume and freshness are no part of it: no record is refused because of them.
    """
    return {
        "key": source.key,
        "time": source.time,
        "known_after": source.known_after_micros,
        "fields": {name: _field(field) for name, field in source.fields.items()},
    }


def _field(field: Field) -> ContractField:
    return {
        "type": field.type,
        "nullable": field.nullable,
        "minimum": None if field.minimum is None else float(field.minimum),
        "maximum": None if field.maximum is None else float(field.maximum),
        "choices": sorted(set(field.choices)),
        "pattern": field.pattern,
        "unit": field.unit,
        "pii": field.pii,
    }


def contract_version(document: ContractDocument) -> str:
    """The version of a contract: a hash of its content, 12 hexadecimal digits.

    The order of fields changes nothing. A unit does: it says what a number means.
    """
    content = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:_DIGITS]
