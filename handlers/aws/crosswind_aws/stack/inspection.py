"""How a stack fares: each group's function, queues and alarms, and what is not as it should be."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from crosswind.stacks.driver import NotDeployed, Part, Status
from crosswind_aws.faults import code_of
from crosswind_aws.stack import groups, names, states
from crosswind_aws.stack.attempts import Attempts
from crosswind_aws.stack.aws import Aws, explained
from crosswind_aws.stack.standing import Standing, depth, look
from crosswind_aws.stack.template import group_of

_WORKING: Final = {"Active", "Pending"}
"""States of a function that has nothing against it: it is there, or will be in a moment."""

_NO_FUNCTION: Final = "missing"


def status(aws: Aws, attempts: Attempts, stack: str, now: float) -> Status:
    """How it fares.

    Args:
        now: seconds since the epoch.

    Raises:
        NotDeployed: there is no such stack.
    """
    found = look(aws, stack)
    if found is None or not found.exists:
        begun = attempts.told(found, now)
        raise NotDeployed("; ".join((f"there is no stack {stack} in {aws.place}", *begun)))
    said = found.about
    parts = tuple(_parts(aws, stack, found))
    digest = str(said.get("digest", ""))
    return Status(
        stack=stack,
        place=aws.place,
        app=str(said.get("app", "")),
        state=found.state,
        digest=digest,
        changed=found.changed,
        parts=parts,
        troubles=(*_troubles(found, parts, digest), *attempts.told(found, now)),
    )


def _parts(aws: Aws, stack: str, found: Standing) -> Iterator[Part]:
    raised = _raised(aws, stack)
    draining = found.about.get("draining", ())
    for group in dict.fromkeys(map(group_of, found.template["Resources"].values())):
        if not group:
            continue
        queue, dead = groups.queues(stack, group)
        state, digest = _function(aws, names.function(stack, group))
        held = depth(aws, queue)
        own = f"{stack}-{group}-"
        yield Part(
            group=group,
            state=state,
            digest=digest,
            waiting=held.waiting,
            in_hand=held.in_hand,
            delayed=held.delayed,
            dead=depth(aws, dead).all,
            alarms=tuple(name.removeprefix(own) for name in raised if name.startswith(own)),
            draining=group in draining,
        )


def _function(aws: Aws, name: str) -> tuple[str, str | None]:
    """The state of a function, and the digest of its code."""
    with explained(f"look at function {name}"):
        try:
            found = aws.functions.get_function_configuration(FunctionName=name)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return _NO_FUNCTION, None
            raise
    code = found.get("CodeSha256")
    return str(found.get("State", "Active")), base64.b64decode(code).hex() if code else None


def _raised(aws: Aws, stack: str) -> list[str]:
    """Names of the stack's alarms that are raised."""
    with explained("look at alarms"):
        pages = aws.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=f"{stack}-", StateValue="ALARM"
        )
        return [one["AlarmName"] for page in pages for one in page.get("MetricAlarms", ())]


def _troubles(found: Standing, parts: tuple[Part, ...], digest: str) -> Iterator[str]:
    if not states.is_well(found.state):
        yield f"the stack is {found.state}"
    for part in parts:
        if part.state not in _WORKING:
            yield f"the function of group {part.group} is {part.state}"
        if part.digest is not None and part.digest != digest and not part.draining:
            yield (
                f"the function of group {part.group} has other code than was deployed "
                f"({part.digest[:12]}); apply again"
            )
        if part.dead:
            yield f"group {part.group} has {part.dead} dead letter(s) that are not buried yet"
        for alarm in part.alarms:
            yield f"alarm {alarm} of group {part.group} is raised"
