"""What the embedded stores can do beyond the contract, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind.embedded import sqlite_store
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.errors import InvalidRequest
from crosswind.ports import Delete, Put
from unit.embedded.plans import plan, steps

Embedded = MemoryStore | SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Embedded]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        with SqliteStore(tmp_path / "state.sqlite") as store:
            yield store


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "state.sqlite") as store:
        yield store


def fill(store: SqliteStore, items: int) -> None:
    """A journal of chains with ten items each, quicker than by writing it."""
    with store._database.transaction() as connection:
        connection.execute(
            """INSERT INTO items (partition, key, version, token, expires, value)
            WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
            SELECT printf('chain:%08x', i / 10), printf('run:%d', i % 10), 'v', 't', 1e10, x'00'
            FROM n""",
            (items,),
        )


# Partitions


def test_partitions_that_hold_items_are_listed_in_order_and_by_page(store: Embedded) -> None:
    names = ["chain:2", "chain:1", "chain:10", "fleet:main", "chain", "chain:~"]
    for name in names:
        store.write(name, [Put("a", b""), Put("b", b"")], "t")
    version = store.write("chain:gone", [Put("a", b"")], "t")["a"]
    store.write("chain:gone", [Delete("a", version), Put("b", b"")], "t")

    assert store.partitions() == sorted([*names, "chain:gone"])
    assert store.partitions("chain:") == ["chain:1", "chain:10", "chain:2", "chain:gone", "chain:~"]
    assert store.partitions("chain:", limit=2) == ["chain:1", "chain:10"]
    assert store.partitions("chain:", "chain:10", 2) == ["chain:2", "chain:gone"]
    assert store.partitions("flight:") == []


def test_an_emptied_partition_is_not_listed(store: Embedded) -> None:
    store.write("p", [Put("a", b"", expires=1)], "t")
    assert store.partitions() == ["p"]

    store.purge(2)

    assert store.partitions() == []


def test_partitions_are_asked_for_with_allowed_names(store: Embedded) -> None:
    with pytest.raises(InvalidRequest, match=r"prefix 'a/b'.*; after 'c%'.*; limit 0"):
        store.partitions("a/b", "c%", 0)


# Expiry


def test_a_purge_removes_what_has_expired_and_nothing_else(store: Embedded) -> None:
    store.write("p", [Put("old", b"", expires=10), Put("new", b"", expires=11.5)], "t")
    store.write("q", [Put("old", b"", expires=1), Put("kept", b"")], "t")

    assert store.purge(11) == 2

    assert [item.key for item in store.scan("p")] == ["new"]
    assert [item.key for item in store.scan("q")] == ["kept"]
    assert store.purge(11) == 0


def test_the_last_put_says_when_an_item_expires(store: Embedded) -> None:
    versions = store.write("p", [Put(key, b"", expires=10) for key in "abc"], "t")
    store.write(
        "p",
        [Put("a", b"", versions["a"], expires=20), Put("b", b"", versions["b"]), Put("d", b"")],
        "t",
    )

    assert store.purge(15) == 1
    assert [item.key for item in store.scan("p")] == ["a", "b", "d"]


def test_what_was_not_due_at_one_purge_goes_with_a_later_one(store: Embedded) -> None:
    versions = store.write(
        "p", [Put(key, b"", expires=at) for key, at in zip("abc", (1, 5, 9), strict=True)], "t"
    )
    assert store.purge(1) == 1
    assert store.purge(4) == 0

    # Put again to expire earlier than all that the last purge has left.
    store.write("p", [Put("c", b"", versions["c"], expires=4.5)], "t")

    assert store.purge(4.5) == 1
    assert store.purge(5) == 1
    assert store.partitions() == []


def test_what_has_expired_can_be_put_again_and_has_another_version(store: Embedded) -> None:
    first = store.write("p", [Put("a", b"", expires=10)], "t")
    store.purge(10)

    assert store.write("p", [Put("a", b"")], "t") != first


def test_a_purge_walks_over_a_journal_of_many_items(sqlite: SqliteStore) -> None:
    fill(sqlite, 5_000)
    with sqlite._database.transaction() as connection:
        connection.execute("UPDATE items SET expires = 5 WHERE rowid % 1000 = 7")

    assert sqlite.purge(10) == 5
    assert sqlite.purge(2e10) == 4_995


def test_a_purge_that_removes_nothing_needs_no_lock(sqlite: SqliteStore, tmp_path: Path) -> None:
    fill(sqlite, 10)
    with SqliteStore(tmp_path / "state.sqlite", timeout=0) as other, sqlite._database.transaction():
        assert other.purge(1) == 0


# Cost


def test_every_statement_of_the_store_finds_its_rows_by_index(sqlite: SqliteStore) -> None:
    key = "SEARCH items USING INDEX sqlite_autoindex_items_1 (partition=? AND key=?)"
    for statement, parameters in (
        (sqlite_store.READ, ("p", "k")),
        (sqlite_store.UPDATE, ("v", "t", None, b"", "p", "k", "v")),
        (sqlite_store.DELETE, ("p", "k", "v")),
    ):
        assert plan(sqlite._database, statement, parameters) == [key]
    assert plan(sqlite._database, sqlite_store.SCAN, ("p", "a", "b", 100)) == [
        "SEARCH items USING INDEX sqlite_autoindex_items_1 (partition=? AND key>? AND key<?)"
    ]
    assert plan(sqlite._database, sqlite_store.PURGE, (0, 1000, 1.0)) == [
        "SEARCH items USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
    ]


def test_the_cost_of_a_decision_does_not_grow_with_the_journal(sqlite: SqliteStore) -> None:
    def decide(chain: str) -> None:
        versions = sqlite.write(chain, [Put("head", b""), Put("run:x", b"")], "t")
        sqlite.write(chain, [Put("run:x", b"", versions["run:x"])], "t")
        sqlite.read(chain, "run:x")
        sqlite.scan(chain, "run:", limit=3)

    small = steps(sqlite._database, lambda: decide("chain:00000000:a"))
    fill(sqlite, 100_000)

    assert small > 0
    assert steps(sqlite._database, lambda: decide("chain:00000000:b")) <= small + 10


def test_listing_partitions_costs_by_the_partition_not_by_the_item(sqlite: SqliteStore) -> None:
    def cost() -> int:
        return steps(sqlite._database, lambda: sqlite.partitions("few:"))

    sqlite.write("few:1", [Put("0", b"")], "t")
    sqlite.write("few:2", [Put("0", b"")], "t")
    small = cost()
    for n in range(1, 30):
        sqlite.write("few:1", [Put(f"{n}:{m}", b"") for m in range(90)], "t")

    assert cost() <= small + 10
