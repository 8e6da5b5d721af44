"""State in one table of DynamoDB.

A decision is one conditional PutItem; several changes are one TransactWriteItems. Each write makes
a version that no other write has, so that whatever stands there can be compared with it: an item
of our own version means that an earlier attempt had landed and its answer was lost.

    pk  partition    sk  key    body  value    ver  version    tok  token    exp  time to live

Sources: docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
(ReturnValuesOnConditionCheckFailure), API_TransactWriteItems.html (ClientRequestToken, limits),
API_Query.html (pages of 1 MB), and .../developerguide/TTL.html (seconds, removed within days).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from crosswind.errors import Conflict
from crosswind.limits import check_read, check_scan, check_write, span
from crosswind.patience import persistently
from crosswind.ports import ABSENT, Change, Check, Delete, Item, Put
from crosswind.records.ledger import fresh_token
from crosswind_aws import clients
from crosswind_aws.faults import FAILED, SERVICE, code_of, meaning, reasons, refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION: Final = "pk"
KEY: Final = "sk"
EXPIRES: Final = "exp"
"""The attribute that a table's time to live is set to."""

_VERBS: Final[dict[type[Change], str]] = {Put: "Put", Delete: "Delete", Check: "ConditionCheck"}
_IS_ABSENT: Final = {"ConditionExpression": "attribute_not_exists(pk)"}
_OLD: Final = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def table(name: str) -> dict[str, Any]:
    """The arguments of CreateTable for a store's table."""
    return {
        "TableName": name,
        "AttributeDefinitions": [
            {"AttributeName": PARTITION, "AttributeType": "S"},
            {"AttributeName": KEY, "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": PARTITION, "KeyType": "HASH"},
            {"AttributeName": KEY, "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }


class DynamoStore:
    """State in a table of DynamoDB; see `Store` for its promises. Threads may share it.

    Args:
        table: the table's name.
        client: of DynamoDB; it must not repeat requests by itself.
    """

    def __init__(self, table: str, client: DynamoDBClient | None = None) -> None:
        self.table = table
        # Its methods take literal types; what is built here is checked by the contract.
        self._client: Any = client or clients.dynamodb()

    def read(self, partition: str, key: str) -> Item | None:
        """See `Store.read`."""
        check_read(partition, key)
        answer = self._ask("get_item", Key=_key(partition, key), ConsistentRead=True)
        return _item(answer.get("Item"))

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        """See `Store.scan`."""
        check_scan(partition, prefix, after, limit)
        low, high = span(prefix, after)
        found: list[Item] = []
        if low >= high:
            return found
        query = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            # BETWEEN includes its ends; no key can be the high one.
            "ExpressionAttributeValues": {
                ":pk": {"S": partition},
                ":low": {"S": low},
                ":high": {"S": high},
            },
            "ConsistentRead": True,
        }
        while True:
            answer = self._ask("query", **query, Limit=limit - len(found))
            found += [item for raw in answer["Items"] if (item := _item(raw)) is not None]
            last = answer.get("LastEvaluatedKey")
            if last is None or len(found) >= limit:
                return found
            query["ExclusiveStartKey"] = last

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        check_write(partition, changes, token)
        version = fresh_token()
        try:
            if len(changes) == 1:
                (change,) = changes
                self._request("put_item", _stated(self.table, partition, change, version, token))
            else:
                self._transact(partition, changes, version, token)
        except ClientError as error:
            found = _found(error, changes)
            if not found:
                raise refused(error, self.table) from error
            # What stands there by our version was put by an attempt whose answer was lost.
            if not any(item is not None and item.version == version for item in found.values()):
                raise Conflict(found) from error
        return {change.key: version for change in changes if isinstance(change, Put)}

    def _transact(
        self, partition: str, changes: Sequence[Change], version: str, token: str
    ) -> None:
        items = [
            {_VERBS[type(change)]: _stated(self.table, partition, change, version, token)}
            for change in changes
        ]
        # Made anew for every write: AWS would take another write by the same one for a mistake.
        self._request(
            "transact_write_items", {"TransactItems": items, "ClientRequestToken": str(uuid4())}
        )

    def _ask(self, method: str, **arguments: Any) -> Any:
        try:
            return self._request(method, {"TableName": self.table, **arguments})
        except ClientError as error:
            raise refused(error, self.table) from error

    def _request(self, method: str, arguments: Mapping[str, Any]) -> Any:
        call = getattr(self._client, method)
        return persistently(lambda: call(**arguments), meaning, SERVICE)


def _key(partition: str, key: str) -> dict[str, Any]:
    return {PARTITION: {"S": partition}, KEY: {"S": key}}


def _stated(table: str, partition: str, change: Change, version: str, token: str) -> dict[str, Any]:
    """One change, as both PutItem and TransactWriteItems state it."""
    stated: dict[str, Any] = {"TableName": table, **_OLD, **_demand(change.expect)}
    if not isinstance(change, Put):
        stated["Key"] = _key(partition, change.key)
        return stated
    stated["Item"] = {
        **_key(partition, change.key),
        "body": {"B": change.value},
        "ver": {"S": version},
        "tok": {"S": token},
    }
    if change.expires is not None:
        # Rounded up: an item is never removed before its time.
        stated["Item"][EXPIRES] = {"N": str(math.ceil(change.expires))}
    return stated


def _demand(expect: str) -> dict[str, Any]:
    if expect == ABSENT:
        return _IS_ABSENT
    return {
        "ConditionExpression": "ver = :ver",
        "ExpressionAttributeValues": {":ver": {"S": expect}},
    }


def _found(error: ClientError, changes: Sequence[Change]) -> dict[str, Item | None]:
    """What stands where a demand failed; nothing where that is not what the error says."""
    if code_of(error) == f"{FAILED}Exception":
        return {changes[0].key: _item(error.response.get("Item"))}
    return {
        change.key: _item(reason.get("Item"))
        for change, reason in zip(changes, reasons(error), strict=False)
        if reason.get("Code") == FAILED
    }


def _item(raw: Any) -> Item | None:
    if not raw:
        return None
    return Item(raw[KEY]["S"], bytes(raw["body"]["B"]), raw["ver"]["S"], raw["tok"]["S"])
