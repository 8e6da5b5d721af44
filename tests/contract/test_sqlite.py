"""The store and the bus in an SQLite file keep the contracts, also among processes that die."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.bus_contract import (
    RECOVERED,
    UNHEALTHY,
    BusContract,
    DuplicateContract,
    OrderContract,
    ids,
    message,
)
from contract.lines import Clock, EmbeddedLine, Line
from contract.processes import outputs, start
from contract.store_contract import StoreContract, held, put
from crosswind.buses.routing import Binding
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.ports import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    return folder / "crosswind state.sqlite"


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, path: Path) -> Iterator[Store]:
        with SqliteStore(path, timeout=30) as store:
            yield store

    @pytest.fixture
    def peer(self, store: Store, path: Path) -> Iterator[Store]:
        with SqliteStore(path, timeout=30) as peer:
            yield peer

    def test_processes_create_the_file_together_and_lose_no_update(self, path: Path) -> None:
        racers = [start("count", path, "test", "25") for _ in range(4)]

        assert outputs(racers) == [["25"]] * 4
        with SqliteStore(path) as store:
            assert held(store, "test") == {"counter": b"100"}

    def test_of_processes_that_race_to_put_one_item_exactly_one_wins(
        self, store: Store, path: Path
    ) -> None:
        racers = [start("claim", path, "test", "200") for _ in range(3)]

        claimed = sorted(key for keys in outputs(racers) for key in keys)

        assert claimed == [f"{n:04}" for n in range(200)]
        assert claimed == [item.key for item in store.scan("test", limit=1000)]

    def test_a_process_killed_in_mid_write_leaves_nothing_and_blocks_nobody(
        self, store: Store, path: Path
    ) -> None:
        put(store, "test", "before")

        assert outputs([start("die_writing", path, "test")], -signal.SIGKILL) == [["half"]]

        put(store, "test", "after")
        assert set(held(store, "test")) == {"before", "after"}


class TestSqliteBus(BusContract, OrderContract, DuplicateContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def line(self, path: Path, clock: Clock) -> Iterator[Line]:
        with SqliteBus(path, clock=clock, max_receipts=3) as bus:
            yield EmbeddedLine(bus, clock, 3)

    def test_processes_share_out_what_waits(self, path: Path) -> None:
        names = [f"{n:04}" for n in range(200)]
        with SqliteBus(path) as bus:
            bus.bind("ops", [Binding(UNHEALTHY)])
            bus.publish([message(name) for name in names])

            racers = [start("drain", path, "ops") for _ in range(3)]

            assert sorted(name for drained in outputs(racers) for name in drained) == names
            assert bus.depth("ops") == 0

    def test_a_group_bound_by_another_process_receives_what_this_one_publishes(
        self, path: Path
    ) -> None:
        with SqliteBus(path) as bus:
            bus.bind("ops", [Binding(UNHEALTHY)])
            bus.publish([message("1", RECOVERED)])

            outputs([start("bind", path, "ops", RECOVERED)])
            bus.publish([message("2", RECOVERED), message("3", UNHEALTHY)])

            assert ids(bus.receive("ops")) == ["2"]

    def test_what_a_killed_process_was_working_on_comes_again(self, path: Path) -> None:
        later = 0.0
        with SqliteBus(path, clock=lambda: time.time() + later) as bus:
            bus.bind("ops", [Binding(UNHEALTHY)])
            bus.publish([message("1")])

            dead = outputs([start("die_receiving", path, "ops")], -signal.SIGKILL)

            assert dead == [["1"]]
            assert bus.receive("ops") == []
            later = 61.0
            (again,) = bus.receive("ops")
            assert again.delivery.id == "1"
            assert again.delivery.receipts == 2

    def test_store_and_bus_may_share_one_file(self, path: Path, line: Line) -> None:
        with SqliteStore(path) as store:
            put(store, "test", "key")
            line.bind("ops", Binding(UNHEALTHY))
            line.bus.publish([message("1")])

            assert set(held(store, "test")) == {"key"}
            assert ids(line.receive("ops")) == ["1"]
