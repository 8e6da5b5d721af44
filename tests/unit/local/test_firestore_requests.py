"""Any request is answered or refused: no fault, no endless work, and never more than is allowed.

Requests are made from the descriptors of their messages, with names, paths and values that mean
something mixed among those that do not, so that they get past the first check.
"""

import time
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crosswind_local.clock import ManualClock
from crosswind_local.errors import ServiceError
from crosswind_local.firestore.engine import Engine
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.protocol import Document, Value, Write, request_class
from crosswind_local.firestore.service import Service
from crosswind_local.firestore.writes import plan_all
from unit.local.firestore_caller import Impatient

DATABASE = "projects/p/databases/d"
ROOT = f"{DATABASE}/documents"
TRANSACTION = b"\x00" * 16

TEXTS = st.one_of(
    st.sampled_from(
        [
            DATABASE,
            ROOT,
            f"{ROOT}/c/a",
            f"{ROOT}/c/b",
            f"{ROOT}/c/a/d/x",
            f"{ROOT}/c/__id7__",
            "c",
            "d",
            "n",
            "m.n",
            "`a b`",
            "__name__",
            "n desc, __name__",
            "",
        ]
    ),
    st.text(max_size=6),
)
SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: TEXTS,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_INT32: st.sampled_from([0, 1, 2, 3, -1, 2**31 - 1, -(2**31)]),
    FieldDescriptor.CPPTYPE_INT64: st.sampled_from([0, 1, 2, -1, 2**63 - 1, -(2**63)]),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32),
}


@st.composite
def messages(draw: st.DrawFn, make: Any, depth: int = 0) -> Any:
    """A message of that class with some of its fields set."""
    message = make()
    fields = [f for f in make.DESCRIPTOR.fields if depth < 9 or f.message_type is None]
    for field in (
        draw(st.lists(st.sampled_from(fields), max_size=4, unique_by=id)) if fields else ()
    ):
        for _ in range(draw(st.integers(1, 2)) if field.is_repeated else 1):
            put(draw, message, field, depth)
    return message


def put(draw: st.DrawFn, message: Any, field: Any, depth: int) -> None:
    target = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        name = draw(TEXTS)
        if value.message_type is None:
            target[name] = draw(TEXTS)
        else:
            target[name].CopyFrom(draw(messages(type(target[name]), depth + 1)))
    elif field.message_type is not None and field.is_repeated:
        entry = target.add()
        entry.CopyFrom(draw(messages(type(entry), depth + 1)))
    elif field.message_type is not None:
        target.CopyFrom(draw(messages(type(target), depth + 1)))
    elif field.is_repeated:
        target.append(draw(scalar(field)))
    else:
        setattr(message, field.name, draw(scalar(field)))


def scalar(field: Any) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.sampled_from([b"", TRANSACTION, b"\xff"])
    if field.enum_type is not None:
        return st.sampled_from([0, 1, 2, 3, 5, 8, 10, 99])
    return SCALARS[field.cpp_type]


def service() -> tuple[Service, Engine]:
    engine = Engine(ManualClock(), DocumentMemory(), ttl={"c": "m.n"})
    value = Value(integer_value=1)
    writes = [
        Write(update=Document(name=f"{ROOT}/{path}", fields={"n": value}))
        for path in ("c/a", "c/b", "c/a/d/x")
    ]
    engine.commit(DATABASE, plan_all(writes, DATABASE), b"", Impatient())
    return Service(engine), engine


UNARY = sorted(service()[0].unary())
STREAMING = sorted(service()[0].streaming())


@pytest.mark.parametrize("method", UNARY + STREAMING)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_any_request_is_answered_or_refused(method: str, data: st.DataObject) -> None:
    request = data.draw(messages(request_class(method)))
    for name, fitting in (("database", DATABASE), ("parent", ROOT)):
        if hasattr(request, name) and data.draw(st.booleans()):
            setattr(request, name, fitting)
    answering, engine = service()
    began = time.perf_counter()
    try:
        if method in UNARY:
            answering.unary()[method](request, Impatient())
        else:
            list(answering.streaming()[method](request, Impatient()))
    except ServiceError as refusal:
        if refusal.code == "INTERNAL" or not refusal.message:
            raise
    assert time.perf_counter() - began < 2
    memory: Any = engine.report()["memory"]
    assert 0 <= memory["used"] < 100_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_was_written_is_read_back_and_leaves_nothing_behind(data: st.DataObject) -> None:
    fields = data.draw(messages(Document)).fields
    engine = Engine(ManualClock(), memory := DocumentMemory())
    answering = Service(engine)
    name = f"{ROOT}/c/a"
    request = request_class("Commit")(database=DATABASE)
    request.writes.add().update.CopyFrom(Document(name=name, fields=fields))
    try:
        answering.commit(request, Impatient())
    except ServiceError:
        assert memory.used == 0
        return
    got = answering.get_document(request_class("GetDocument")(name=name), Impatient())
    assert got.fields.keys() == fields.keys()
    engine.forget("projects/p")
    assert memory.used == 0


def test_a_filter_of_many_alternatives_is_refused_without_counting_them_out() -> None:
    request = request_class("RunQuery")(parent=ROOT)
    request.structured_query.from_.add(collection_id="c")
    whole = request.structured_query.where.composite_filter
    whole.op = 1
    for _ in range(3_000):
        either = whole.filters.add().composite_filter
        either.op = 2
        for number in range(3):
            one = either.filters.add().field_filter
            one.field.field_path, one.op = "n", 5
            one.value.integer_value = number
    began = time.perf_counter()
    with pytest.raises(ServiceError, match="up to 30"):
        list(service()[0].run_query(request, Impatient()))
    assert time.perf_counter() - began < 2
