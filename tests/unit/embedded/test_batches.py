"""A batch: several writes in one transaction of SQLite, each still with an answer of its own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind.buses.routing import Binding
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.errors import Conflict, StoreError, Throttled, Unreachable
from crosswind.ports import ABSENT, Batching, Check, Message, Put
from crosswind.records.ledger import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(path) as store:
        yield store


def stored(path: Path) -> list[str]:
    """Keys, as another process sees them."""
    other = sqlite3.connect(path)
    found = [key for (key,) in other.execute("SELECT key FROM items ORDER BY key")]
    other.close()
    return found


def test_the_writes_of_a_batch_are_seen_by_others_together_at_its_end(
    store: SqliteStore, path: Path
) -> None:
    with store.batch():
        store.write("p", [Put("a", b"")], "t")
        store.write("q", [Put("b", b""), Put("c", b"")], "t")
        assert store.read("p", "a") is not None
        assert stored(path) == []

    assert stored(path) == ["a", "b", "c"]


def test_a_conflict_in_a_batch_undoes_its_own_write_and_no_other(store: SqliteStore) -> None:
    store.write("p", [Put("taken", b"first")], "t")

    with store.batch():
        store.write("p", [Put("a", b"")], "t")
        with pytest.raises(Conflict) as conflict:
            store.write("p", [Put("half", b""), Put("taken", b"second")], "t")
        with pytest.raises(Conflict):
            store.write("p", [Put("taken", b"third")], "t")
        store.write("p", [Check("half", ABSENT), Put("b", b"")], "t")

    assert set(conflict.value.found) == {"taken"}
    assert {item.key: item.value for item in store.scan("p")} == {
        "a": b"",
        "b": b"",
        "taken": b"first",
    }


def test_an_error_that_leaves_a_batch_undoes_all_of_it(store: SqliteStore, path: Path) -> None:
    def interrupted() -> None:
        with store.batch():
            store.write("p", [Put("a", b"")], "t")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert stored(path) == []
    store.write("p", [Put("a", b"")], "t")
    assert stored(path) == ["a"]


def test_what_sqlite_fails_with_spoils_a_batch_even_where_it_is_caught(
    store: SqliteStore, path: Path
) -> None:
    def spoil() -> None:
        with store.database.connection() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 10}")
        with store.batch():
            store.write("p", [Put("small", b"")], "t")
            with pytest.raises(Unreachable, match="disk is full"):
                store.write("p", [Put("large", bytes(300_000))], "t")
            with pytest.raises(Unreachable, match="disk is full"):
                store.write("p", [Put("after", b"")], "t")

    with pytest.raises(Unreachable, match="disk is full") as error:
        spoil()

    assert isinstance(error.value.__cause__, sqlite3.Error)
    assert stored(path) == []
    # The connection that failed is not used again.
    store.write("p", [Put("large", bytes(300_000))], "t")


def test_a_batch_within_a_batch_is_part_of_it(store: SqliteStore, path: Path) -> None:
    with store.batch():
        with store.batch():
            store.write("p", [Put("a", b"")], "t")
        assert stored(path) == []

    assert stored(path) == ["a"]


def test_a_batch_that_cannot_begin_is_throttled(store: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        SqliteStore(path, timeout=0) as impatient,
        pytest.raises(Throttled, match="locked"),
        impatient.batch(),
    ):
        pass
    other.close()


def test_a_batch_of_a_closed_store_is_refused(path: Path) -> None:
    store = SqliteStore(path)
    store.close()

    with pytest.raises(StoreError, match="has been closed"), store.batch():
        pass


def test_a_ledger_does_without_batches_where_a_store_has_none(store: SqliteStore) -> None:
    memory = MemoryStore()
    assert isinstance(store, Batching)
    assert not isinstance(memory, Batching)

    for each in (store, memory):
        ledger = Ledger(each, time.time)
        with ledger.batch():
            ledger.write("p", [Put("a", b"")])
        assert ledger.read("p", "a") is not None


def test_versions_never_recur_though_a_process_forks(store: SqliteStore) -> None:
    names = {store.database.fresh() for _ in range(100)}

    assert len(names) == 100
    assert {len(name) for name in names} == {32}


# A bus that shares the file of a store


def test_a_bus_on_a_store_shares_its_file_and_its_batches(store: SqliteStore, path: Path) -> None:
    bus = SqliteBus(store)
    bus.bind("ops", [Binding("t.v1")])

    with store.batch():
        store.write("p", [Put("a", b"")], "t")
        bus.publish([Message("1", b"{}", {"type": "t.v1"})])
        with SqliteBus(path) as other:
            assert other.depth("ops") == 0

    with SqliteBus(path) as other:
        assert other.depth("ops") == 1


def test_closing_a_bus_leaves_the_store_that_it_shares_open(store: SqliteStore) -> None:
    with SqliteBus(store) as bus:
        assert bus.depth("ops") == 0
    store.write("p", [Put("a", b"")], "t")

    store.close()

    with pytest.raises(StoreError, match="has been closed"):
        bus.depth("ops")
