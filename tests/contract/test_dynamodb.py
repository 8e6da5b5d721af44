"""The store in DynamoDB keeps the contract, also among processes."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import boto3
import pytest

from contract.processes import outputs, start
from contract.store_contract import StoreContract, held
from crosswind.ports import Store
from crosswind_aws.store import DynamoStore, table

TABLE = f"crosswind-test-{uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def clients(aws_module_account: str) -> Iterator[tuple[Store, Store]]:
    """Two clients of one table."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(**table(TABLE))
    dynamodb.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})
    yield DynamoStore(TABLE), DynamoStore(TABLE)
    dynamodb.delete_table(TableName=TABLE)


class TestDynamoStore(StoreContract):
    examples = 15
    rounds = 25

    @pytest.fixture
    def store(self, clients: tuple[Store, Store]) -> Store:
        return clients[0]

    @pytest.fixture
    def peer(self, clients: tuple[Store, Store]) -> Store:
        return clients[1]

    def test_processes_lose_no_update(self, store: Store, partition: str) -> None:
        racers = [start("count", f"dynamodb:{TABLE}", partition, "15") for _ in range(3)]

        assert outputs(racers) == [["15"]] * 3
        assert held(store, partition) == {"counter": b"45"}

    def test_of_processes_that_race_to_put_one_item_exactly_one_wins(
        self, store: Store, partition: str
    ) -> None:
        racers = [start("claim", f"dynamodb:{TABLE}", partition, "60") for _ in range(3)]

        claimed = sorted(key for keys in outputs(racers) for key in keys)

        assert claimed == [f"{n:04}" for n in range(60)]
        assert claimed == [item.key for item in store.scan(partition, limit=1000)]
