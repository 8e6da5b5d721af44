"""One file for all: who may open it, what its errors mean, and what a fork does."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crosswind.embedded.database import Database
from crosswind.embedded.schema import SCHEMA_VERSION
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.errors import NotAccepted, StoreError, Throttled, Unreachable
from crosswind.ports import Message, Put

MESSAGE = Message("1", b"{}", {"type": "t.v1", "group": "ops"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def raw(path: Path) -> sqlite3.Connection:
    """A connection of somebody else, who does not wait."""
    return sqlite3.connect(path, isolation_level=None, timeout=0)


# Opening


def test_the_file_is_created_with_a_write_ahead_log(path: Path) -> None:
    database = Database(path, 5)
    with database.connection() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
    database.close()

    assert path.exists()


def test_what_was_written_is_there_when_the_file_is_opened_again(path: Path) -> None:
    with SqliteStore(path) as store:
        store.write("p", [Put("key", b"value")], "t")
        before = store.read("p", "key")

    with SqliteStore(str(path)) as store:
        assert store.read("p", "key") == before


def test_a_change_of_folder_does_not_lead_to_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    with SqliteStore("state.sqlite") as store, ThreadPoolExecutor(1) as pool:
        monkeypatch.chdir(elsewhere)
        with store._database.connection():  # keeps the first connection busy
            pool.submit(store.write, "p", [Put("key", b"")], "t").result()

    assert list(elsewhere.iterdir()) == []


def test_a_name_that_sqlite_would_read_as_syntax_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:state.sqlite?mode=memory"):
        SqliteStore(name).close()
        assert (tmp_path / name).exists()


def test_a_copy_that_lost_the_mode_gets_it_back(path: Path, tmp_path: Path) -> None:
    with SqliteStore(path) as store:
        store.write("p", [Put("key", b"value")], "t")
    copy = tmp_path / "copy.sqlite"
    connection = raw(path)
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()

    with SqliteStore(copy) as store:
        assert store.read("p", "key") is not None
        with store._database.connection() as inside:
            assert inside.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_of_a_newer_release_is_refused_and_left_alone(path: Path) -> None:
    SqliteStore(path).close()
    connection = raw(path)
    connection.execute("UPDATE crosswind SET value = ? WHERE name = 'schema'", (99,))
    connection.close()

    refused = f"schema 99, this one knows {SCHEMA_VERSION}.*upgrade"
    with pytest.raises(StoreError, match=refused) as error:
        SqliteStore(path)

    # SQLite ends a write-ahead log only where nobody else has the file open.
    connection = raw(path)
    assert connection.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",), error
    connection.close()


def test_a_file_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    connection = raw(path)
    connection.execute("CREATE TABLE theirs (id)")
    before = path.read_bytes()
    connection.close()

    with pytest.raises(StoreError, match="belongs to another program"):
        SqliteStore(path)

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"not a database\n" * 100)

    with pytest.raises(StoreError, match="not an SQLite database") as error:
        SqliteStore(path)

    assert isinstance(error.value.__cause__, sqlite3.DatabaseError)
    assert path.read_bytes() == b"not a database\n" * 100


def test_a_damaged_file_is_an_error_that_says_so(path: Path) -> None:
    with SqliteStore(path) as store:
        for n in range(50):
            store.write("p", [Put(f"{n}", bytes(3000))], "t")
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)
    path.write_bytes(damaged)

    with pytest.raises(StoreError, match="damaged"):
        SqliteStore(path)


def test_a_file_in_no_folder_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="does its folder exist") as error:
        SqliteStore(tmp_path / "none" / "state.sqlite")

    assert isinstance(error.value.__cause__, sqlite3.OperationalError)


def test_threads_that_create_the_file_together_find_one_schema(path: Path) -> None:
    together = threading.Barrier(6)

    def open_and_put(n: int) -> None:
        together.wait(10)
        with SqliteStore(path) as store:
            store.write("p", [Put(f"{n}", b"")], "t")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_and_put, range(6)))

    with SqliteStore(path) as store:
        assert len(store.scan("p")) == 6


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_opening_waits_for_somebody_who_creates_the_file(path: Path, lock: str) -> None:
    other = raw(path)
    other.execute(f"BEGIN {lock}")
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(SqliteStore, path)
        time.sleep(0.05)
        assert not opening.done()
        other.execute("COMMIT")
        opening.result(10).close()
    other.close()


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_opening_does_not_wait_for_ever(path: Path, lock: str) -> None:
    other = raw(path)
    other.execute(f"BEGIN {lock}")

    with pytest.raises(Throttled):
        SqliteStore(path, timeout=0.02)

    other.close()


def test_who_finds_the_tables_made_meanwhile_makes_none(path: Path) -> None:
    # Holds the write lock of an empty file in WAL mode, as a quicker process does.
    quicker = raw(path)
    quicker.execute("PRAGMA journal_mode=WAL")
    quicker.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(SqliteStore, path)
        time.sleep(0.05)
        quicker.execute("CREATE TABLE crosswind (name TEXT PRIMARY KEY, value INTEGER)")
        quicker.execute("INSERT INTO crosswind VALUES ('schema', 1)")
        quicker.execute("COMMIT")
        opening.result(10).close()
    tables = [name for (name,) in quicker.execute("SELECT tbl_name FROM sqlite_master")]
    quicker.close()

    assert set(tables) == {"crosswind"}


# Errors


def test_a_writer_that_waits_too_long_is_throttled_and_has_written_nothing(path: Path) -> None:
    with SqliteStore(path, timeout=0.01) as store, SqliteBus(path, timeout=0.01) as bus:
        other = raw(path)
        other.execute("BEGIN IMMEDIATE")

        for changes in ([Put("1", b"")], [Put("1", b""), Put("2", b"")]):
            with pytest.raises(Throttled) as throttled:
                store.write("p", changes, "t")
            assert isinstance(throttled.value.__cause__, sqlite3.OperationalError)
        with pytest.raises(NotAccepted) as refused:
            bus.publish([MESSAGE])
        assert refused.value.messages == (MESSAGE,)
        assert isinstance(refused.value.__cause__, Throttled)
        # Readers do not wait for a writer.
        assert store.read("p", "1") is None
        other.execute("ROLLBACK")
        other.close()

        store.write("p", [Put("1", b"")], "t")
        bus.publish([MESSAGE])


def test_a_full_disk_is_unreachable_and_leaves_nothing_half_written(path: Path) -> None:
    with SqliteStore(path) as store:
        with store._database.connection() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 10}")

        with pytest.raises(Unreachable, match="disk is full"):
            store.write("p", [Put("small", b""), Put("large", bytes(300_000))], "t")

        assert store.scan("p") == []


def test_a_file_that_may_not_be_written_is_unreachable(path: Path) -> None:
    with SqliteStore(path) as store:
        with store._database.connection() as connection:
            connection.execute("PRAGMA query_only = ON")

        with pytest.raises(Unreachable, match="may not be written"):
            store.write("p", [Put("key", b"")], "t")

        # The connection that failed is not used again.
        store.write("p", [Put("key", b"")], "t")


def test_a_disk_that_fails_is_unreachable_and_an_error_names_the_file(path: Path) -> None:
    program = f"""
        import resource, signal
        from crosswind.embedded.sqlite_store import SqliteStore
        from crosswind.errors import Unreachable
        from crosswind.ports import Put
        store = SqliteStore({str(path)!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            store.write("p", [Put("small", b""), Put("large", bytes(300_000))], "t")
        except Unreachable as error:
            print(type(error.__cause__).__name__, error)
    """
    printed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert printed.stdout.startswith(f"OperationalError {path}: the disk")
    with SqliteStore(path) as store:
        assert store.scan("p") == []


def test_any_other_error_is_a_store_error_with_its_cause(path: Path) -> None:
    database = Database(path, 5)

    with (
        pytest.raises(StoreError, match="no such table: absent") as error,
        database.connection() as c,
    ):
        c.execute("SELECT * FROM absent")
    with pytest.raises(StoreError) as misuse, database.connection() as c:
        c.execute("SELECT ?")

    assert isinstance(error.value.__cause__, sqlite3.OperationalError)
    assert isinstance(misuse.value.__cause__, sqlite3.ProgrammingError)
    database.close()


# Connections


def test_a_transaction_is_undone_whatever_interrupts_it(path: Path) -> None:
    database = Database(path, 5)

    def interrupted() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO crosswind VALUES ('half', 1)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    with database.transaction() as connection:
        assert connection.execute("SELECT * FROM crosswind WHERE name='half'").fetchall() == []
    database.close()


def test_a_connection_is_used_by_one_at_a_time_and_then_again(path: Path) -> None:
    database = Database(path, 5)

    with database.connection() as first, database.connection() as second:
        assert first is not second
    with database.connection() as third:
        assert third in (first, second)
    database.close()


def test_a_closed_database_is_refused(path: Path) -> None:
    store = SqliteStore(path)
    store.close()
    store.close()

    with pytest.raises(StoreError, match="has been closed"):
        store.read("p", "key")


def test_a_connection_in_use_at_the_close_is_closed_when_it_is_given_back(path: Path) -> None:
    database = Database(path, 5)
    with database.connection() as connection:
        database.close()
        assert connection.execute("SELECT 1").fetchone() == (1,)

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


# Forks


def forked(work: Callable[[], object]) -> bool:
    """Whether this succeeds in a forked process, which never returns from here."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_parent_and_child_both_write_after_a_fork(path: Path) -> None:
    with SqliteStore(path) as store:
        store.write("p", [Put("parent", b"")], "t")
        assert forked(lambda: store.write("p", [Put("child", b"")], "t"))
        store.write("p", [Put("parent again", b"")], "t")

        assert [item.key for item in store.scan("p")] == ["child", "parent", "parent again"]


def test_no_connection_is_open_across_a_fork(path: Path) -> None:
    database = Database(path, 5)
    with database.connection() as before:
        pass

    def is_closed() -> None:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            before.execute("SELECT 1")

    assert forked(is_closed)
    is_closed()
    database.close()


def test_a_fork_waits_for_what_is_under_way_and_lets_nothing_begin(path: Path) -> None:
    database = Database(path, 5)
    begun, go_on, log = threading.Event(), threading.Event(), []

    def work() -> None:
        with database.transaction() as connection:
            begun.set()
            go_on.wait(10)
            connection.execute("INSERT INTO crosswind VALUES ('work', 1)")
        log.append("worked")

    def begin() -> None:
        with database.connection() as connection:
            log.append(
                f"began with {connection.execute('SELECT count(*) FROM crosswind').fetchone()}"
            )

    def halt() -> None:
        database.halt()
        log.append("halted")
        database.resume()

    with ThreadPoolExecutor(3) as pool:
        pool.submit(work)
        assert begun.wait(10)
        halting = pool.submit(halt)
        while not database._halted and not halting.done():
            time.sleep(0.001)
        beginning = pool.submit(begin)
        time.sleep(0.02)
        assert log == []
        go_on.set()
        halting.result(10)
        beginning.result(10)

    assert log.index("halted") < log.index("began with (3,)")
    database.close()
