"""JSON documents in a DynamoDB table with a partition key ``pk`` and a sort key ``sk``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from smallbox.aws.clients import AwsErrors, client, code_of, reason_of
from smallbox.errors import Conflict, Unavailable


@contextmanager
def _translated(partition: str, sort: str) -> Iterator[None]:
    try:
        yield
    except AwsErrors as error:
        if code_of(error) == "ConditionalCheckFailedException":
            raise Conflict(f"{partition} {sort} was written by somebody else; read it again") from error
        raise Unavailable(f"DynamoDB did not answer for {partition} {sort}: {reason_of(error)}") from error


def _document(item: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(item["document"]["S"])
    if "revision" in item:
        document["revision"] = int(item["revision"]["N"])
    return document


class DynamoDocuments:
    """The ``Documents`` port on one table: a document is one JSON text, so a number stays what it was.

    Args:
        table: the table's name.
        dynamodb: boto3's client, or one like it; the process's own unless given.
        reads: what ``get_item`` is asked of, where that is another client: see :mod:`smallbox.aws.dynamodb.client`.
    """

    def __init__(self, table: str, dynamodb: Any = None, reads: Any = None) -> None:
        self._table = table
        self._dynamodb = dynamodb or client("dynamodb")
        self._reads = reads or self._dynamodb

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        """One document, read consistently."""
        with _translated(partition, sort):
            key = {"pk": {"S": partition}, "sk": {"S": sort}}
            item = self._reads.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return None if item is None else _document(item)

    def query(self, partition: str, prefix: str = "") -> Sequence[Mapping[str, Any]]:
        """The documents whose sort key has the prefix, in its order."""
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
        """Write a document that is not there yet."""
        self._put(partition, sort, document, ConditionExpression="attribute_not_exists(pk)")

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        """Overwrite the document if its revision is still that number."""
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
