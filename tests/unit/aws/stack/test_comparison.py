"""What would change, by comparing templates."""

from __future__ import annotations

from copy import deepcopy

from crosswind_aws.stack.comparison import compare
from unit.aws.stack.apps import ops
from unit.aws.stack.releases import made


def test_where_nothing_stands_all_is_added() -> None:
    after = made(ops())
    changes = list(compare(None, after))
    assert {one.resource for one in changes} == set(after["Resources"])
    assert {one.action for one in changes} == {"add"}


def test_what_is_the_same_is_not_named() -> None:
    assert list(compare(made(ops()), made(ops()))) == []


def test_a_change_is_told_by_member() -> None:
    before, after = made(ops()), made(ops())
    after["Resources"]["OpsFunction"]["Properties"]["MemorySize"] = 1024
    (change,) = compare(before, after)
    (difference,) = change.differences
    assert (change.action, change.group, change.replaced) == ("change", "ops", "no")
    assert difference == ("MemorySize", 512, 1024)


def test_what_cannot_be_changed_in_place_is_made_anew() -> None:
    before, after = made(ops()), made(ops())
    after["Resources"]["OpsQueue"]["Properties"]["QueueName"] = "other"
    (change,) = compare(before, after)
    assert (change.action, change.replaced) == ("replace", "yes")


def test_what_is_gone_is_removed() -> None:
    before, after = made(ops()), deepcopy(made(ops()))
    del after["Resources"]["OpsAgeAlarm"]
    (change,) = compare(before, after)
    assert (change.action, change.resource) == ("remove", "OpsAgeAlarm")


def test_new_tags_alone_are_told_apart() -> None:
    before, after = made(ops()), deepcopy(made(ops()))
    after["Resources"]["OpsQueue"]["Properties"]["Tags"][0]["Value"] = "other"
    (change,) = compare(before, after)
    assert change.indirect


def test_what_only_the_template_says_of_a_resource_is_no_change() -> None:
    before, after = made(ops()), deepcopy(made(ops()))
    after["Resources"]["OpsQueue"]["Metadata"] = {}
    assert list(compare(before, after)) == []
