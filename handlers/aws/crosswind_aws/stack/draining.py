"""What a group that is no longer in the app leaves standing until it is worked.

A queue that is deleted takes its messages with it. So a group goes in two steps:

    first    its rules and schedules go: nothing new arrives. Queue, function and all that these
             need stay as they were deployed, with the code that knows the group
    then     once its queues are empty, and nothing can be on its way to them any more, all of it

What is on its way when a rule goes is delivered by EventBridge within moments; SQS counts messages
correctly a minute after the last was sent: docs.aws.amazon.com/AWSSimpleQueueService/latest/
APIReference/API_GetQueueAttributes.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final, NamedTuple

from crosswind.stacks.plan import Waiting
from crosswind_aws.stack import groups, names
from crosswind_aws.stack.template import Template, about, group_of, sender

QUIET: Final = 60.0
"""Seconds after which a queue's count of messages can be relied on."""

_ARRIVING: Final = re.compile(r"(Rule\d+|Tick[0-9a-f]{8})")
"""Kinds of resource by which something arrives at a group's queue."""


class Drained(NamedTuple):
    """A template in which what cannot go yet still stands, and what waits for what."""

    template: Template
    waiting: tuple[Waiting, ...]


def drain(
    stack: str,
    deployed: Mapping[str, Any] | None,
    wanted: Template,
    messages: Callable[[str], int],
    quiet: float,
) -> Drained:
    """A template that takes no queue away that may hold messages.

    Args:
        deployed: the template that stands; None where there is none.
        wanted: the template without the groups that go.
        messages: how many messages a group's queues hold, and schedules that send to them.
        quiet: seconds since the stack was last changed.
    """
    said = about(deployed or {})
    if deployed is None or not said:
        return Drained(wanted, ())
    going = [group for group in _groups(deployed) if group not in _groups(wanted)]
    made = deepcopy(wanted)
    waiting: list[Waiting] = []
    left: list[str] = []
    for group in going:
        wait = _wait(group, group in said.get("draining", ()), messages, quiet)
        if wait is None:
            continue
        waiting.append(wait)
        left.append(group)
        made["Resources"] |= _kept(deployed, group)
    if left:
        made["Metadata"]["Crosswind"]["draining"] = left
        role = sender(stack, [q for group in _groups(made) for q in groups.queues(stack, group)])
        groups.tagged({"AppSender": role}, {"crosswind:app": said["app"]})
        made["Resources"]["AppSender"] = role
    return Drained(made, tuple(waiting))


def _wait(
    group: str, draining: bool, messages: Callable[[str], int], quiet: float
) -> Waiting | None:
    if not draining:
        return Waiting(
            group,
            "its rules and schedules go now, and its queues and function once these are empty: "
            "apply again then",
        )
    if quiet < QUIET:
        return Waiting(
            group,
            f"its rules went {quiet:.0f} s ago, and something may still be on its way; apply again "
            f"in {QUIET - quiet:.0f} s",
        )
    count = messages(group)
    if count:
        return Waiting(group, f"its queues hold {count} message(s); apply again later", count)
    return None


def _groups(template: Mapping[str, Any]) -> list[str]:
    """Every group that has resources, draining ones too."""
    found = (group_of(resource) for resource in template["Resources"].values())
    return list(dict.fromkeys(group for group in found if group))


def _kept(deployed: Mapping[str, Any], group: str) -> dict[str, Any]:
    """A group's resources as they stand, without those by which something arrives."""
    prefix = names.logical(group)
    kept: dict[str, Any] = {}
    for name, resource in deployed["Resources"].items():
        if group_of(resource) != group or _ARRIVING.fullmatch(name.removeprefix(prefix)):
            continue
        kept[name] = deepcopy(resource)
    return kept
