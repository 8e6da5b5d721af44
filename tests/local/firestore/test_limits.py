"""What is too much, or no request at all, is refused, in the words of "Quotas and limits".

https://cloud.google.com/firestore/quotas
"""

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    Document,
    Value,
    Write,
)

from local.firestore.desk import Desk, data, refused

MIB = 1024 * 1024


def write(desk: Desk, fields: dict[str, Any], name: str = "it") -> Any:
    """Send a document as it is, past what the SDK itself would refuse."""
    document = Document(name=f"{desk.root}/{desk.id()}/{name}", fields=fields)
    request = {"database": desk.database, "writes": [Write(update=document)]}
    return desk.api.commit(request=request, retry=None)


def deep(levels: int) -> Value:
    value = Value(null_value=0)
    for _ in range(levels):
        value = Value(map_value={"fields": {"m": value}})
    return value


def test_a_document_of_a_mebibyte_is_stored_and_a_larger_one_is_not(desk: Desk) -> None:
    it = desk.document()
    # 32 for the document, 2 for each field name, 1 for the end of each string, 16 and the path.
    path = len(desk.id()) + 1 + len("it") + 1 + 16
    rest = MIB - 32 - path - (2 + 1) - (2 + 1) - 1_000_000
    it.set({"a": "x" * 1_000_000, "b": "y" * rest})
    with refused(exceptions.InvalidArgument, "exceeds the maximum allowed size"):
        it.set({"a": "x" * 1_000_000, "b": "y" * (rest + 1)})
    assert len(data(it)["b"]) == rest


def test_too_long_too_deep_and_too_many(desk: Desk) -> None:
    long = "x" * 1_048_488
    for fields, words in (
        ({"a": Value(string_value=long)}, "longer than 1048487 bytes"),
        ({"a": Value(bytes_value=long.encode())}, "longer than 1048487 bytes"),
        ({"a": deep(21)}, "deeper than 20 levels"),
        ({"n" * 1_501: Value(null_value=0)}, "property name is longer"),
        ({"": Value(null_value=0)}, "must not be empty"),
        ({"__a__": Value(null_value=0)}, "reserved"),
        ({"a": Value()}, "type unset"),
        ({"a": Value(array_value={"values": [Value(array_value={})]})}, "array value in an array"),
        ({"a": Value(geo_point_value={"latitude": 91})}, "geographical point"),
        ({"a": Value(reference_value="nothing")}, "lacks a collection"),
        ({"a": Value(timestamp_value={"seconds": 1 << 40})}, "years 1 to 9999"),
        ({"a": Value(field_reference_value="b")}, "cannot be written"),
        ({f"f{n}": Value(null_value=0) for n in range(20_001)}, "40000 index entries"),
    ):
        with refused(exceptions.InvalidArgument, words):
            write(desk, fields)
    write(desk, {"a": deep(20)})
    write(desk, {f"f{n}": Value(null_value=0) for n in range(20_000)})


@pytest.mark.parametrize(
    "path",
    [
        "{root}",
        "{root}/c",
        "{root}/c/d/e",
        "{root}/c/.",
        "{root}/c/..",
        "{root}/__c__/d",
        "{root}/c/__d__",
        "{root}//d",
        "{root}/c/" + "d" * 1_501,
        "{root}/" + "/".join(["c/d"] * 101),
        "{root}" + f"/{'c' * 1_400}/{'d' * 1_400}" * 3,
        "projects/p/databases/elsewhere/documents/c/d",
        "nonsense",
        "",
    ],
)
def test_a_name_that_is_none_is_refused(desk: Desk, path: str) -> None:
    name = path.format(root=desk.root)
    for one in (Write(update=Document(name=name)), Write(delete=name)):
        if not name:
            continue
        with pytest.raises(exceptions.InvalidArgument):
            desk.api.commit(request={"database": desk.database, "writes": [one]})
    with pytest.raises(exceptions.InvalidArgument):
        list(
            desk.api.batch_get_documents(
                request=BatchGetDocumentsRequest(database=desk.database, documents=[name])
            )
        )


def test_writes_that_are_not_well_formed_are_refused(desk: Desk) -> None:
    name = f"{desk.root}/{desk.id()}/it"
    update = {"name": name, "fields": {"a": Value(integer_value=1)}}
    increment = {"field_path": "a", "increment": Value(integer_value=1)}
    for one, words in (
        ({}, "names no operation"),
        ({"delete": name, "update_mask": {"field_paths": ["a"]}}, "go with an update only"),
        ({"update": update, "update_mask": {"field_paths": ["a", "a.b"]}}, "another one within"),
        ({"update": update, "update_mask": {"field_paths": ["__name__"]}}, "reserved"),
        ({"update": update, "update_mask": {"field_paths": ["a-b"]}}, "Invalid property path"),
        ({"update": update, "update_transforms": [{"field_path": "a"}]}, "names no operation"),
        (
            {"update": update, "update_transforms": [{"field_path": "a", "increment": Value()}]},
            "must be an integer or a double",
        ),
        ({"update": update, "update_transforms": [increment] * 501}, "500 field transformations"),
        ({"transform": {"document": name}}, "names no field"),
        (
            {"update": update, "current_document": {"update_time": {"seconds": 1, "nanos": 1}}},
            "microsecond aligned",
        ),
    ):
        with refused(exceptions.InvalidArgument, words):
            desk.api.commit(request={"database": desk.database, "writes": [Write(one)]})
    assert not desk.document().get().exists


def test_a_transform_alone_is_a_write_as_well(desk: Desk) -> None:
    it = desk.document({"a": 1, "b": 2})
    change = {"field_path": "a", "increment": Value(integer_value=4)}
    one = Write({"transform": {"document": it._document_path, "field_transforms": [change]}})
    response = desk.api.commit(request={"database": desk.database, "writes": [one]})
    assert data(it) == {"a": 5, "b": 2}
    assert response.write_results[0].transform_results[0].integer_value == 5


def test_a_request_that_is_too_large_is_refused(desk: Desk) -> None:
    batch = desk.client.batch()
    for number in range(11):
        batch.set(desk.document(name=f"d{number}"), {"a": "x" * 1_000_000})
    with refused(exceptions.InvalidArgument, "payload size exceeds the limit"):
        batch.commit()
