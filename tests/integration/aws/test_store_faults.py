"""DynamoDB behind a network that loses answers, and a DynamoDB that is busy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from contract.proxy import Detain, Fault, FaultyProxy, Lose, Pass, Refuse, Say, Stall
from crosswind.errors import Conflict, StoreError, Throttled, Unreachable
from crosswind.ports import Change, Item, Put
from crosswind.records.ledger import Ledger
from crosswind_aws.store import DynamoStore, table
from crosswind_local.aws_sites import AwsSite

TABLE = "crosswind-test"
IMPATIENT = 2.0
"""Seconds that a client of these tests waits for an answer: more than a busy machine takes."""


@pytest.fixture(scope="module")
def proxy(local_aws: AwsSite, aws_module_account: str) -> Iterator[FaultyProxy]:
    if local_aws.url is None:
        pytest.skip("a real DynamoDB is reached over TLS, which this proxy does not speak")
    boto3.client("dynamodb").create_table(**table(TABLE))
    with FaultyProxy(local_aws.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def client(proxy: FaultyProxy) -> Any:
    config = Config(
        read_timeout=IMPATIENT, connect_timeout=IMPATIENT, retries={"total_max_attempts": 1}
    )
    return boto3.client("dynamodb", endpoint_url=proxy.url, config=config)


@pytest.fixture
def store(proxy: FaultyProxy, client: Any) -> Iterator[DynamoStore]:
    """A store beyond the proxy."""
    proxy.plan([])
    yield DynamoStore(TABLE, client)
    proxy.plan([])
    proxy.release()


@pytest.fixture
def direct(proxy: FaultyProxy) -> DynamoStore:
    """The same store, reached by another on a network that works."""
    return DynamoStore(TABLE)


@pytest.fixture
def partition() -> str:
    return f"test:{uuid4().hex}"


def says(code: str, status: int = 400, **more: Any) -> Say:
    """An answer of DynamoDB that is an error."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    body = json.dumps({"__type": kind, "message": f"{code} of the test", **more})
    return Say(status, body.encode(), (("Content-Type", "application/x-amz-json-1.0"),))


def cancelled(*codes: str) -> Say:
    """A transaction that was cancelled, with a reason for each of its changes."""
    return says(
        "TransactionCanceledException",
        CancellationReasons=[{"Code": code, "Message": "of the test"} for code in codes],
    )


def sent(proxy: FaultyProxy) -> list[Any]:
    """The bodies of the requests that the proxy met."""
    return [json.loads(request.body) for request in proxy.requests]


ONE: list[Change] = [Put("run", b"mine")]
TWO: list[Change] = [Put("run", b"mine"), Put("head", b"open")]
sizes = pytest.mark.parametrize("changes", [ONE, TWO], ids=["one item", "two items"])
losses = pytest.mark.parametrize(
    "loss", [Lose(), Stall(2 * IMPATIENT), Refuse()], ids=["reset after", "too late", "reset"]
)


class TestLostAnswers:
    @sizes
    @losses
    def test_a_write_whose_answer_was_lost_is_repeated_and_knows_its_own(
        self,
        store: DynamoStore,
        proxy: FaultyProxy,
        partition: str,
        changes: list[Change],
        loss: Fault,
    ) -> None:
        proxy.plan([loss])

        versions = store.write(partition, changes, "my token")

        first, second = sent(proxy)
        assert first == second
        items = store.scan(partition)
        assert {item.key: item.version for item in items} == versions
        assert {item.token for item in items} == {"my token"}

    @sizes
    def test_a_write_that_is_never_answered_is_unreachable_and_may_have_landed(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str, changes: list[Change]
    ) -> None:
        proxy.plan([], then=Lose())

        with pytest.raises(Unreachable):
            store.write(partition, changes, "my token")

        proxy.plan([])
        with pytest.raises(Conflict) as conflict:
            store.write(partition, changes, "my token")
        assert conflict.value.written_by("my token")
        assert set(conflict.value.found) == {change.key for change in changes}

    @sizes
    def test_the_engine_s_own_repeat_ends_in_the_versions_that_stand_there(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str, changes: list[Change]
    ) -> None:
        proxy.plan([Lose(), Lose()])

        versions = Ledger(store, lambda: 0.0).write(partition, changes)

        assert versions == {item.key: item.version for item in store.scan(partition)}

    @sizes
    def test_a_write_that_never_arrives_is_unreachable_and_has_not_landed(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str, changes: list[Change]
    ) -> None:
        proxy.plan([], then=Refuse())

        with pytest.raises(Unreachable):
            store.write(partition, changes, "t")

        proxy.plan([])
        assert list(store.scan(partition)) == []

    def test_a_write_that_lands_late_finds_that_its_repeat_has_landed(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str
    ) -> None:
        proxy.plan([Detain()])
        version = store.write(partition, ONE, "my token")["run"]

        (late,) = proxy.release()

        assert late.status == 400
        assert b"ConditionalCheckFailed" in late.body
        assert store.read(partition, "run") == Item("run", b"mine", version, "my token")

    def test_a_write_that_lands_late_changes_nothing_that_has_gone_on(
        self, store: DynamoStore, direct: DynamoStore, proxy: FaultyProxy, partition: str
    ) -> None:
        first = store.write(partition, ONE, "first")["run"]
        proxy.plan([], then=Detain())
        with pytest.raises(Unreachable):
            store.write(partition, [Put("run", b"late", first)], "late")
        second = direct.write(partition, [Put("run", b"second", first)], "second")["run"]

        proxy.release()

        assert direct.read(partition, "run") == Item("run", b"second", second, "second")

    def test_a_lost_write_that_another_has_gone_on_from_meets_what_stands_there(
        self, store: DynamoStore, direct: DynamoStore, proxy: FaultyProxy, partition: str
    ) -> None:
        proxy.plan([], then=Lose())
        with pytest.raises(Unreachable):
            store.write(partition, ONE, "mine")
        mine = direct.read(partition, "run")
        assert mine is not None
        direct.write(partition, [Put("run", b"theirs", mine.version)], "theirs")
        proxy.plan([])

        with pytest.raises(Conflict) as conflict:
            store.write(partition, ONE, "mine")

        assert conflict.value.written_by("theirs")
        assert not conflict.value.written_by("mine")

    @losses
    def test_a_lost_read_is_asked_again(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str, loss: Fault
    ) -> None:
        store.write(partition, ONE, "t")

        proxy.plan([loss])
        assert store.read(partition, "run") is not None
        proxy.plan([loss])
        assert len(store.scan(partition)) == 1

    def test_a_store_that_does_not_answer_at_all_is_unreachable(self, store: DynamoStore) -> None:
        nowhere = boto3.client("dynamodb", endpoint_url="http://127.0.0.1:9")

        with pytest.raises(Unreachable):
            DynamoStore(TABLE, nowhere).read("p", "k")


class TestBusyDynamoDb:
    @pytest.mark.parametrize(
        "code",
        [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
            "TransactionConflictException",
        ],
    )
    def test_a_store_that_asks_for_patience_is_throttled_and_nothing_is_written(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str, code: str
    ) -> None:
        proxy.plan([], then=says(code))

        with pytest.raises(Throttled, match=code):
            store.write(partition, ONE, "t")
        with pytest.raises(Throttled, match=code):
            store.read(partition, "run")

        proxy.plan([])
        assert list(store.scan(partition)) == []

    @pytest.mark.parametrize(
        "code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
    )
    def test_a_transaction_that_met_another_is_throttled_and_no_conflict(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str, code: str
    ) -> None:
        proxy.plan([], then=cancelled(code, "None"))

        with pytest.raises(Throttled, match="TransactionCanceled"):
            store.write(partition, TWO, "t")

    def test_a_moment_s_throttling_is_waited_out(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str
    ) -> None:
        proxy.plan([says("ThrottlingException"), says("ThrottlingException")])

        store.write(partition, ONE, "t")

        assert len(proxy.requests) == 3
        assert store.read(partition, "run") is not None

    def test_where_not_every_demand_could_be_looked_at_it_is_asked_again_for_all(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str
    ) -> None:
        store.write(partition, TWO, "theirs")
        proxy.plan([cancelled("ConditionalCheckFailed", "TransactionConflict")])

        with pytest.raises(Conflict) as conflict:
            store.write(partition, TWO, "mine")

        assert set(conflict.value.found) == {"run", "head"}
        assert conflict.value.written_by("theirs")

    @pytest.mark.parametrize(
        "fault",
        [
            says("InternalServerError", 500),
            says("ServiceUnavailable", 503),
            says("TransactionInProgressException"),
            Say(502, b"<html>bad gateway</html>"),
        ],
        ids=["internal error", "unavailable", "in progress", "gateway"],
    )
    def test_an_error_that_tells_not_what_became_of_the_write_leaves_it_in_doubt(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str, fault: Say
    ) -> None:
        proxy.plan([], then=fault)
        with pytest.raises(Unreachable):
            store.write(partition, TWO, "t")

        proxy.plan([fault])
        store.write(partition, TWO, "t")

        assert len(proxy.requests) == 2

    def test_throttled_after_a_lost_answer_is_still_in_doubt(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str
    ) -> None:
        proxy.plan([Lose()], then=says("ThrottlingException"))

        with pytest.raises(Unreachable):
            store.write(partition, ONE, "t")

        proxy.plan([])
        assert store.read(partition, "run") is not None


class TestRefusals:
    def test_a_missing_table_is_one_clear_sentence(self, direct: DynamoStore) -> None:
        with pytest.raises(StoreError, match="there is no table nowhere in this region"):
            DynamoStore("nowhere").read("p", "k")

    def test_a_role_without_rights_is_one_clear_sentence(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str
    ) -> None:
        proxy.plan([says("AccessDeniedException")])

        with pytest.raises(StoreError, match="the role may not do this on table crosswind-test"):
            store.write(partition, ONE, "t")

        assert len(proxy.requests) == 1

    def test_a_lost_answer_is_not_turned_into_a_conflict_by_the_sdk(
        self, proxy: FaultyProxy, local_aws: AwsSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        ours = DynamoStore(TABLE)
        proxy.plan([Lose()])

        version = ours.write("test:ours", [Put("run", b"")], "t")["run"]

        assert len(proxy.requests) == 2
        item = ours.read("test:ours", "run")
        assert item is not None
        assert item.version == version

    def test_a_scan_goes_on_where_dynamodb_ends_its_page(
        self, store: DynamoStore, proxy: FaultyProxy, partition: str
    ) -> None:
        keys = [f"k{n}" for n in range(6)]
        for key in keys:
            store.write(partition, [Put(key, bytes(250_000))], "t")
        proxy.plan([Pass()])

        assert [item.key for item in store.scan(partition)] == keys
        assert len(proxy.requests) > 1

    def test_time_to_live_is_in_whole_seconds_and_never_early(
        self, store: DynamoStore, client: Any, partition: str
    ) -> None:
        store.write(partition, [Put("run", b"", expires=1_800_000_000.25)], "t")

        key = {"pk": {"S": partition}, "sk": {"S": "run"}}
        assert client.get_item(TableName=TABLE, Key=key)["Item"]["exp"] == {"N": "1800000001"}
