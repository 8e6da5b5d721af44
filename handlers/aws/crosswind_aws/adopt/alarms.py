"""CloudWatch alarms: what they watch, and which of them can say that a region is unwell.

Sources: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html (without
types named, it returns metric alarms alone), .../monitoring/Create_Composite_Alarm.html (the rule).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from crosswind.adopting.found import FoundAlarm, Mark
from crosswind_aws.adopt.asking import Asker

KINDS: Final = ("MetricAlarm", "CompositeAlarm")
"""Alarms on logs are left out: the bus has no notification of them that is known here."""

_CHILD: Final = re.compile(
    r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(\"[^\"]+\"|'[^']+'|[^\s()]+)\s*\)"
)
_OF_SCALING: Final = re.compile(r"TargetTracking-|awsec2-")
_ELSEWHERE: Final = {
    "AWS/Billing",
    "AWS/CloudFront",
    "AWS/DDoSProtection",
    "AWS/GlobalAccelerator",
    "AWS/Route53",
    "AWS/TrustedAdvisor",
}
_MARKS: Final = {
    "EndpointName": "sagemaker.endpoint",
    "LoadBalancer": "load-balancer",
    "TargetGroup": "target-group",
}
"""Dimensions that name what serves, and the kind of mark that they are."""


def read(asker: Asker, region: str) -> Iterator[FoundAlarm]:
    """The alarms of a region."""
    for kind, one in described(asker, region):
        composite = kind == "CompositeAlarm"
        yield FoundAlarm(
            name=str(one["AlarmName"]),
            region=f"aws/{region}",
            kind="composite alarm" if composite else "metric alarm",
            marks=frozenset(_marks(one, region)),
            children=frozenset(children(one.get("AlarmRule", ""))) if composite else frozenset(),
            why_not=_why_not(one),
        )


def described(asker: Asker, region: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The alarms of a region as AWS describes them, each with its kind."""
    for kind in KINDS:
        yield from (
            (kind, one)
            for one in asker.pages(
                "cloudwatch", "DescribeAlarms", f"{kind}s", region, AlarmTypes=[kind]
            )
        )


def children(rule: str) -> Iterator[str]:
    """Names of alarms in the rule of a composite alarm; an ARN stands for the name in it."""
    for found in _CHILD.findall(rule):
        name = found[1:-1] if found[0] in "\"'" else found
        yield name.partition(":alarm:")[2] or name


def metrics(alarm: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Namespaces and dimensions of what a metric alarm watches."""
    watched = [
        alarm,
        *(query.get("MetricStat", {}).get("Metric", {}) for query in alarm.get("Metrics") or ()),
    ]
    for metric in watched:
        if namespace := metric.get("Namespace"):
            named = metric.get("Dimensions") or ()
            yield str(namespace), {str(one["Name"]): str(one["Value"]) for one in named}


def _marks(alarm: Mapping[str, Any], region: str) -> Iterator[Mark]:
    place = f"aws/{region}"
    for _, dimensions in metrics(alarm):
        for name, kind in _MARKS.items():
            if name in dimensions:
                yield Mark(place, kind, dimensions[name])
        if "ServiceName" in dimensions and "ClusterName" in dimensions:
            service = f"{dimensions['ClusterName']}/{dimensions['ServiceName']}"
            yield Mark(place, "ecs.service", service)


def _why_not(alarm: Mapping[str, Any]) -> str:
    if _OF_SCALING.match(str(alarm["AlarmName"])):
        return "belongs to autoscaling: it says that load changed, not that something is unwell"
    watched = {namespace for namespace, _ in metrics(alarm)}
    if watched & _ELSEWHERE:
        return f"metrics of {', '.join(sorted(watched))} say nothing about the region they live in"
    expressions = " ".join(str(query.get("Expression", "")) for query in alarm.get("Metrics") or ())
    if "ANOMALY_DETECTION_BAND" in expressions.upper():
        return "watches a band of what is usual: that is an anomaly, and no evidence of an outage"
    return ""
