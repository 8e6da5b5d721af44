"""What serves: SageMaker endpoints and ECS services, with the capacity that they may grow to.

A service of ECS counts where something leads requests to it: a load balancer, a service registry or
Service Connect. One without is a worker, and no failover moves it.

Sources: docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html,
.../AmazonECS/latest/APIReference/API_DescribeServices.html (ten at a time),
.../autoscaling/application/APIReference/API_ScalableTarget.html (resource ids), and on dimensions
.../elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from crosswind.adopting.found import Mark, Serving
from crosswind_aws.adopt.asking import Asker, NotRead

Lacking = Callable[[str, NotRead], None]
"""Is told what else could not be read, while the part itself goes on."""

_AT_ONCE: Final = 10
_FAILED: Final = {"Deleting", "Failed", "OutOfService"}


def sagemaker(asker: Asker, region: str, lacking: Lacking) -> Iterator[Serving]:
    """The endpoints of a region."""
    most: dict[str, int] | None = None
    described = True
    for one in asker.pages("sagemaker", "ListEndpoints", "Endpoints", region):
        if most is None:
            most = _most(asker, region, "sagemaker", lacking)
        name, found = str(one["EndpointName"]), dict[str, Any]()
        if described:
            try:
                found = asker.ask("sagemaker", "DescribeEndpoint", region, EndpointName=name)
            except NotRead as error:
                lacking("what each endpoint has", error)
                described = not error.needs
        yield _endpoint(name, region, str(one.get("EndpointStatus", "")), found, most)


def _endpoint(
    name: str, region: str, status: str, found: Mapping[str, Any], most: Mapping[str, int]
) -> Serving:
    variants = found.get("ProductionVariants") or ()
    counts = [int(one.get("DesiredInstanceCount") or 0) for one in variants]
    scaled = [most.get(f"endpoint/{name}/variant/{one['VariantName']}") for one in variants]
    notes = []
    if status in _FAILED:
        notes.append(f"{name} in aws/{region} is {status}")
    serverless = any(
        "DesiredServerlessConfig" in one or "CurrentServerlessConfig" in one for one in variants
    )
    if serverless:
        notes.append(f"{name} in aws/{region} is serverless: it has no instances to count")
    if found.get("AsyncInferenceConfig"):
        notes.append(f"{name} in aws/{region} answers asynchronously; its tier may be batch")
    return Serving(
        name=name,
        region=f"aws/{region}",
        kind="SageMaker endpoint",
        replicas=sum(counts) if variants and not serverless else None,
        most=(
            sum(own or now for own, now in zip(scaled, counts, strict=True))
            if any(scaled)
            else None
        ),
        within="sagemaker",
        marks=frozenset({Mark(f"aws/{region}", "sagemaker.endpoint", name)}),
        notes=tuple(notes),
    )


def ecs(asker: Asker, region: str, lacking: Lacking) -> Iterator[Serving]:
    """The services of a region that requests are led to."""
    most: dict[str, int] | None = None
    balancing: _Balancing | None = None
    for cluster in asker.pages("ecs", "ListClusters", "clusterArns", region):
        arns = list(asker.pages("ecs", "ListServices", "serviceArns", region, cluster=cluster))
        for start in range(0, len(arns), _AT_ONCE):
            asked: Sequence[str] = arns[start : start + _AT_ONCE]
            answer = asker.ask("ecs", "DescribeServices", region, cluster=cluster, services=asked)
            for one in answer.get("services") or ():
                if one.get("status") != "ACTIVE":
                    continue
                if most is None or balancing is None:
                    most = _most(asker, region, "ecs", lacking)
                    balancing = _Balancing(asker, region, lacking)
                yield _service(one, region, str(cluster).rpartition("/")[2], most, balancing)


def _is_led_to(service: Mapping[str, Any]) -> bool:
    return bool(
        service.get("loadBalancers")
        or service.get("serviceRegistries")
        or any(
            (one.get("serviceConnectConfiguration") or {}).get("services")
            for one in service.get("deployments") or ()
        )
    )


def _service(
    found: Mapping[str, Any],
    region: str,
    cluster: str,
    most: Mapping[str, int],
    balancing: _Balancing,
) -> Serving:
    name = str(found["serviceName"])
    marks = {Mark(f"aws/{region}", "ecs.service", f"{cluster}/{name}")}
    for one in found.get("loadBalancers") or ():
        if arn := one.get("targetGroupArn"):
            marks |= balancing.marks(str(arn))
    return Serving(
        name=name,
        region=f"aws/{region}",
        kind="ECS service",
        replicas=int(found.get("desiredCount", 0)),
        most=most.get(f"service/{cluster}/{name}"),
        within=cluster,
        marks=frozenset(marks),
        notes=(f"{name} in aws/{region} is to have no tasks",)
        if not found.get("desiredCount")
        else (),
        why_not=""
        if _is_led_to(found)
        else "no load balancer, service registry or Service Connect leads requests to it",
    )


class _Balancing:
    """The load balancers of a region, by the target groups that they lead to."""

    def __init__(self, asker: Asker, region: str, lacking: Lacking) -> None:
        self.place = f"aws/{region}"
        self.balancers: dict[str, list[str]] = {}
        self.names: dict[str, str] = {}
        try:
            for one in asker.pages("elbv2", "DescribeTargetGroups", "TargetGroups", region):
                self.balancers[one["TargetGroupArn"]] = list(one.get("LoadBalancerArns") or ())
            for one in asker.pages("elbv2", "DescribeLoadBalancers", "LoadBalancers", region):
                self.names[one["LoadBalancerArn"]] = dns(str(one.get("DNSName", "")))
        except NotRead as error:
            lacking("load balancers", error)

    def marks(self, group: str) -> set[Mark]:
        """By what alarms and records name whatever is in a target group."""
        marks = {Mark(self.place, "target-group", group.rpartition(":")[2])}
        for arn in self.balancers.get(group, ()):
            marks.add(Mark(self.place, "load-balancer", arn.partition(":loadbalancer/")[2]))
            if name := self.names.get(arn):
                marks.add(Mark("", "dns", name))
        return marks


def dns(name: str) -> str:
    """A name of the DNS, without what tells nothing apart."""
    return name.lower().rstrip(".").removeprefix("dualstack.")


def _most(asker: Asker, region: str, service: str, lacking: Lacking) -> dict[str, int]:
    """How far autoscaling may go, by resource id."""
    found: dict[str, int] = {}
    try:
        for one in asker.pages(
            "application-autoscaling",
            "DescribeScalableTargets",
            "ScalableTargets",
            region,
            ServiceNamespace=service,
        ):
            found[str(one["ResourceId"])] = int(one["MaxCapacity"])
    except NotRead as error:
        lacking(f"how far {service} may grow", error)
    return found
