"""A group that leaves the app goes in two steps, and its queue never with messages in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crosswind import App, Context, Event
from crosswind_aws.stack.draining import QUIET, drain
from crosswind_aws.stack.template import Template, about
from crosswind_events import RegionUnhealthy
from unit.aws.stack.apps import ops
from unit.aws.stack.releases import STACK, made
from unit.aws.stack.test_template import references


def smaller() -> App:
    """The app without its groups `desk` and `clock`."""
    app = App("ops")

    @app.on(name="move")
    def move(event: Event[RegionUnhealthy], ctx: Context) -> None: ...

    return app


def holding(count: int) -> Callable[[str], int]:
    return lambda group: count


def never(group: str) -> int:
    raise AssertionError(f"the queues of {group} are not looked at before nothing can come")


@pytest.fixture
def first() -> Template:
    """What is deployed after the first step."""
    return drain(STACK, made(ops()), made(smaller()), never, 3_600.0).template


def of(template: Template, prefix: str) -> dict[str, Any]:
    return {n: one for n, one in template["Resources"].items() if n.startswith(prefix)}


def test_first_goes_what_feeds_it_and_all_else_stays_as_it_was(first: Template) -> None:
    before, after = of(made(ops()), "Clock"), of(first, "Clock")
    gone = {one["Type"] for name, one in before.items() if name not in after}
    assert gone == {"AWS::Events::Rule", "AWS::Scheduler::Schedule"}
    assert after["ClockFunction"] == before["ClockFunction"]
    assert about(first)["draining"] == ["desk", "clock"]


def test_schedules_may_still_send_to_what_drains(first: Template) -> None:
    (policy,) = first["Resources"]["AppSender"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert {one["Fn::Sub"].rpartition(":")[2] for one in statement["Resource"]} == {
        f"{STACK}-{group}{end}" for group in ("ops", "desk", "clock") for end in ("", "-dead")
    }


def test_nothing_that_stays_refers_to_what_went(first: Template) -> None:
    known = {*first["Resources"], *first["Parameters"], "AWS::AccountId"}
    assert set(references(first)) <= known


def test_the_plan_says_what_waits(first: Template) -> None:
    drained = drain(STACK, first, made(smaller()), holding(3), QUIET)
    assert [(one.group, one.messages) for one in drained.waiting] == [("desk", 3), ("clock", 3)]
    assert "ClockQueue" in drained.template["Resources"]


def test_a_queue_is_not_believed_to_be_empty_before_a_minute_has_passed(first: Template) -> None:
    drained = drain(STACK, first, made(smaller()), never, QUIET - 1)
    assert "something may still be on its way" in drained.waiting[0].reason
    assert "ClockQueue" in drained.template["Resources"]


def test_what_is_empty_goes_whole(first: Template) -> None:
    drained = drain(STACK, first, made(smaller()), holding(0), QUIET)
    assert drained.waiting == ()
    assert drained.template == made(smaller())


def test_one_group_may_go_while_another_waits(first: Template) -> None:
    drained = drain(STACK, first, made(smaller()), lambda group: group == "desk", QUIET)
    assert of(drained.template, "Desk")
    assert not of(drained.template, "Clock")
    assert about(drained.template)["draining"] == ["desk"]
    known = {*drained.template["Resources"], *drained.template["Parameters"], "AWS::AccountId"}
    assert set(references(drained.template)) <= known


def test_a_group_that_comes_back_is_as_the_app_says(first: Template) -> None:
    assert drain(STACK, first, made(ops()), never, 0.0).template == made(ops())


def test_without_a_stack_nothing_drains() -> None:
    assert drain(STACK, None, made(smaller()), never, 0.0) == (made(smaller()), ())
