"""Transactions: what they lock, who waits, who gives way, and when they end.

https://cloud.google.com/firestore/docs/transaction-data-contention
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BeginTransactionRequest,
    RunQueryRequest,
    StructuredQuery,
    TransactionOptions,
    Write,
)

from crosswind_local import ManualClock
from crosswind_local.firestore import FirestoreEmulator
from integration.local.firestore.desk import Desk, data, ids, transactional, where

CLIENTS = 32
EACH = 2


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def begin(desk: Desk, **options: Any) -> bytes:
    request = BeginTransactionRequest(
        database=desk.database, options=TransactionOptions(options) if options else None
    )
    return bytes(desk.api.begin_transaction(request=request).transaction)


def read(desk: Desk, transaction: bytes, *references: Any) -> list[Any]:
    request = BatchGetDocumentsRequest(
        database=desk.database,
        documents=[reference._document_path for reference in references],
        transaction=transaction,
    )
    return list(desk.api.batch_get_documents(request=request))


def put(reference: Any, n: int) -> Write:
    return Write(update={"name": reference._document_path, "fields": {"n": {"integer_value": n}}})


def commit(desk: Desk, transaction: bytes, *writes: Write) -> Any:
    return desk.api.commit(
        request={"database": desk.database, "writes": writes, "transaction": transaction},
        retry=None,
    )


def test_clients_that_increment_one_document_lose_nothing(desk: Desk) -> None:
    counter = desk.document({"n": 0})

    def increment() -> int:
        attempts = 0
        with_client: Any = firestore.Client(project=desk.project)
        mine = with_client.document(counter.path)

        @transactional
        def add_one(transaction: Any) -> None:
            nonlocal attempts
            attempts += 1
            seen = mine.get(transaction=transaction).get("n")
            transaction.update(mine, {"n": seen + 1})

        for _ in range(EACH):
            # Each attempt keeps its place in line, so as many as there are clients suffice.
            add_one(with_client.transaction(max_attempts=2 * CLIENTS))
        with_client.close()
        return attempts

    with ThreadPoolExecutor(CLIENTS) as clients:
        attempts = [clients.submit(increment) for _ in range(CLIENTS)]
        assert sum(one.result(timeout=60) for one in attempts) >= CLIENTS * EACH
    assert data(counter) == {"n": CLIENTS * EACH}


def test_a_transaction_sees_nothing_of_its_own_writes_before_it_commits(desk: Desk) -> None:
    it = desk.document({"n": 1})

    @transactional
    def change(transaction: Any) -> Any:
        seen = it.get(transaction=transaction).get("n")
        transaction.update(it, {"n": seen + 1})
        return data(it)

    assert change(desk.client.transaction()) == {"n": 1}
    assert data(it) == {"n": 2}


def test_an_error_in_a_transaction_rolls_it_back(desk: Desk) -> None:
    it = desk.document({"n": 1})

    @transactional
    def fail(transaction: Any) -> None:
        it.get(transaction=transaction)
        transaction.update(it, {"n": 2})
        raise LookupError

    with pytest.raises(LookupError):
        fail(desk.client.transaction())
    it.update({"n": 3})  # at once: nothing is locked
    assert data(it) == {"n": 3}


def test_a_precondition_fails_the_whole_transaction(desk: Desk) -> None:
    it = desk.document({"n": 1})

    @transactional
    def fail(transaction: Any) -> None:
        transaction.update(it, {"n": 2})
        transaction.create(it, {"n": 3})

    with pytest.raises(exceptions.AlreadyExists):
        fail(desk.client.transaction())
    assert data(it) == {"n": 1}


def test_a_write_outside_waits_for_the_transaction_that_has_read(
    desk: Desk, pool: ThreadPoolExecutor
) -> None:
    it = desk.document({"n": 1})
    transaction = begin(desk)
    read(desk, transaction, it)
    outside = pool.submit(it.set, {"n": 10})
    desk.see_waiting(outside)
    assert data(it) == {"n": 1}  # a read outside waits for no one
    commit(desk, transaction, put(it, 2))
    outside.result(timeout=5)
    assert data(it) == {"n": 10}


def test_the_younger_transaction_waits_for_the_older_and_is_then_aborted(
    desk: Desk, pool: ThreadPoolExecutor
) -> None:
    it = desk.document({"n": 1})
    older, younger = begin(desk), begin(desk)
    read(desk, younger, it)
    read(desk, older, it)
    late = pool.submit(commit, desk, younger, put(it, 20))
    desk.see_waiting(late)
    commit(desk, older, put(it, 2))
    with pytest.raises(exceptions.Aborted, match="cross-transaction contention"):
        late.result(timeout=5)
    assert data(it) == {"n": 2}
    with pytest.raises(exceptions.Aborted):
        read(desk, younger, it)


def test_the_younger_transaction_goes_on_when_the_older_changes_nothing(
    desk: Desk, pool: ThreadPoolExecutor
) -> None:
    it = desk.document({"n": 1})
    older, younger = begin(desk), begin(desk)
    read(desk, older, it)
    read(desk, younger, it)
    late = pool.submit(commit, desk, younger, put(it, 20))
    desk.see_waiting(late)
    desk.api.rollback(request={"database": desk.database, "transaction": older})
    late.result(timeout=5)
    assert data(it) == {"n": 20}


def test_a_retry_keeps_its_place_in_line(desk: Desk, pool: ThreadPoolExecutor) -> None:
    it = desk.document({"n": 1})
    first, second = begin(desk), begin(desk)
    read(desk, second, it)
    read(desk, first, it)
    commit(desk, first, put(it, 2))
    third = begin(desk)
    again = begin(desk, read_write={"retry_transaction": second})
    read(desk, third, it)
    read(desk, again, it)
    commit(desk, again, put(it, 3))  # at once, although the third came before it
    with pytest.raises(exceptions.Aborted):
        commit(desk, third, put(it, 4))


def test_transactions_that_want_what_the_other_has_do_not_wait_for_ever(
    desk: Desk, pool: ThreadPoolExecutor
) -> None:
    a, b = desk.document({"n": 1}, "a"), desk.document({"n": 1}, "b")
    one, two = begin(desk), begin(desk)
    read(desk, one, a)
    read(desk, two, b)
    second = pool.submit(commit, desk, two, put(a, 2))
    desk.see_waiting(second)
    commit(desk, one, put(b, 3))
    with pytest.raises(exceptions.Aborted):
        second.result(timeout=5)
    assert (data(a), data(b)) == ({"n": 1}, {"n": 3})


def test_what_a_transaction_found_missing_is_locked_too(
    desk: Desk, pool: ThreadPoolExecutor
) -> None:
    it = desk.document()
    transaction = begin(desk)
    assert read(desk, transaction, it)[0].missing
    creating = pool.submit(it.create, {"n": 1})
    desk.see_waiting(creating)
    commit(desk, transaction, put(it, 2))
    with pytest.raises(exceptions.AlreadyExists):
        creating.result(timeout=5)


def test_a_query_in_a_transaction_locks_what_it_would_find(
    desk: Desk, pool: ThreadPoolExecutor
) -> None:
    collection = desk.fill({"in": {"n": 5}, "out": {"n": 1}})
    transaction = begin(desk)
    query = where(collection, "n", ">", 3)
    request = RunQueryRequest(
        parent=desk.root,
        structured_query=StructuredQuery(query._to_protobuf()),
        transaction=transaction,
    )
    assert [r.document.name[-2:] for r in desk.api.run_query(request=request)] == ["in"]
    collection.document("out").set({"n": 2})  # it is found neither before nor after
    joining = pool.submit(collection.document("new").set, {"n": 9})
    desk.see_waiting(joining)
    leaving = pool.submit(collection.document("in").delete)
    desk.see_waiting(leaving, commits=2)
    commit(desk, transaction)
    joining.result(timeout=5)
    leaving.result(timeout=5)
    assert ids(query.stream()) == ["new"]


def test_a_read_only_transaction_sees_one_moment_and_locks_nothing(desk: Desk) -> None:
    it = desk.document({"n": 1})
    transaction = begin(desk, read_only={})
    it.set({"n": 2})
    assert read(desk, transaction, it)[0].found.fields["n"].integer_value == 1
    with pytest.raises(exceptions.InvalidArgument, match="read-only transaction"):
        commit(desk, transaction, put(it, 3))

    @transactional
    def look(transaction: Any) -> Any:
        seen = it.get(transaction=transaction).get("n")
        it.set({"n": seen + 1})
        return seen, it.get(transaction=transaction).get("n")

    assert look(desk.client.transaction(read_only=True)) == (2, 2)
    assert data(it) == {"n": 3}


def test_a_read_only_transaction_may_begin_in_the_past(desk: Desk) -> None:
    it = desk.document({"n": 1})
    then = it.get().read_time
    it.set({"n": 2})
    transaction = begin(desk, read_only={"read_time": then})
    assert read(desk, transaction, it)[0].found.fields["n"].integer_value == 1


def test_a_read_may_begin_a_transaction(desk: Desk) -> None:
    it = desk.document({"n": 1})
    request = BatchGetDocumentsRequest(
        database=desk.database,
        documents=[it._document_path],
        new_transaction=TransactionOptions(read_write={}),
    )
    first, second = desk.api.batch_get_documents(request=request)
    assert second.found.fields["n"].integer_value == 1
    commit(desk, first.transaction, put(it, 2))
    assert data(it) == {"n": 2}


def test_a_transaction_that_has_ended_is_no_longer_valid(desk: Desk) -> None:
    it = desk.document({"n": 1})
    ended = begin(desk)
    commit(desk, ended, put(it, 2))
    for transaction in (ended, b"never there was one"):
        with pytest.raises(exceptions.InvalidArgument, match="expired or is no longer valid"):
            read(desk, transaction, it)
        with pytest.raises(exceptions.InvalidArgument, match="expired or is no longer valid"):
            commit(desk, transaction, put(it, 3))


def test_an_optimistic_transaction_is_refused(desk: Desk) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match="optimistic"):
        begin(desk, read_write={"concurrency_mode": "OPTIMISTIC"})


# From here on the test moves the time.


def test_an_idle_transaction_expires_after_a_minute(
    timed: Desk, clock: ManualClock, pool: ThreadPoolExecutor
) -> None:
    it = timed.document({"n": 1})
    transaction = begin(timed)
    read(timed, transaction, it)
    clock.advance(50)
    read(timed, transaction, it)
    clock.advance(50)
    outside = pool.submit(it.set, {"n": 9})
    timed.see_waiting(outside)
    clock.advance(10)
    outside.result(timeout=5)
    with pytest.raises(exceptions.InvalidArgument, match="expired"):
        commit(timed, transaction, put(it, 2))


def test_a_busy_transaction_expires_after_four_and_a_half_minutes(
    timed: Desk, clock: ManualClock
) -> None:
    it = timed.document({"n": 1})
    transaction = begin(timed)
    for _ in range(8):
        clock.advance(33)
        read(timed, transaction, it)
    clock.advance(6)
    with pytest.raises(exceptions.InvalidArgument, match="expired"):
        read(timed, transaction, it)


def test_a_write_waits_for_a_lock_for_a_bounded_time(
    timed: Desk, clock: ManualClock, pool: ThreadPoolExecutor
) -> None:
    it = timed.document({"n": 1})
    transaction = begin(timed)
    read(timed, transaction, it)
    outside = pool.submit(it.set, {"n": 9}, retry=None)
    timed.see_waiting(outside)
    clock.advance(20)
    with pytest.raises(exceptions.Aborted, match="Too much contention on these documents"):
        outside.result(timeout=5)
    commit(timed, transaction, put(it, 2))
    assert data(it) == {"n": 2}


def test_the_past_is_kept_for_an_hour(timed: Desk, clock: ManualClock) -> None:
    it = timed.document({"n": 1})
    then = it.get().read_time
    clock.advance(3_600)
    it.set({"n": 2})
    assert it.get(read_time=then).to_dict() == {"n": 1}
    clock.advance(1)
    with pytest.raises(exceptions.FailedPrecondition, match="too old"):
        it.get(read_time=then)
    with pytest.raises(exceptions.InvalidArgument, match="future"):
        it.get(read_time=then.replace(year=2030))


def test_a_waiting_commit_of_a_client_that_has_gone_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FirestoreEmulator() as emulator:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.address)
        with Desk("left-project", emulator) as desk:
            it = desk.document({"n": 1})
            transaction = begin(desk)
            read(desk, transaction, it)
            with pytest.raises(exceptions.DeadlineExceeded):
                it.set({"n": 9}, retry=None, timeout=0.2)
            deadline = time.monotonic() + 5
            while emulator.report()["commits_waiting"] and time.monotonic() < deadline:
                time.sleep(0.01)
            assert emulator.report()["commits_waiting"] == 0
            commit(desk, transaction)
            assert data(it) == {"n": 1}


def test_a_stop_ends_the_waiting_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = FirestoreEmulator().start()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.address)
    with Desk("stopped-project", emulator) as desk, ThreadPoolExecutor(1) as one:
        it = desk.document({"n": 1})
        read(desk, begin(desk), it)
        told = threading.Event()
        outside = one.submit(it.set, {"n": 9}, retry=None)
        outside.add_done_callback(lambda done: told.set())
        desk.see_waiting(outside)
        began = time.monotonic()
        emulator.stop()
        assert time.monotonic() - began < 1
        assert told.wait(timeout=5)
        assert isinstance(outside.exception(), exceptions.GoogleAPICallError)
