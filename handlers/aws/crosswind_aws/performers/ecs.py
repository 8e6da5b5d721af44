"""Replicas as tasks of a service of ECS.

Sources: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html (desiredCount is
taken at once; no token), API_DescribeServices.html (counts, events, tags), API_TagResource.html,
and .../developerguide/service-event-messages-list.html (what the events say).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from crosswind_aws.performers.asking import Deadline, Services
from crosswind_aws.performers.failures import NotFound
from crosswind_aws.performers.replicas import Mark, Seen
from crosswind_aws.performers.resources import EcsService

_UNPLACED: Final = re.compile(
    r"unable to (consistently )?(place|start) (a )?tasks?|reached the limit|capacity is unavail",
    re.IGNORECASE,
)
_STEADY: Final = "has reached a steady state"
_EVENTS: Final = 20
_SAID: Final = 300


class Tasks:
    """Orders and sees tasks of services."""

    least = 0

    def __init__(self) -> None:
        self._ask = Services("ecs")

    def find(self, endpoint: EcsService, region: str, deadline: Deadline, *, marked: bool) -> Seen:
        """See a service. Its tags come with it, whether they are wanted or not."""
        answer = self._ask[region].read(
            "describe_services",
            deadline,
            cluster=endpoint.cluster,
            services=[endpoint.name],
            include=["TAGS"],
        )
        found = [one for one in answer["services"] if one["status"] == "ACTIVE"]
        if not found:
            why = f"there is no active service {endpoint.name} in cluster {endpoint.cluster}"
            raise NotFound(f"ecs describe_services in {region}", "ServiceNotFound", why)
        return seen(found[0])

    def order(self, endpoint: EcsService, region: str, count: int, deadline: Deadline) -> None:
        """Ask for so many tasks; ECS starts what it can, and says so in the service's events."""
        self._ask[region](
            "update_service",
            deadline,
            cluster=endpoint.cluster,
            service=endpoint.name,
            desiredCount=count,
        )

    def mark(self, arn: str, region: str, mark: Mark, deadline: Deadline) -> None:
        """Leave epoch and key as tags of the service."""
        tags = mark.tags("key", "value")
        self._ask[region]("tag_resource", deadline, resourceArn=arn, tags=tags)

    def possible(self, said: str, seen: Seen) -> int | None:
        """ECS takes any number and starts what it can."""
        return None


def seen(service: Mapping[str, Any]) -> Seen:
    """A service, as DescribeServices tells of it."""
    desired, running = int(service["desiredCount"]), int(service["runningCount"])
    pending = int(service["pendingCount"])
    short = _short(service) if running < desired else ""
    return Seen(
        arn=service["serviceArn"],
        desired=desired,
        ready=running,
        # Where all can be placed, those that ECS has not come to yet are on their way as well.
        starting=pending if short else max(pending, desired - running, 0),
        mark=Mark.of(service.get("tags", ()), "key", "value"),
        short=short,
    )


def _short(service: Mapping[str, Any]) -> str:
    """Why tasks cannot be placed, by the newest events since the service was last changed."""
    changed = max(
        (one["updatedAt"] for one in service.get("deployments", ()) if one["status"] == "PRIMARY"),
        default=None,
    )
    recent: Iterable[Mapping[str, Any]] = service.get("events", ())[:_EVENTS]
    for event in recent:
        if (changed is not None and event["createdAt"] < changed) or _STEADY in event["message"]:
            break
        if _UNPLACED.search(event["message"]):
            return str(event["message"])[:_SAID]
    return ""
