"""The ``Documents`` port on a DynamoDB table with partition key ``pk`` and sort key ``sk``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from smallbox.aws.clients import aws_errors, client, code_of, reason_of
from smallbox.errors import Conflict, SmallboxError, Unavailable
from smallbox.times import Micros


@contextmanager
def _translated(partition: str, sort: str) -> Iterator[None]:
    try:
        yield
    except SmallboxError:
        raise
    except aws_errors() as error:
        if code_of(error) == "ConditionalCheckFailedException":
            raise Conflict(f"another writer changed {partition} {sort}; read it again, then retry") from error
        raise Unavailable(f"DynamoDB did not answer for {partition} {sort}: {reason_of(error)}") from error


def _document(item: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(item["document"]["S"])
    if "revision" in item:
        document["revision"] = int(item["revision"]["N"])
    return document


class DynamoDocuments:
    """The ``Documents`` port on one table. A document is stored as one JSON text, so numbers keep their type.

    Args:
        table: the table's name.
        dynamodb: a boto3 client or an equivalent; by default the process's own.
        reads: another client for ``get_item``, like :mod:`smallbox.aws.signed.dynamodb`; by default ``dynamodb``.
    """

    def __init__(self, table: str, dynamodb: Any = None, reads: Any = None) -> None:
        self._table = table
        self._given = dynamodb
        self._reads = reads or self._dynamodb

    @property
    def _dynamodb(self) -> Any:
        return self._given or client("dynamodb")

    def get(self, partition: str, sort: str, within: Micros | None = None) -> Mapping[str, Any] | None:
        """One document, by a consistent read; ``within`` needs signed ``reads``."""
        limited = {} if within is None else {"within": within}
        with _translated(partition, sort):
            key = {"pk": {"S": partition}, "sk": {"S": sort}}
            item = self._reads.get_item(TableName=self._table, Key=key, ConsistentRead=True, **limited).get("Item")
        return None if item is None else _document(item)

    def query(self, partition: str, prefix: str = "") -> Sequence[Mapping[str, Any]]:
        """The documents of a partition whose sort key has the prefix, ordered by sort key."""
        condition, values = "pk = :p", {":p": {"S": partition}}
        if prefix:
            condition, values = condition + " AND begins_with(sk, :s)", {**values, ":s": {"S": prefix}}
        with _translated(partition, prefix):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            )
            return [_document(item) for page in pages for item in page["Items"]]

    def put(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        """Write or overwrite a document."""
        self._put(partition, sort, document)

    def put_new(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        """Conditional write: raises ``Conflict`` when the document exists already."""
        self._put(partition, sort, document, ConditionExpression="attribute_not_exists(pk)")

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        """Conditional write: replace the document if its revision is still this one."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if revision:
            condition = {
                "ConditionExpression": "revision = :r",
                "ExpressionAttributeValues": {":r": {"N": str(revision)}},
            }
        self._put(partition, sort, document, revision + 1, **condition)

    def _put(
        self, partition: str, sort: str, document: Mapping[str, Any], revision: int | None = None, **condition: Any
    ) -> None:
        content = {name: value for name, value in document.items() if name != "revision"}
        item = {"pk": {"S": partition}, "sk": {"S": sort}, "document": {"S": json.dumps(content)}}
        if revision is not None:
            item["revision"] = {"N": str(revision)}
        with _translated(partition, sort):
            self._dynamodb.put_item(TableName=self._table, Item=item, **condition)
