"""What stands for a fleet in AWS: which records, services, topics and secrets its names mean.

The fleet says what is wanted and knows no cloud; this says where that is. It is declared beside
the fleet, as a file of its own, and nothing is looked up by guessing: what is not declared here is
not touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator

from crosswind.errors import CrosswindError
from crosswind.fleet.quantities import MAX_REGIONS, MAX_WORKLOADS, Declared, Share, WorkloadName
from crosswind_events import Region

OURS: Final = "_crosswind."
"""What the name of the record that holds the epoch begins with, before that of the records."""

CLUSTER_ENDPOINTS: Final = 5
"""Endpoints of a cluster of routing controls, each in another region: docs.aws.amazon.com/
r53recovery/latest/dg/routing-control.update.html."""

_PARTITION: Final = r"arn:(?P<partition>aws[a-z-]*)"
_AWS: Final = re.compile(r"aws/(?P<name>[a-z]{2}(-[a-z]+)+-\d{1,2})")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]
ZoneId = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,32}$", examples=["Z0123456789ABCDEFGHIJ"])]
DnsName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        max_length=240,
        examples=["chat.example.com"],
    ),
]
SetIdentifier = Annotated[str, Field(min_length=1, max_length=128)]
ControlArn = Annotated[
    str,
    Field(
        pattern=rf"^{_PARTITION}:route53-recovery-control::[0-9]{{12}}"
        r":controlpanel/[0-9a-f]{1,64}/routingcontrol/[0-9a-f]{1,64}$"
    ),
]
TopicArn = Annotated[
    str,
    Field(pattern=rf"^{_PARTITION}:sns:[a-z0-9-]+:[0-9]{{12}}:[A-Za-z0-9_-]{{1,256}}(\.fifo)?$"),
]
SecretArn = Annotated[
    str,
    Field(
        pattern=rf"^{_PARTITION}:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:[A-Za-z0-9_/+=.@-]{{1,512}}$"
    ),
]
KeyArn = Annotated[
    str, Field(pattern=rf"^{_PARTITION}:kms:[a-z0-9-]+:[0-9]{{12}}:key/[A-Za-z0-9-]{{1,64}}$")
]
ServiceName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")]
QuotaCode = Annotated[str, Field(pattern=r"^L-[A-Z0-9]{8}$", examples=["L-9EF96962"])]


def _reachable(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError("must begin with https://")
    if not parts.hostname or parts.username or parts.fragment:
        raise ValueError("must name a host, and neither a user nor a fragment")
    return url


Url = Annotated[str, Field(max_length=2000), AfterValidator(_reachable)]


class InvalidResources(CrosswindError, ValueError):
    """The declaration of resources holds faults; the message lists every one of them."""


class Route53Records(Declared):
    """Weighted records of one name, one for each region.

    Attributes:
        zone: id of the hosted zone.
        record: name of the records, without a dot at its end.
        type: their type.
        identifiers: the set identifier of each region's record.
    """

    service: Literal["route53"]
    zone: ZoneId
    record: DnsName
    type: Literal["A", "AAAA", "CNAME"] = "CNAME"
    identifiers: Mapping[Region, SetIdentifier] = Field(min_length=1, max_length=MAX_REGIONS)

    @model_validator(mode="after")
    def _are_told_apart(self) -> Route53Records:
        if len(set(self.identifiers.values())) < len(self.identifiers):
            raise ValueError("two regions have the same set identifier")
        return self

    @property
    def note(self) -> str:
        """Name of the record that holds the epoch."""
        return OURS + self.record


class ClusterEndpoint(Declared):
    """One of the endpoints of a cluster of routing controls."""

    url: Url
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$", examples=["us-west-2"])]


class RoutingControls(Declared):
    """Routing controls, one for each region, that turn its traffic on or off.

    Attributes:
        endpoints: all five endpoints of the cluster.
        controls: the ARN of each region's control.
        shares: what each region gets of the traffic while all are on: what the records that the
            controls stand behind say.
    """

    service: Literal["arc"]
    endpoints: tuple[ClusterEndpoint, ...] = Field(
        min_length=CLUSTER_ENDPOINTS, max_length=CLUSTER_ENDPOINTS
    )
    controls: Mapping[Region, ControlArn] = Field(min_length=1, max_length=10)
    shares: Mapping[Region, Share]

    @model_validator(mode="after")
    def _fit_together(self) -> RoutingControls:
        if set(self.shares) != set(self.controls):
            raise ValueError("controls and shares name different regions")
        if not any(self.shares.values()):
            raise ValueError("no region has a share")
        return self


class Quota(Declared):
    """A quota of Service Quotas that bounds how many replicas there can be.

    Attributes:
        service: whose it is, as `aws service-quotas list-services` names it.
        code: its code there.
        per_replica: how much of it one replica takes.
    """

    service: ServiceName
    code: QuotaCode
    per_replica: Annotated[float, Field(gt=0, le=1e6)] = 1.0


class EcsService(Declared):
    """A service of ECS; its tasks are the replicas."""

    service: Literal["ecs"]
    cluster: Name
    name: Name
    quota: Quota | None = None


class SageMakerEndpoint(Declared):
    """A variant of an endpoint of SageMaker; its instances are the replicas."""

    service: Literal["sagemaker"]
    endpoint: Annotated[Name, Field(max_length=63)]
    variant: Annotated[Name, Field(max_length=63)] = "AllTraffic"
    quota: Quota | None = None


class LoadBalancerMetrics(Declared):
    """Metrics of an application load balancer: real traffic of a workload in a region.

    Attributes:
        load_balancer: the end of its ARN, from `app/` on.
        target_group: the end of the target group's ARN, from `targetgroup/` on, where the load
            balancer serves others as well.
    """

    service: Literal["alb"]
    load_balancer: Annotated[str, Field(pattern=r"^app/[A-Za-z0-9-]{1,32}/[0-9a-f]{1,32}$")]
    target_group: (
        Annotated[str, Field(pattern=r"^targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{1,32}$")] | None
    ) = None


class SageMakerMetrics(Declared):
    """Metrics of a variant of an endpoint of SageMaker."""

    service: Literal["sagemaker"]
    endpoint: Annotated[Name, Field(max_length=63)]
    variant: Annotated[Name, Field(max_length=63)] = "AllTraffic"


class InRegion(Declared):
    """What a workload has in one region of AWS.

    Attributes:
        endpoint: what serves it there.
        metrics: where its real traffic is counted.
        probe: what a synthetic request gets, past any steering.
    """

    endpoint: Annotated[EcsService | SageMakerEndpoint, Field(discriminator="service")] | None = (
        None
    )
    metrics: (
        Annotated[LoadBalancerMetrics | SageMakerMetrics, Field(discriminator="service")] | None
    ) = None
    probe: Url | None = None


class WorkloadResources(Declared):
    """What stands for a workload: what steers its traffic, and what it has in each region."""

    traffic: Annotated[Route53Records | RoutingControls, Field(discriminator="service")] | None = (
        None
    )
    regions: Mapping[Region, InRegion] = Field(default={}, max_length=MAX_REGIONS)

    @model_validator(mode="after")
    def _are_in_aws(self) -> WorkloadResources:
        strange = [region for region in self.regions if not _AWS.fullmatch(region)]
        if strange:
            raise ValueError(
                f"{', '.join(strange)}: only regions of AWS have resources here, such as "
                "aws/us-east-1"
            )
        return self


class Spend(Declared):
    """How spend is told by workload: the cost allocation tag that holds its name."""

    tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=.:/@-]{1,128}$")] = "workload"


class Target(NamedTuple):
    """One thing in AWS, as permissions need it: whose it is, and what its ARN is made of."""

    service: str
    values: Mapping[str, str]


class Resources(Declared):
    """What stands for a fleet in an account of AWS.

    Attributes:
        workloads: by workload, as the fleet names it.
        channels: by channel of notification, the topic of SNS.
        secrets: by name, the secret of Secrets Manager.
        keys: by name, the key of KMS.
        spend: how Cost Explorer tells workloads apart; without it, it is not asked.
    """

    workloads: Mapping[WorkloadName, WorkloadResources] = Field(
        default={}, max_length=MAX_WORKLOADS
    )
    channels: Mapping[Name, TopicArn] = Field(default={}, max_length=100)
    secrets: Mapping[WorkloadName, SecretArn] = Field(default={}, max_length=MAX_WORKLOADS)
    keys: Mapping[WorkloadName, KeyArn] = Field(default={}, max_length=MAX_WORKLOADS)
    spend: Spend | None = None

    @classmethod
    def read(cls, declared: Any) -> Resources:
        """Read a declaration: the object that its file holds.

        Raises:
            InvalidResources: lists every fault.
        """
        try:
            return cls.model_validate(declared)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            faults = [f"{'.'.join(map(str, one['loc'])) or 'all'}: {one['msg']}" for one in found]
            raise InvalidResources(
                f"the resources in AWS have {len(faults)} fault(s): {'; '.join(faults)}; "
                "correct them, see docs/aws-performers.md"
            ) from None

    def targets(self) -> Iterator[Target]:
        """Everything that is declared, for whoever grants rights to it."""
        for workload in self.workloads.values():
            yield from _steering(workload.traffic)
            for region, has in workload.regions.items():
                yield from _serving(aws_region(region), has)
        for arn in self.channels.values():
            yield Target("sns", {"arn": arn})
        for arn in self.secrets.values():
            yield Target("secretsmanager", {"arn": arn})
        for arn in self.keys.values():
            yield Target("kms", {"arn": arn})
        if self.spend is not None:
            yield Target("ce", {})


def _steering(traffic: Route53Records | RoutingControls | None) -> Iterator[Target]:
    match traffic:
        case Route53Records():
            values = {"zone": traffic.zone, "record": traffic.record, "note": traffic.note}
            yield Target("route53", {**values, "type": traffic.type})
        case RoutingControls():
            for arn in traffic.controls.values():
                yield Target("arc", {"arn": arn})


def _serving(region: str, has: InRegion) -> Iterator[Target]:
    match has.endpoint:
        case EcsService(cluster=cluster, name=name):
            yield Target("ecs", {"region": region, "cluster": cluster, "name": name})
        case SageMakerEndpoint(endpoint=endpoint):
            # Its ARN has small letters, whatever its name has.
            yield Target("sagemaker", {"region": region, "endpoint": endpoint.lower()})
    if has.endpoint is not None and has.endpoint.quota is not None:
        yield Target("servicequotas", {})
    if has.metrics is not None:
        yield Target("cloudwatch", {})


def aws_region(region: str) -> str:
    """The name that AWS has for a region of the fleet.

    Raises:
        ValueError: it is not a region of AWS.
    """
    found = _AWS.fullmatch(region)
    if found is None:
        raise ValueError(f"{region} is no region of AWS, such as aws/us-east-1")
    return found["name"]
