"""Documents: made, read, changed and deleted, as "Add data" and "Get data" of the guide say.

https://cloud.google.com/firestore/docs/manage-data/add-data
"""

import datetime as dt
import math
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1 import DocumentSnapshot, GeoPoint
from google.cloud.firestore_v1.types import BatchWriteRequest, ListDocumentsRequest
from google.cloud.firestore_v1.vector import Vector

from local.firestore.desk import Desk, data, ids, refused


def test_a_document_comes_back_with_every_type_of_value(desk: Desk) -> None:
    other = desk.document({}, "other")
    stored: dict[str, Any] = {
        "string": "hällo",
        "integer": -(2**63),
        "double": 1.5,
        "boolean": True,
        "null": None,
        "time": dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
        "bytes": b"\x00\xff",
        "reference": other,
        "point": GeoPoint(48.1, 11.6),
        "array": [1, "a", {"in": ["map"]}],
        "map": {"a": {"b": {}}},
        "vector": Vector([1.0, 2.0]),
    }
    assert data(desk.document(stored)) == stored


def test_a_document_that_is_not_there_is_told_so(desk: Desk) -> None:
    snapshot = desk.document().get()
    assert not snapshot.exists
    assert snapshot.to_dict() is None
    assert snapshot.read_time is not None
    with refused(exceptions.NotFound, r'Document ".*" not found'):
        desk.api.get_document(request={"name": f"{desk.root}/{desk.id()}/nothing"})


def test_set_replaces_and_merge_keeps(desk: Desk) -> None:
    it = desk.document({"a": 1, "b": {"c": 2, "d": 3}})
    it.set({"b": {"c": 9}}, merge=True)
    assert data(it) == {"a": 1, "b": {"c": 9, "d": 3}}
    it.set({"a": 5, "b": {"x": 1}}, merge=["b.x"])
    assert data(it) == {"a": 1, "b": {"c": 9, "d": 3, "x": 1}}
    it.set({"z": 0})
    assert data(it) == {"z": 0}


def test_update_changes_only_what_it_names(desk: Desk) -> None:
    it = desk.document({"a": 1, "b": {"c": 2, "d": 3}, "e": 4})
    it.update({"b.c": 9, "e": firestore.DELETE_FIELD, "new.deep.er": "x"})
    assert data(it) == {"a": 1, "b": {"c": 9, "d": 3}, "new": {"deep": {"er": "x"}}}
    it.update({"b": {"only": 1}})
    assert data(it)["b"] == {"only": 1}
    it.update({"none.there": firestore.DELETE_FIELD, "a.in.a.number": firestore.DELETE_FIELD})
    assert data(it)["a"] == 1


def test_names_of_fields_may_be_anything_when_quoted(desk: Desk) -> None:
    it = desk.document({"a.b": 1, "x&y": {"back`tick": 2, "sl\\ash": 3}, "7": 4, "ü": 5})
    it.update({"`a.b`": 10, r"`x&y`.`back\`tick`": 20, r"`x&y`.`sl\\ash`": 30})
    assert data(it) == {"a.b": 10, "x&y": {"back`tick": 20, "sl\\ash": 30}, "7": 4, "ü": 5}
    assert it.get(field_paths=["`x&y`.`sl\\\\ash`"]).to_dict() == {"x&y": {"sl\\ash": 30}}


def test_create_refuses_what_is_there(desk: Desk) -> None:
    it = desk.document()
    it.create({"a": 1})
    with refused(exceptions.AlreadyExists, "Document already exists"):
        it.create({"a": 2})
    assert data(it) == {"a": 1}


def test_update_refuses_what_is_not_there(desk: Desk) -> None:
    with refused(exceptions.NotFound, "No document to update"):
        desk.document().update({"a": 1})


def test_a_write_may_require_a_version(desk: Desk) -> None:
    it = desk.document({"a": 1})
    first = it.get()
    unchanged = desk.client.write_option(last_update_time=first.update_time)
    it.update({"a": 2}, option=unchanged)
    with refused(exceptions.FailedPrecondition, "does not match the required base"):
        it.update({"a": 3}, option=unchanged)
    with pytest.raises(exceptions.FailedPrecondition):
        it.delete(option=unchanged)
    it.delete(option=desk.client.write_option(last_update_time=it.get().update_time))
    assert not it.get().exists
    with pytest.raises(exceptions.FailedPrecondition):
        it.update({"a": 4}, option=unchanged)


def test_delete_is_harmless_unless_the_document_is_required(desk: Desk) -> None:
    it = desk.document()
    it.delete()
    with pytest.raises(exceptions.NotFound):
        it.delete(option=desk.client.write_option(exists=True))


def test_times_of_a_document_grow(desk: Desk) -> None:
    it = desk.document({"a": 1})
    first = it.get()
    assert first.create_time == first.update_time <= first.read_time
    it.update({"a": 2})
    second = it.get()
    assert second.create_time == first.create_time
    assert second.update_time > first.update_time
    it.delete()
    it.set({"a": 3})
    assert it.get().create_time > second.update_time


def test_a_write_that_changes_nothing_keeps_the_update_time(desk: Desk) -> None:
    it = desk.document({"a": 1})
    before = it.get().update_time
    assert it.set({"a": 1}).update_time == before
    assert it.get().update_time == before


def test_a_batch_is_all_or_nothing(desk: Desk) -> None:
    it = desk.document({"n": 0})
    batch = desk.client.batch()
    batch.update(it, {"n": 1})
    batch.set(desk.document(name="second"), {})
    batch.update(desk.document(name="missing"), {"n": 1})
    with pytest.raises(exceptions.NotFound):
        batch.commit()
    assert data(it) == {"n": 0}
    assert not desk.document(name="second").get().exists


def test_writes_of_a_batch_happen_in_their_order(desk: Desk) -> None:
    it = desk.document()
    batch = desk.client.batch()
    batch.create(it, {"n": 1})
    batch.update(it, {"n": firestore.Increment(5), "m": 1})
    batch.delete(it)
    batch.set(it, {"last": True})
    assert len(batch.commit()) == 4
    assert data(it) == {"last": True}


def test_batch_write_tells_of_each_write(desk: Desk) -> None:
    there, missing = desk.document({"a": 1}), desk.document(name="missing")
    batch: Any = desk.client.bulk_writer()
    failures: list[int] = []

    def give_up(failure: Any, writer: object) -> bool:
        failures.append(failure.code)
        return False

    batch.on_write_error(give_up)
    batch.update(there, {"a": 2})
    batch.update(missing, {"a": 2})
    batch.create(desk.document(name="new"), {"a": 3})
    batch.close()
    assert failures == [5]
    assert data(there) == {"a": 2}
    assert data(desk.document(name="new")) == {"a": 3}
    write = {"delete": f"{desk.root}/{desk.id()}/it"}
    with refused(exceptions.InvalidArgument, "more than once"):
        desk.api.batch_write(
            request=BatchWriteRequest(database=desk.database, writes=[write, write])
        )


def test_many_documents_are_read_at_once(desk: Desk) -> None:
    there, missing = desk.document({"a": 1, "b": 2}), desk.document(name="missing")
    found = {s.id: s for s in desk.client.get_all([there, missing, there], field_paths=["a"])}
    assert found["it"].to_dict() == {"a": 1}
    assert not found["missing"].exists
    assert len(found) == 2


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (1, firestore.Increment(2), 3),
        (1, firestore.Increment(0.5), 1.5),
        (1.5, firestore.Increment(1), 2.5),
        (2**63 - 1, firestore.Increment(1), 2**63 - 1),
        (-(2**63), firestore.Increment(-1), -(2**63)),
        ("text", firestore.Increment(4), 4),
        (3, firestore.Maximum(5), 5),
        (3, firestore.Maximum(3.0), 3),
        (3, firestore.Minimum(2.5), 2.5),
        ("text", firestore.Minimum(1), 1),
        ([1, 2], firestore.ArrayUnion([2.0, 3, 3, "a"]), [1, 2, 3, "a"]),
        ("text", firestore.ArrayUnion([1]), [1]),
        ([1, 2, 1.0, None], firestore.ArrayRemove([1, None]), [2]),
        ("text", firestore.ArrayRemove([1]), []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_server_changes_a_field(desk: Desk, before: Any, change: Any, after: Any) -> None:
    it = desk.document({"f": {"x": before}})
    it.update({"f.x": change})
    found = data(it)["f"]["x"]
    assert found == after
    assert type(found) is type(after)


def test_a_maximum_with_nan_is_nan(desk: Desk) -> None:
    it = desk.document({"n": 3})
    it.update({"n": firestore.Maximum(math.nan)})
    assert math.isnan(data(it)["n"])


def test_changes_make_what_is_missing_and_tell_their_results(desk: Desk) -> None:
    it = desk.document()
    result = it.set(
        {
            "n": firestore.Increment(2),
            "t": firestore.SERVER_TIMESTAMP,
            "a": firestore.ArrayUnion([1]),
        }
    )
    found = data(it)
    assert found["n"] == 2
    assert found["a"] == [1]
    assert found["t"].microsecond % 1000 == 0
    # In the order of the transforms, which the SDK sorts by field; that of an array is null.
    results = list(result.transform_results)
    assert [value._pb.WhichOneof("value_type") for value in results] == [
        "null_value",
        "integer_value",
        "timestamp_value",
    ]
    assert results[1].integer_value == 2
    assert results[2].timestamp_value == found["t"]


def test_one_commit_has_one_server_time(desk: Desk) -> None:
    batch = desk.client.batch()
    for name in ("a", "b"):
        batch.set(desk.document(name=name), {"t": firestore.SERVER_TIMESTAMP})
    batch.commit()
    assert data(desk.document(name="a")) == data(desk.document(name="b"))


def test_documents_are_listed_in_pages(desk: Desk) -> None:
    collection = desk.fill({f"d{n}": {"n": -n} for n in range(5)})
    assert ids(collection.list_documents(page_size=2)) == ["d0", "d1", "d2", "d3", "d4"]
    request = ListDocumentsRequest(
        parent=desk.root, collection_id=desk.id(), page_size=3, order_by="n desc, __name__ desc"
    )
    pages = list(desk.api.list_documents(request=request).pages)
    assert [[d.name[-2:] for d in page.documents] for page in pages] == [
        ["d0", "d1", "d2"],
        ["d3", "d4"],
    ]
    with refused(exceptions.InvalidArgument, "page_token"):
        desk.api.list_documents(
            request=ListDocumentsRequest(
                parent=desk.root, collection_id=desk.id(), page_token="nonsense"
            )
        )


def test_a_document_without_contents_but_with_children_is_listed_when_asked_for(
    desk: Desk,
) -> None:
    collection = desk.fill({"b": {}})
    collection.document("a").collection("inner").document("x").set({})
    # The SDK asks for missing documents as well.
    assert ids(collection.list_documents()) == ["a", "b"]
    parent = {"parent": desk.root, "collection_id": desk.id()}
    with refused(exceptions.InvalidArgument, "do not go together"):
        desk.api.list_documents(
            request=ListDocumentsRequest(**parent, show_missing=True, order_by="n")
        )
    listed = desk.api.list_documents(request=ListDocumentsRequest(**parent))
    assert [document.name[-1] for document in listed] == ["b"]


def test_collections_are_listed(desk: Desk) -> None:
    it = desk.document()
    assert list(it.collections()) == []
    for name in ("zeta", "alpha"):
        it.collection(name).document("x").set({})
    it.collection("deep").document("x").collection("er").document("y").set({})
    assert ids(it.collections()) == ["alpha", "deep", "zeta"]
    assert desk.id() in ids(desk.client.collections())


def test_everything_below_a_document_can_be_deleted(desk: Desk) -> None:
    it = desk.document({})
    for name in ("a", "b"):
        it.collection("inner").document(name).collection("more").document("x").set({})
        it.collection("inner").document(name).set({})
    desk.client.recursive_delete(it)
    assert not it.get().exists
    assert ids(desk.client.collection_group("more").stream()) == []


@pytest.mark.needs("prepared")
def test_databases_of_a_project_are_apart(desk: Desk) -> None:
    first = desk.document({"in": "default"})
    with_other: Any = firestore.Client(project=desk.project, database="other-database")
    second = with_other.collection(desk.id()).document("it")
    assert not second.get().exists
    second.set({"in": "other"})
    assert (data(first), data(second)) == ({"in": "default"}, {"in": "other"})
    with_other.close()


def test_a_snapshot_of_the_past_is_read(desk: Desk) -> None:
    it = desk.document({"n": 1})
    then = it.get().read_time
    it.update({"n": 2})
    desk.document({"n": 3}, "later")
    past = it.get(read_time=then)
    assert isinstance(past, DocumentSnapshot)
    assert past.to_dict() == {"n": 1}
    collection = desk.collection()
    assert ids(collection.get(read_time=then)) == ["it"]
    assert ids(collection.get()) == ["it", "later"]
