"""What things are called."""

from __future__ import annotations

import re
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind_aws.stack import names
from unit.aws.stack.apps import ops
from unit.aws.stack.releases import made

GROUPS = st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True)


@settings(max_examples=200)
@given(first=GROUPS, second=GROUPS)
def test_no_two_groups_share_a_name_in_the_template(first: str, second: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]+", names.logical(first))
    assert (names.logical(first) == names.logical(second)) == (first == second)


@settings(max_examples=100)
@given(group=GROUPS, stack=st.from_regex(r"crosswind-[a-z-]{1,60}", fullmatch=True))
def test_names_fit_where_they_are_given(group: str, stack: str) -> None:
    assert len(names.function(stack, group)) <= names.FUNCTION
    bucket = names.bucket(stack, "123456789012", "ap-southeast-1")
    assert len(bucket) <= 63
    assert bucket == bucket.lower()


def test_a_name_that_is_cut_differs_from_its_neighbours() -> None:
    assert names.fitted("a" * 70, 64) != names.fitted("a" * 71, 64)
    assert names.fitted("short", 64) == "short"


def test_no_kind_of_resource_ends_like_another_so_that_groups_cannot_meet() -> None:
    template = made(ops())
    kinds = {
        name.removeprefix("Ops") for name in template["Resources"] if name.startswith("Ops")
    } | {name for name in template["Resources"] if name.startswith("App")}
    for one, other in combinations(sorted(kinds), 2):
        assert not one.endswith(other), (one, other)
        assert not other.endswith(one), (one, other)
