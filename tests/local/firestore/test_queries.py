"""Queries, as "Query data", "Order and limit data" and "Paginate data" of the guide say.

https://cloud.google.com/firestore/docs/query-data/queries
"""

import datetime as dt
import math
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1 import GeoPoint
from google.cloud.firestore_v1.base_query import And, FieldFilter, Or
from google.cloud.firestore_v1.base_vector_query import DistanceMeasure
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.types import (
    Cursor,
    RunAggregationQueryRequest,
    RunQueryRequest,
    StructuredQuery,
    Value,
)
from google.cloud.firestore_v1.vector import Vector

from local.firestore.desk import Desk, ids, refused, where

PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"age": 30, "tags": ["a", "b"], "town": {"name": "Ulm"}, "note": None},
    "bob": {"age": 41.5, "tags": ["b"], "town": {"name": "Bonn"}},
    "cyd": {"age": "old", "tags": "b", "town": {"name": "Ulm", "zip": 1}, "note": "x"},
    "dan": {"age": math.nan, "tags": [], "note": math.nan},
    "eve": {"age": None, "tags": [], "note": 3},
    "fay": {"tags": ["c", 1]},
}


@pytest.fixture
def people(desk: Desk) -> Any:
    return desk.fill(PEOPLE, "people")


@pytest.mark.parametrize(
    ("field", "operator", "value", "found"),
    [
        ("age", "==", 30.0, ["ann"]),
        ("age", "==", "old", ["cyd"]),
        ("age", "==", None, ["eve"]),
        ("age", "==", math.nan, ["dan"]),
        ("age", "!=", 30, ["dan", "bob", "cyd"]),
        ("age", "!=", None, ["dan", "ann", "bob", "cyd"]),
        ("age", "!=", math.nan, ["ann", "bob", "cyd"]),
        ("age", ">", 30, ["bob"]),
        ("age", ">=", 30, ["ann", "bob"]),
        ("age", "<=", 30, ["dan", "ann"]),
        ("age", "<", "z", ["cyd"]),
        ("age", "in", [30, "old", 7], ["ann", "cyd"]),
        ("age", "not-in", [30, "old"], ["dan", "bob"]),
        ("age", "not-in", [None, 30], []),
        ("tags", "array_contains", "b", ["ann", "bob"]),
        ("tags", "array_contains_any", ["a", 1.0], ["ann", "fay"]),
        ("town.name", "==", "Ulm", ["ann", "cyd"]),
        ("town", "==", {"name": "Bonn"}, ["bob"]),
        ("tags", "==", ["b"], ["bob"]),
        ("note", "!=", "x", ["dan", "eve"]),
        ("missing", "==", None, []),
        ("missing", "!=", 1, []),
    ],
    ids=str,
)
def test_a_comparison_finds(
    people: Any, field: str, operator: str, value: Any, found: list[str]
) -> None:
    assert ids(where(people, field, operator, value).stream()) == found


@pytest.mark.needs("prepared")
def test_comparisons_are_joined(people: Any) -> None:
    both = And([FieldFilter("tags", "array_contains", "b"), FieldFilter("age", "<", 40)])
    either = Or([FieldFilter("age", "==", "old"), both])
    assert ids(people.where(filter=either).stream()) == ["ann", "cyd"]
    plain = Or([FieldFilter("age", "==", "old"), FieldFilter("tags", "array_contains", "b")])
    assert ids(people.where(filter=plain).stream()) == ["ann", "bob", "cyd"]
    narrowed = where(where(people, "town.name", "==", "Ulm"), "age", "==", 30)
    assert ids(narrowed.stream()) == ["ann"]


@pytest.mark.needs("prepared")
def test_ranges_on_several_fields_order_by_each(desk: Desk) -> None:
    collection = desk.fill(
        {"a": {"x": 2, "y": 5}, "b": {"x": 1, "y": 9}, "c": {"x": 1, "y": 7}, "d": {"x": 3}}
    )
    query = where(where(collection, "y", ">", 4), "x", ">", 0)
    assert ids(query.stream()) == ["c", "b", "a"]
    assert ids(query.order_by("y").stream()) == ["a", "c", "b"]


def test_an_order_leaves_out_what_lacks_its_field(people: Any) -> None:
    assert ids(people.order_by("age").stream()) == ["eve", "dan", "ann", "bob", "cyd"]
    descending = people.order_by("age", direction=firestore.Query.DESCENDING)
    assert ids(descending.stream()) == ["cyd", "bob", "ann", "dan", "eve"]


def test_values_of_all_types_have_one_order(desk: Desk) -> None:
    reference = desk.document(name="r")
    in_order: list[Any] = [
        None,
        False,
        True,
        math.nan,
        -math.inf,
        -(2**63),
        -1,
        0,
        0.5,
        2**53,
        2**53 + 1,
        math.inf,
        dt.datetime(1900, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC),
        "",
        "Z",
        "a",
        "a\x00",
        "é",
        "\uffff",
        "\U0001f600",
        b"",
        b"\x00",
        b"\xff",
        desk.client.document("a/b"),
        desk.client.document("a/b/c/d"),
        desk.client.document("a/c"),
        reference,
        GeoPoint(-1, 5),
        GeoPoint(0, -5),
        GeoPoint(0, 5),
        [],
        [1],
        [1, "a"],
        [2],
        ["a"],
        Vector([9.0]),
        Vector([1.0, 2.0]),
        Vector([1.0, 3.0]),
        {},
        {"a": "aaa", "b": "baz"},
        {"a": "foo", "b": "bar"},
        {"a": "foo", "b": "bar", "c": "qux"},
        {"a": "foo", "b": "baz"},
        {"b": "aaa", "c": "baz"},
        {"c": "aaa"},
    ]
    # Names run against the order, so that they cannot bring it about.
    collection = desk.fill(
        {f"{len(in_order) - n:03}": {"v": value} for n, value in enumerate(in_order)}, "values"
    )
    found = ids(collection.order_by("v").stream())
    assert found == sorted(found, reverse=True)
    assert len(found) == len(in_order)


def test_what_is_equal_is_ordered_by_name_in_the_last_direction(desk: Desk) -> None:
    collection = desk.fill({name: {"same": 1, "n": n} for n, name in enumerate("cab")})
    assert ids(collection.order_by("same").stream()) == ["a", "b", "c"]
    descending = collection.order_by("same", direction="DESCENDING")
    assert ids(descending.stream()) == ["c", "b", "a"]
    mixed = collection.order_by("same", direction="DESCENDING").order_by("n")
    assert ids(mixed.stream()) == ["c", "a", "b"]


def test_limits_offsets_and_ends(desk: Desk) -> None:
    numbers = desk.fill({f"d{n}": {"n": n} for n in range(8)}).order_by("n")
    assert ids(numbers.limit(2).stream()) == ["d0", "d1"]
    assert ids(numbers.offset(6).limit(9).stream()) == ["d6", "d7"]
    assert ids(numbers.limit_to_last(2).get()) == ["d6", "d7"]
    assert ids(numbers.offset(20).stream()) == []


def test_cursors(desk: Desk) -> None:
    collection = desk.fill({f"d{n}": {"n": n // 2} for n in range(8)})
    numbers = collection.order_by("n")
    assert ids(numbers.start_at({"n": 3}).stream()) == ["d6", "d7"]
    assert ids(numbers.start_after({"n": 2}).stream()) == ["d6", "d7"]
    assert ids(numbers.end_at({"n": 0}).stream()) == ["d0", "d1"]
    assert ids(numbers.end_before({"n": 1}).stream()) == ["d0", "d1"]
    assert ids(numbers.start_at({"n": 1}).end_before({"n": 2}).stream()) == ["d2", "d3"]
    backwards = collection.order_by("n", direction="DESCENDING")
    assert ids(backwards.start_after({"n": 1}).stream()) == ["d1", "d0"]
    assert ids(numbers.start_at({"n": 1.5}).limit(1).stream()) == ["d4"]
    # A snapshot tells the place among equals too.
    here = collection.document("d4").get()
    assert ids(numbers.start_at(here).stream()) == ["d4", "d5", "d6", "d7"]
    assert ids(numbers.start_after(here).stream()) == ["d5", "d6", "d7"]
    assert ids(numbers.end_before(here).stream()) == ["d0", "d1", "d2", "d3"]


def test_paging_by_the_last_snapshot_sees_each_document_once(desk: Desk) -> None:
    collection = desk.fill({f"d{n:02}": {"n": n % 3} for n in range(20)})
    query = collection.order_by("n", direction="DESCENDING").limit(6)
    seen: list[str] = []
    page = query.get()
    while page:
        seen += ids(page)
        page = query.start_after(page[-1]).get()
    assert sorted(seen) == [f"d{n:02}" for n in range(20)]
    assert len(seen) == 20


def test_documents_are_found_by_name(desk: Desk) -> None:
    collection = desk.fill({name: {} for name in ("a", "b", "c", "d")})
    by_name = FieldPath.document_id()
    b, c = collection.document("b"), collection.document("c")
    assert ids(where(collection, by_name, ">=", b).stream()) == ["b", "c", "d"]
    assert ids(where(collection, by_name, "in", [c, b]).stream()) == ["b", "c"]
    assert ids(where(collection, by_name, "==", c).stream()) == ["c"]
    ordered = collection.order_by(by_name, direction="DESCENDING")
    assert ids(ordered.start_after({"__name__": c}).stream()) == ["b", "a"]


def test_a_projection_shows_some_fields(people: Any) -> None:
    found = where(people, "age", "==", 30).select(["town.name", "missing"]).get()
    assert found[0].to_dict() == {"town": {"name": "Ulm"}}
    names_only = where(people, "age", "==", 30).select([]).get()
    assert names_only[0].to_dict() == {}
    assert names_only[0].id == "ann"


@pytest.mark.needs("prepared")
def test_a_collection_group_spans_the_database(desk: Desk) -> None:
    group = desk.id("landmarks")
    for city, height in (("b", 2), ("a", 3)):
        desk.document({}, city).collection(group).document("tower").set({"height": height})
    desk.client.collection(group).document("top").set({"height": 1})
    desk.document({}, "a").collection(f"{group}x").document("no").set({"height": 0})
    query = desk.client.collection_group(group)
    assert [s.get("height") for s in query.stream()] == [1, 3, 2]
    assert [s.get("height") for s in query.order_by("height").stream()] == [1, 2, 3]
    assert [s.get("height") for s in where(query, "height", ">", 1).stream()] == [2, 3]
    inside = desk.document(name="a").collection(group)
    assert [s.get("height") for s in inside.stream()] == [3]


@pytest.mark.needs("prepared")
def test_counts_sums_and_averages(desk: Desk) -> None:
    collection = desk.fill(
        {
            "a": {"n": 1, "m": 1},
            "b": {"n": 2.5, "m": 2},
            "c": {"n": "x", "m": 3},
            "d": {"m": 4},
            "e": {"n": None, "m": 2**62},
            "f": {"n": 0, "m": 2**62},
        }
    )

    def one(query: Any) -> Any:
        return query.get()[0][0].value

    assert one(collection.count()) == 6
    assert one(where(collection, "m", "<", 4).count(alias="few")) == 3
    assert one(collection.limit(2).count()) == 2
    assert one(collection.sum("n")) == 3.5
    assert one(collection.avg("n")) == pytest.approx(3.5 / 3)
    assert one(where(collection, "m", "<", 4).sum("m")) == 6
    assert one(collection.sum("m")) == float(2**63 + 10)
    assert one(where(collection, "m", "==", 99).sum("m")) == 0
    # An average of nothing is null, which the SDK tells as 0.0.
    assert one(where(collection, "m", "==", 99).avg("m")) == 0.0
    # With a sum beside it, only what has the field counts.
    together = collection.count(alias="all").sum("n", alias="sum").get()[0]
    assert {result.alias: result.value for result in together} == {"all": 5, "sum": 3.5}


def test_queries_of_one_read_time_see_the_past(desk: Desk) -> None:
    collection = desk.fill({"a": {"n": 1}})
    then = collection.document("a").get().read_time
    collection.document("b").set({"n": 2})
    collection.document("a").update({"n": 5})
    assert ids(where(collection, "n", "<", 3).stream(read_time=then)) == ["a"]
    assert ids(where(collection, "n", "<", 3).stream()) == ["b"]
    assert collection.count().get(read_time=then)[0][0].value == 1


@pytest.mark.parametrize(
    ("structured", "words"),
    [
        ({}, "exactly one collection selector"),
        ({"from_": [{"collection_id": "a"}, {"collection_id": "b"}]}, "exactly one"),
        ({"where": {}}, "A filter is empty"),
        ({"where": {"composite_filter": {"op": "AND"}}}, "needs an operator, AND or OR"),
        ({"where": {"field_filter": {"field": {"field_path": "a"}}}}, "unknown operator"),
        ({"where": {"unary_filter": {"field": {"field_path": "a"}}}}, "unknown operator"),
        ({"where": {"field_filter": {"field": {"field_path": "a..b"}, "op": "EQUAL"}}}, "path"),
        ({"where": {"field_filter": {"field": {"field_path": "a"}, "op": "EQUAL"}}}, "unset"),
        (
            {
                "where": {
                    "field_filter": {
                        "field": {"field_path": "a"},
                        "op": "IN",
                        "value": {"array_value": {}},
                    }
                }
            },
            "non-empty ArrayValue",
        ),
        (
            {
                "where": {
                    "field_filter": {
                        "field": {"field_path": "__name__"},
                        "op": "EQUAL",
                        "value": {"string_value": "x"},
                    }
                }
            },
            "must be a Key",
        ),
        ({"limit": -1}, "must not be negative"),
        ({"offset": -1}, "must not be negative"),
        ({"start_at": {"values": [{"null_value": 0}] * 2}}, "too many values"),
        (
            {"order_by": [{"field": {"field_path": "a"}}, {"field": {"field_path": "a"}}]},
            "duplicate fields",
        ),
    ],
    ids=str,
)
def test_a_query_that_makes_no_sense_is_refused(
    desk: Desk, structured: dict[str, Any], words: str
) -> None:
    if structured and "from_" not in structured:
        structured = {"from_": [{"collection_id": "a"}], **structured}
    request = RunQueryRequest(parent=desk.root, structured_query=StructuredQuery(structured))
    with refused(exceptions.InvalidArgument, words):
        list(desk.api.run_query(request=request))


def test_comparisons_that_do_not_go_together_are_refused(people: Any) -> None:
    for query, words in (
        (where(where(people, "a", "!=", 1), "b", "!=", 2), "Only a single"),
        (where(where(people, "a", "not-in", [1]), "b", "in", [2]), "cannot be used with"),
        (where(people, "a", "not-in", list(range(11))), "up to 10"),
        (where(people, "a", "in", list(range(31))), "31 disjunctions"),
        (where(where(people, "a", "in", [1, 2, 3, 4, 5, 6]), "b", "in", [*range(6)]), "36 dis"),
        (
            where(where(people, "a", "array_contains", 1), "b", "array_contains", 2),
            "Only a single 'ARRAY_CONTAINS'",
        ),
        (where_all(people, *(f"f{n}" for n in range(11))), "on 10 fields"),
        (where(people, "__name__", "array_contains", people.document("a")), "__name__ cannot"),
    ):
        with refused(exceptions.InvalidArgument, words):
            query.get()


def where_all(query: Any, *fields: str) -> Any:
    for field in fields:
        query = where(query, field, ">", 0)
    return query


@pytest.mark.needs("refusal")
def test_what_is_not_there_is_refused_by_name(desk: Desk) -> None:
    collection = desk.fill({"a": {"v": Vector([1.0])}})
    nearest = collection.find_nearest(
        "v", Vector([1.0]), limit=1, distance_measure=DistanceMeasure.EUCLIDEAN
    )
    with refused(exceptions.MethodNotImplemented, "vector search"):
        nearest.get()
    with refused(exceptions.MethodNotImplemented, "partitions"):
        list(desk.client.collection_group(desk.id()).get_partitions(2))
    with refused(exceptions.MethodNotImplemented, "pipelines"):
        list(desk.client.pipeline().collection(desk.id()).stream())
    with refused(exceptions.MethodNotImplemented, "query profiling"):
        list(collection.stream(explain_options=firestore.ExplainOptions(analyze=True)))


def test_a_cursor_before_and_after_equals(desk: Desk) -> None:
    desk.fill({"a": {"n": 1}, "b": {"n": 2}})

    def found(edge: str, *, before: bool) -> list[str]:
        structured = StructuredQuery(
            from_=[StructuredQuery.CollectionSelector(collection_id=desk.id())],
            order_by=[{"field": {"field_path": "n"}}],
        )
        setattr(structured, edge, Cursor(values=[Value(integer_value=1)], before=before))
        request = RunQueryRequest(parent=desk.root, structured_query=structured)
        return [r.document.name[-1:] for r in desk.api.run_query(request=request) if r.document]

    assert found("start_at", before=True) == ["a", "b"]
    assert found("start_at", before=False) == ["b"]
    assert found("end_at", before=True) == []
    assert found("end_at", before=False) == ["a"]


def test_what_an_aggregation_cannot_be(desk: Desk) -> None:
    count: dict[str, Any] = {"count": {}}
    for aggregations, words in (
        ([], "1 to 5"),
        ([count] * 6, "1 to 5"),
        ([{}], "needs an operator"),
        ([{"count": {"up_to": 0}}], "greater than zero"),
        ([{**count, "alias": "a"}] * 2, "must be unique"),
        ([{"sum": {"field": {"field_path": "a..b"}}}], "property path"),
    ):
        request = RunAggregationQueryRequest(
            parent=desk.root,
            structured_aggregation_query={
                "structured_query": {"from_": [{"collection_id": desk.id()}]},
                "aggregations": aggregations,
            },
        )
        with refused(exceptions.InvalidArgument, words):
            list(desk.api.run_aggregation_query(request=request))


def test_a_count_may_stop_early(desk: Desk) -> None:
    desk.fill({f"d{n}": {} for n in range(5)})
    request = RunAggregationQueryRequest(
        parent=desk.root,
        structured_aggregation_query={
            "structured_query": {"from_": [{"collection_id": desk.id()}]},
            "aggregations": [{"count": {"up_to": 3}}],
        },
        new_transaction={},
    )
    begun, counted = desk.api.run_aggregation_query(request=request)
    assert begun.transaction
    assert counted.result.aggregate_fields["field_1"].integer_value == 3
