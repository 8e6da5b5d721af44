"""Values and their order, field paths, sizes, and the changes that the server makes."""

import math
from typing import Any

import pytest
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.order import Order
from google.cloud.firestore_v1.types import DocumentTransform
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crosswind_local.errors import ServiceError
from crosswind_local.firestore import aggregations, paths, transforms, values
from crosswind_local.firestore.protocol import Document, Value, timestamp

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from([0.5, 1.0, -1.0]),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.datetimes(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def encoded(value: Any) -> Any:
    return _helpers.encode_value(value)._pb


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES)
@example(math.nan, -math.inf)
@example(2**53, float(2**53))
@example("\uffff", "\U0001f600")
@example({"a": 1, "b": 1}, {"a": 1, "b": 1, "c": 1})
@example([1], [1, 1])
def test_values_are_ordered_as_the_sdk_orders_them(left: Any, right: Any) -> None:
    one, other = encoded(left), encoded(right)
    ours = values.key(one), values.key(other)
    theirs = Order.compare(_helpers.encode_value(left), _helpers.encode_value(right))
    assert (ours[0] > ours[1]) - (ours[0] < ours[1]) == sign(theirs)
    assert (ours[0] == ours[1]) is (theirs == 0)


def test_large_integers_are_told_apart_from_the_double_between_them() -> None:
    exact, near = Value(integer_value=2**53 + 1), Value(double_value=float(2**53))
    assert values.key(exact) > values.key(near)


def test_a_query_looks_at_the_first_1500_bytes_of_a_string() -> None:
    one, other = Value(string_value="x" * 1500 + "a"), Value(string_value="x" * 1500 + "b")
    assert values.key(one) < values.key(other)
    assert values.key(one, 1500) == values.key(other, 1500)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4))
@example(["a.b", "`", "\\", "x&y"])
@example(["7", "ü"])
def test_a_field_path_is_read_as_the_sdk_writes_it(segments: list[str]) -> None:
    assert paths.parse(FieldPath(*segments).to_api_repr()) == tuple(segments)


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a b", "a-b", "1a", "`a", "``", "a`b`", "`a`b", "a*"]
)
def test_what_is_no_field_path_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="Invalid property path"):
        paths.parse(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="a.`\\ 1_", max_size=12))
def test_any_text_is_a_field_path_or_refused(text: str) -> None:
    try:
        segments = paths.parse(text)
    except ServiceError:
        return
    assert paths.parse(FieldPath(*segments).to_api_repr()) == segments


def test_the_size_of_a_document_is_that_of_the_documented_example() -> None:
    document = Document(
        name="projects/p/databases/d/documents/users/jeff/tasks/my_task_id",
        fields={
            "type": Value(string_value="Personal"),
            "done": Value(boolean_value=False),
            "priority": Value(integer_value=1),
            "description": Value(string_value="Learn Cloud Firestore"),
        },
    )
    assert values.size_of_name(document.name) == 44
    assert values.size_of_document(document) == 147


NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS)
def test_increments_keep_to_integers_of_64_bits_or_become_doubles(before: float, by: float) -> None:
    fields = Document(fields={"n": encoded(before)}).fields
    change = {"field_path": "n", "increment": encoded(by)}
    result = transforms.apply(_transform(change), fields, timestamp(0))
    assert result == fields["n"]
    if isinstance(before, int) and isinstance(by, int):
        assert result.integer_value == max(-(2**63), min(2**63 - 1, before + by))
    else:
        expected = float(before) + float(by)
        assert result.double_value == expected or math.isnan(expected)


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS)
def test_an_extreme_is_one_of_the_two_with_its_type(before: float, given_: float) -> None:
    for kind, choose in (("maximum", max), ("minimum", min)):
        fields = Document(fields={"n": encoded(before)}).fields
        transforms.apply(
            _transform({"field_path": "n", kind: encoded(given_)}), fields, timestamp(0)
        )
        # Where both are equal, the stored one stays: max and min return their first argument.
        assert fields["n"] == encoded(choose(before, given_))


def test_a_sum_beyond_64_bits_is_a_double_and_an_average_of_nothing_is_null() -> None:
    documents = [Document(fields={"n": Value(integer_value=2**62)}) for _ in range(2)]
    total = aggregations.Aggregation("s", "sum", ("n",), None)
    average = aggregations.Aggregation("a", "avg", ("n",), None)
    assert total.over(documents[:1]) == Value(integer_value=2**62)
    assert total.over(documents) == Value(double_value=2.0**63)
    assert total.over([]) == Value(integer_value=0)
    assert average.over(documents) == Value(double_value=2.0**62)
    assert average.over([]) == Value(null_value=0)


def _transform(given_: dict[str, Any]) -> Any:
    return DocumentTransform.FieldTransform.pb()(**given_)
