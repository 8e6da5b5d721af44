"""Releases that no file stands behind, for tests of what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crosswind.app import App
from crosswind.packaging.manifest import groups_of, schedules_of
from crosswind.stacks.driver import Request, Sizing
from crosswind.stacks.release import Release, group_of, timed_of
from crosswind_aws.stack.template import Template, template

DIGEST = "ab" * 32
STACK = "crosswind-ops"

RESOURCES: dict[str, Any] = {
    "workloads": {
        "chat": {
            "traffic": {
                "service": "route53",
                "zone": "Z0123456789ABCDEFGHIJ",
                "record": "chat.example.com",
                "identifiers": {"aws/us-east-1": "east", "aws/us-west-2": "west"},
            },
            "regions": {
                "aws/us-east-1": {
                    "endpoint": {"service": "ecs", "cluster": "main", "name": "chat"},
                    "metrics": {"service": "alb", "load_balancer": "app/chat/0123456789abcdef"},
                }
            },
        }
    },
    "channels": {"default": "arn:aws:sns:us-east-1:123456789012:oncall"},
}


def release(app: App, digest: str = DIGEST) -> Release:
    """An app as it stands in an artifact's manifest."""
    groups = groups_of(app, None)
    return Release(
        path=Path("made.zip"),
        digest=digest,
        app=app.name,
        runtime="python3.13",
        architecture="arm64",
        handler="crosswind_handler.handler",
        groups=tuple(group_of(name, said) for name, said in groups.items()),
        schedules=tuple(timed_of(one) for one in schedules_of(app, groups)),
    )


def made(app: App, sizing: Sizing | None = None, stack: str = STACK, **request: Any) -> Template:
    """The template of an app."""
    return template(stack, Request(release(app), sizing or Sizing(), **request))
