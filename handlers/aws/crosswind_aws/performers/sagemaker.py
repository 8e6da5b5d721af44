"""Replicas as instances of a variant of an endpoint of SageMaker.

Sources: docs.aws.amazon.com/sagemaker/latest/APIReference/
API_UpdateEndpointWeightsAndCapacities.html (the endpoint is Updating, then InService;
ResourceLimitExceeded), API_DescribeEndpoint.html (counts, states, FailureReason), API_AddTags.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from crosswind_aws.performers.asking import Deadline, Services
from crosswind_aws.performers.failures import CallFailed, InConflict, NotFound
from crosswind_aws.performers.replicas import Mark, Seen
from crosswind_aws.performers.resources import SageMakerEndpoint

BUSY: Final = {"Creating", "Updating", "SystemUpdating", "RollingBack"}
"""States in which an endpoint takes no order."""

DOWN: Final = {"Creating", "OutOfService", "Deleting", "Failed"}
"""States in which an endpoint serves nothing."""

_QUOTA: Final = re.compile(
    r"is (?P<most>\d+) instances?, with current utilization of (?P<used>\d+) instances?",
    re.IGNORECASE,
)
_SAID: Final = 300


class Instances:
    """Orders and sees instances of endpoints."""

    least = 1
    """A variant cannot be without any."""

    def __init__(self) -> None:
        self._ask = Services("sagemaker", meaning=_meaning)

    def find(
        self, endpoint: SageMakerEndpoint, region: str, deadline: Deadline, *, marked: bool
    ) -> Seen:
        """See a variant."""
        ask = self._ask[region]
        told = ask.read("describe_endpoint", deadline, EndpointName=endpoint.endpoint)
        found = seen(told, endpoint)
        if not marked:
            return found
        tags = ask.read("list_tags", deadline, ResourceArn=found.arn)["Tags"]
        return found._replace(mark=Mark.of(tags, "Key", "Value"))

    def order(
        self, endpoint: SageMakerEndpoint, region: str, count: int, deadline: Deadline
    ) -> None:
        """Ask for so many instances; its weight among the variants stays as it is."""
        self._ask[region](
            "update_endpoint_weights_and_capacities",
            deadline,
            EndpointName=endpoint.endpoint,
            DesiredWeightsAndCapacities=[
                {"VariantName": endpoint.variant, "DesiredInstanceCount": count}
            ],
        )

    def mark(self, arn: str, region: str, mark: Mark, deadline: Deadline) -> None:
        """Leave epoch and key as tags of the endpoint."""
        tags = mark.tags("Key", "Value")
        self._ask[region]("add_tags", deadline, ResourceArn=arn, Tags=tags)

    def possible(self, said: str, seen: Seen) -> int | None:
        """What the quota leaves: it says how many there may be, and how many are used."""
        found = _QUOTA.search(said)
        if found is None:
            return None
        return seen.desired + max(0, int(found["most"]) - int(found["used"]))


def seen(told: Mapping[str, Any], endpoint: SageMakerEndpoint) -> Seen:
    """A variant, as DescribeEndpoint tells of it.

    Raises:
        NotFound: the endpoint has no such variant.
    """
    state = str(told["EndpointStatus"])
    variants = {one["VariantName"]: one for one in told.get("ProductionVariants", ())}
    if endpoint.variant not in variants:
        raise NotFound(
            "sagemaker describe_endpoint",
            "VariantNotFound",
            f"{endpoint.endpoint} ({state}) has no variant {endpoint.variant}",
        )
    variant = variants[endpoint.variant]
    current = int(variant.get("CurrentInstanceCount") or 0)
    desired = int(variant.get("DesiredInstanceCount") or current)
    busy = f"the endpoint is {state}" if state in BUSY else ""
    ready = 0 if state in DOWN else min(current, desired) if busy else current
    short = ""
    if not busy and (ready < desired or told.get("FailureReason")):
        short = str(told.get("FailureReason") or f"{ready} of {desired} instances serve; {state}")
    return Seen(
        arn=told["EndpointArn"],
        desired=desired,
        ready=ready,
        starting=0 if short else max(0, desired - ready),
        busy=busy,
        short=short[:_SAID],
    )


def _meaning(code: str, said: str) -> type[CallFailed] | None:
    """SageMaker tells some things apart by words alone."""
    if code != "ValidationException":
        return None
    words = said.lower()
    if "could not find" in words:
        return NotFound
    if "in-progress" in words or "currently" in words:
        return InConflict
    return None
