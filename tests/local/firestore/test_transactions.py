"""Transactions: what they lock, who waits, who gives way, and when they end.

https://cloud.google.com/firestore/docs/transaction-data-contention
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    RunQueryRequest,
    StructuredQuery,
    TransactionOptions,
)

from local.elsewhere import Time
from local.firestore.desk import (
    Desk,
    begin,
    commit,
    data,
    ids,
    put,
    read,
    refused,
    transactional,
    where,
)

CLIENTS = 32
EACH = 2


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


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
    with refused(exceptions.Aborted, "cross-transaction contention"):
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
    with refused(exceptions.InvalidArgument, "read-only transaction"):
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
        with refused(exceptions.InvalidArgument, "expired or is no longer valid"):
            read(desk, transaction, it)
        with refused(exceptions.InvalidArgument, "expired or is no longer valid"):
            commit(desk, transaction, put(it, 3))


@pytest.mark.needs("refusal")
def test_an_optimistic_transaction_is_refused(desk: Desk) -> None:
    with refused(exceptions.MethodNotImplemented, "optimistic"):
        begin(desk, read_write={"concurrency_mode": "OPTIMISTIC"})


# From here on the test moves the time.


@pytest.mark.needs("clock")
def test_an_idle_transaction_expires_after_a_minute(
    timed: Desk, clock: Time, pool: ThreadPoolExecutor
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
    with refused(exceptions.InvalidArgument, "expired"):
        commit(timed, transaction, put(it, 2))


@pytest.mark.needs("clock")
def test_a_busy_transaction_expires_after_four_and_a_half_minutes(timed: Desk, clock: Time) -> None:
    it = timed.document({"n": 1})
    transaction = begin(timed)
    for _ in range(8):
        clock.advance(33)
        read(timed, transaction, it)
    clock.advance(6)
    with refused(exceptions.InvalidArgument, "expired"):
        read(timed, transaction, it)


@pytest.mark.needs("clock")
def test_a_write_waits_for_a_lock_for_a_bounded_time(
    timed: Desk, clock: Time, pool: ThreadPoolExecutor
) -> None:
    it = timed.document({"n": 1})
    transaction = begin(timed)
    read(timed, transaction, it)
    outside = pool.submit(it.set, {"n": 9}, retry=None)
    timed.see_waiting(outside)
    clock.advance(20)
    with refused(exceptions.Aborted, "Too much contention on these documents"):
        outside.result(timeout=5)
    commit(timed, transaction, put(it, 2))
    assert data(it) == {"n": 2}


@pytest.mark.needs("clock")
def test_the_past_is_kept_for_an_hour(timed: Desk, clock: Time) -> None:
    it = timed.document({"n": 1})
    then = it.get().read_time
    clock.advance(3_600)
    it.set({"n": 2})
    assert it.get(read_time=then).to_dict() == {"n": 1}
    clock.advance(1)
    with refused(exceptions.FailedPrecondition, "too old"):
        it.get(read_time=then)
    with refused(exceptions.InvalidArgument, "future"):
        it.get(read_time=then.replace(year=2030))
