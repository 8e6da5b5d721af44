"""The memory of the emulator is bounded, and bytes that are no request are refused."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.types import BatchGetDocumentsRequest

from crosswind_local.firestore import FirestoreEmulator
from crosswind_local.firestore.wire import PACKAGE
from local.firestore.desk import Desk, data

MIB = 1024 * 1024


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Desk, FirestoreEmulator]]:
    with FirestoreEmulator(memory_limit=2 * MIB) as emulator:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.address)
        with Desk("small-project") as desk:
            yield desk, emulator


def until_refused(step: Callable[[int], Any]) -> int:
    """How many steps are taken before memory is full."""
    for number in range(100):
        try:
            step(number)
        except exceptions.ResourceExhausted as error:
            if "larger memory limit" not in str(error):
                raise
            return number
    raise AssertionError("memory is never full")


def test_memory_is_bounded_and_deleting_makes_room(
    small: tuple[Desk, FirestoreEmulator],
) -> None:
    desk, emulator = small
    stored = until_refused(
        lambda number: (
            desk.collection().document(f"d{number}").set({"a": "x" * 100_000}, retry=None)
        )
    )
    assert 15 <= stored <= 21
    memory: Any = emulator.report()["memory"]
    assert memory["used"] <= memory["limit"]
    for number in range(stored):
        desk.collection().document(f"d{number}").delete()
    desk.document({"a": "x" * 1_000_000})
    emulator.forget(desk.project)
    memory = emulator.report()["memory"]
    assert memory["used"] == 0


def test_a_document_written_over_and_over_fills_no_memory(
    small: tuple[Desk, FirestoreEmulator],
) -> None:
    desk, emulator = small
    it = desk.document()
    for number in range(60):
        it.set({"n": number, "a": "x" * 100_000}, retry=None)
    assert data(it)["n"] == 59
    memory: Any = emulator.report()["memory"]
    assert memory["used"] <= memory["limit"]


def test_locks_of_transactions_count_as_memory(small: tuple[Desk, FirestoreEmulator]) -> None:
    desk, emulator = small
    transaction = desk.api.begin_transaction(request={"database": desk.database}).transaction

    def lock(number: int) -> None:
        request = BatchGetDocumentsRequest(
            database=desk.database,
            documents=[f"{desk.root}/c/d{number}-{n}" for n in range(200)],
            transaction=transaction,
        )
        list(desk.api.batch_get_documents(request=request, retry=None))

    asked = until_refused(lock)
    assert 5 <= asked <= 25
    desk.api.rollback(request={"database": desk.database, "transaction": transaction})
    memory: Any = emulator.report()["memory"]
    assert memory["used"] == 0


def test_bytes_that_are_no_request_are_refused(
    desk: Desk, local_firestore: FirestoreEmulator
) -> None:
    chance = random.Random(20)
    with grpc.insecure_channel(local_firestore.address) as channel:
        for method in ("Commit", "BeginTransaction", "RunQuery", "ListDocuments", "BatchWrite"):
            call: Any = channel.unary_stream(f"/{PACKAGE}.Firestore/{method}")
            for length in (1, 3, 40, 400):
                with pytest.raises(grpc.RpcError) as refused:
                    list(call(b"\xff" + chance.randbytes(length), timeout=5))
                assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        nested = b""
        for _ in range(200):  # deeper than protobuf itself allows
            nested = b"\x0a" + _varint(len(nested)) + nested
        call = channel.unary_stream(f"/{PACKAGE}.Firestore/RunQuery")
        with pytest.raises(grpc.RpcError) as refused:
            list(call(b"\x12" + _varint(len(nested)) + nested, timeout=5))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def _varint(number: int) -> bytes:
    written = b""
    while number > 127:
        written += bytes([number & 127 | 128])
        number >>= 7
    return written + bytes([number])
