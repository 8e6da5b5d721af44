"""What the model does not reach: equal places in line, the end of it all, the bound of the past."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind_local.clock import ManualClock
from crosswind_local.errors import ServiceError
from crosswind_local.firestore.consistency import NOW, Consistency, Options
from crosswind_local.firestore.engine import Engine
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.protocol import (
    Document,
    StructuredQuery,
    Value,
    Write,
    request_class,
    timestamp,
)
from crosswind_local.firestore.queries import Query
from crosswind_local.firestore.refusals import Contention
from crosswind_local.firestore.service import Service
from crosswind_local.firestore.writes import plan_all
from unit.local.firestore_caller import Impatient

DATABASE = "projects/p/databases/d"
ROOT = f"{DATABASE}/documents"
IT = f"{ROOT}/c/it"


def put(engine: Engine, fields: dict[str, Any], transaction: bytes = b"", name: str = IT) -> int:
    write = Write(update=Document(name=name, fields=fields))
    return engine.commit(DATABASE, plan_all([write], DATABASE), transaction, Impatient()).time


def number(n: int) -> dict[str, Any]:
    return {"n": Value(integer_value=n)}


def test_two_that_retry_the_same_transaction_do_not_wait_for_each_other() -> None:
    engine = Engine(ManualClock(), DocumentMemory())
    put(engine, number(0))
    first = engine.begin(DATABASE, Options())
    engine.rollback(DATABASE, first)
    one, other = (engine.begin(DATABASE, Options(retried=first)) for _ in range(2))
    for transaction in (other, one):
        engine.get(DATABASE, [IT], Consistency(transaction))
    put(engine, number(1), one)
    with pytest.raises(Contention, match="cross-transaction contention"):
        put(engine, number(2), other)


def test_a_transaction_belongs_to_one_database() -> None:
    engine = Engine(ManualClock(), DocumentMemory())
    transaction = engine.begin("projects/p/databases/other", Options())
    with pytest.raises(ServiceError, match="no longer valid"):
        put(engine, number(1), transaction)


def test_nothing_waits_once_the_engine_is_closed() -> None:
    engine = Engine(ManualClock(), DocumentMemory())
    engine.get(DATABASE, [IT], Consistency(engine.begin(DATABASE, Options())))
    engine.close()
    with pytest.raises(Contention):
        put(engine, number(1))


def test_the_past_gives_way_to_what_is_there_and_says_so() -> None:
    memory = DocumentMemory(100_000)
    engine = Engine(ManualClock(), memory)
    first = put(engine, {"a": Value(string_value="x" * 20_000)})
    assert engine.get(DATABASE, [IT], Consistency(read_time=first))[0][0][1] is not None
    for letter in "yz":
        put(engine, {"a": Value(string_value=letter * 20_000)})
    with pytest.raises(ServiceError, match="too old"):
        engine.get(DATABASE, [IT], Consistency(read_time=first))
    put(engine, {"a": Value(string_value="o" * 70_000)}, name=f"{ROOT}/c/other")
    assert memory.used <= memory.limit
    found, _ = engine.get(DATABASE, [IT], NOW)
    assert found[0][1] is not None
    assert found[0][1].fields["a"].string_value == "z" * 20_000


def test_a_snapshot_that_is_too_old_is_told_in_its_transaction_too() -> None:
    clock = ManualClock()
    engine = Engine(clock, DocumentMemory(100_000))
    put(engine, {"a": Value(string_value="x" * 30_000)})
    transaction = engine.begin(DATABASE, Options(read_only=True))
    for letter in "yz":
        put(engine, {"a": Value(string_value=letter * 30_000)})
    with pytest.raises(ServiceError, match="too old"):
        engine.get(DATABASE, [IT], Consistency(transaction))


def test_times_never_stand_still() -> None:
    engine = Engine(ManualClock(), DocumentMemory())
    times = [put(engine, number(n)) for n in range(5)]
    assert times == sorted(set(times))


ROWS = st.lists(
    st.dictionaries(
        st.sampled_from("ab"),
        st.one_of(st.none(), st.integers(0, 2), st.sampled_from(["x", "y"])),
        max_size=2,
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(
    ROWS, st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=2), st.integers(1, 4)
)
def test_pages_that_begin_after_the_last_document_are_the_whole(
    rows: list[dict[str, Any]], orders: list[tuple[str, bool]], size: int
) -> None:
    orders = list(dict(orders).items())
    engine = Engine(ManualClock(), DocumentMemory())
    for index, row in enumerate(rows):
        fields = {name: encoded(value) for name, value in row.items()}
        put(engine, fields, name=f"{ROOT}/c/d{(index * 7) % 13}")
    service = Service(engine)
    request = request_class("ListDocuments")(parent=ROOT, collection_id="c", page_size=size)
    request.order_by = ", ".join(f"{name} {'desc' if down else 'asc'}" for name, down in orders)
    listed: list[str] = []
    while True:
        page = service.list_documents(request, Impatient())
        listed += [document.name for document in page.documents]
        if not page.next_page_token:
            break
        assert len(page.documents) == size
        request.page_token = page.next_page_token
    structured = StructuredQuery()
    structured.from_.add(collection_id="c")
    for name, down in orders:
        structured.order_by.add(direction=2 if down else 1).field.field_path = name
    found, _ = engine.query(DATABASE, Query(ROOT, structured), NOW)
    assert listed == [document.name for document in found.documents]
    assert len(listed) == sum(
        all(name in row for name, _ in orders)
        for row in {(index * 7) % 13: row for index, row in enumerate(rows)}.values()
    )


def encoded(value: Any) -> Any:
    if value is None:
        return Value(null_value=0)
    return Value(integer_value=value) if isinstance(value, int) else Value(string_value=value)


def test_a_time_between_two_commits_is_read_exactly() -> None:
    engine = Engine(ManualClock(), DocumentMemory())
    times = [put(engine, number(n)) for n in range(3)]
    for n, time in enumerate(times):
        found, view = engine.get(DATABASE, [IT], Consistency(read_time=time))
        assert found[0][1] is not None
        assert found[0][1].fields["n"].integer_value == n
        assert timestamp(view.read_time) == timestamp(time)
