"""How the emulator begins and ends, what it tells of itself, and what else it answers."""

import json
import logging
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.types import CreateDocumentRequest, ListenRequest, WriteRequest

from crosswind_local import StartFailed
from crosswind_local.firestore import FirestoreEmulator, InvalidPolicy, read_policies
from local.firestore.desk import Desk, begin, commit, data, read, transactional


def test_it_starts_fast_and_stops_at_once() -> None:
    began = time.monotonic()
    emulator = FirestoreEmulator().start()
    assert time.monotonic() - began < 0.5
    assert emulator.env == {"FIRESTORE_EMULATOR_HOST": emulator.address}
    stopping = time.monotonic()
    emulator.stop()
    assert time.monotonic() - stopping < 1
    emulator.stop()


def test_a_taken_port_is_told() -> None:
    with FirestoreEmulator() as first:
        port = int(first.address.rsplit(":", 1)[1])
        with pytest.raises(StartFailed, match="is it taken"):
            FirestoreEmulator(port=port).start()


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InvalidPolicy, match="ttl_delay=-1"):
        FirestoreEmulator(ttl_delay=-1)
    with pytest.raises(InvalidPolicy, match=r"a/b=x: .*; c=1d: .*property path"):
        FirestoreEmulator(ttl={"a/b": "x", "c": "1d"})


def test_policies_are_read_from_texts() -> None:
    assert read_policies(["a=x", "b=`y=z`"]) == {"a": "x", "b": "`y=z`"}
    with pytest.raises(InvalidPolicy, match=r"'a': write GROUP=FIELD.*; 'b=y': b has a field"):
        read_policies(["a", "b=x", "b=y"])


def test_what_it_holds_can_be_read(
    desk: Desk, local_firestore: FirestoreEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "crosswind_local.calls"):
        it = desk.document({"a": 1})
        it.collection("inner").document("x").set({})
    assert f"Commit {desk.database} -> OK" in caplog.text
    request = desk.api.begin_transaction(request={"database": desk.database})
    with urllib.request.urlopen(local_firestore.inspection_url, timeout=2) as response:
        report = json.load(response)
    assert report["databases"][desk.database] == {
        desk.id(): 1,
        f"{desk.id()}/it/inner": 1,
    }
    assert [one["database"] for one in report["transactions"]] == [desk.database]
    desk.api.rollback(request={"database": desk.database, "transaction": request.transaction})
    with urllib.request.urlopen(f"{local_firestore.inspection_url}calls", timeout=2) as response:
        assert json.load(response)[-1]["method"] == "Rollback"


def test_a_forgotten_project_is_empty(desk: Desk, local_firestore: FirestoreEmulator) -> None:
    it = desk.document({"a": 1})
    transaction = desk.client.transaction()
    transaction._begin()
    it.get(transaction=transaction)
    local_firestore.forget(desk.project)
    assert not it.get().exists
    it.set({"a": 2})  # at once: the lock has gone as well
    assert data(it) == {"a": 2}


def test_methods_that_other_clients_use(desk: Desk) -> None:
    parent = {"parent": desk.root, "collection_id": desk.id()}
    made = desk.api.create_document(
        request=CreateDocumentRequest(
            **parent, document_id="it", document={"fields": {"a": {"integer_value": 1}}}
        )
    )
    assert made.name == f"{desk.root}/{desk.id()}/it"
    with pytest.raises(exceptions.AlreadyExists):
        desk.api.create_document(request=CreateDocumentRequest(**parent, document_id="it"))
    unnamed = desk.api.create_document(request=CreateDocumentRequest(**parent))
    assert len(unnamed.name.rsplit("/", 1)[1]) == 20
    changed = desk.api.update_document(
        request={
            "document": {"name": made.name, "fields": {"b": {"integer_value": 2}}},
            "update_mask": {"field_paths": ["b"]},
            "mask": {"field_paths": ["b"]},
            "current_document": {"exists": True},
        }
    )
    assert dict(changed.fields).keys() == {"b"}
    assert data(desk.document(name="it")) == {"a": 1, "b": 2}
    got = desk.api.get_document(request={"name": made.name, "mask": {"field_paths": ["a"]}})
    assert dict(got.fields).keys() == {"a"}
    desk.api.delete_document(request={"name": made.name, "current_document": {"exists": True}})
    with pytest.raises(exceptions.NotFound):
        desk.api.delete_document(request={"name": made.name, "current_document": {"exists": True}})


def test_what_streams_is_refused_at_once(desk: Desk) -> None:
    for call, request in (
        (desk.api.listen, ListenRequest(database=desk.database)),
        (desk.api.write, WriteRequest(database=desk.database)),
    ):
        with pytest.raises(exceptions.MethodNotImplemented, match="does not support"):
            list(call(requests=iter([request]), timeout=5))


def test_the_first_steps_of_the_guide(desk: Desk) -> None:
    """As https://cloud.google.com/firestore/docs/create-database-server-client-library goes."""
    users = desk.collection("users")
    users.document("ada").set({"first": "Ada", "last": "L", "born": 1815})
    users.document("alan").set({"first": "Alan", "middle": "M", "last": "T", "born": 1912})
    assert {s.id: s.get("born") for s in users.stream()} == {"ada": 1815, "alan": 1912}
    _, added = users.add({"first": "Grace", "born": 1906})
    assert added.get().get("first") == "Grace"
    older = users.where(filter=firestore.FieldFilter("born", "<", 1910)).order_by("born")
    assert [s.get("first") for s in older.stream()] == ["Ada", "Grace"]

    @transactional
    def grow(transaction: Any, reference: Any) -> Any:
        born = reference.get(transaction=transaction).get("born") + 1
        transaction.update(reference, {"born": born})
        return born

    assert grow(desk.client.transaction(), added) == 1907
    added.delete()
    assert len(users.get()) == 2


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
