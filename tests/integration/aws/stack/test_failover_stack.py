"""The built-in failover as a stack: larger than a request may be, and hosted with care."""

from __future__ import annotations

import os

import boto3
import pytest

from crosswind_aws.stack.aws import Aws
from crosswind_aws.stack.deployed import AwsStack
from crosswind_aws.stack.template import INLINE, template, written
from integration.aws.stack.bench import Bench

STACK = "crosswind-failover"


def hosted(bench: Bench, region: str | None = None) -> Bench:
    """The bench, with a stack for the failover."""
    bench.stack = AwsStack(STACK, Aws(region), clock=bench.site.now)
    return bench


def test_a_failover_is_not_hosted_in_a_region_that_its_fleet_leaves(bench: Bench) -> None:
    hosted(bench, "us-east-1")
    plan = bench.plan(bench.artifacts.failover)
    assert "fleet hosted leaves aws/us-east-1 when it fails (chat)" in plan.refusals[0]
    assert bench.plan(bench.artifacts.failover, share_fate=True).refusals == ()


def test_a_template_larger_than_a_request_may_be_is_planned_and_applied(bench: Bench) -> None:
    hosted(bench)
    request = bench.request(bench.artifacts.failover, share_fate=True)
    bench.apply(bench.artifacts.failover, share_fate=True)
    again = bench.plan(bench.artifacts.failover, share_fate=True)
    assert (again.means, again.is_empty) == ("change set", True)
    status = bench.stack.status()
    assert {part.state for part in status.parts} == {"Active"}
    assert len(status.parts) == len(request.release.groups)
    assert len(written(template(STACK, request))) < INLINE or "templates/" in str(keys())
    bench.remove()
    assert bench.left() == {}


@pytest.mark.parametrize("region", ["eu-west-1"])
def test_a_region_in_which_the_fleet_has_nothing_hosts_it_as_it_is(
    bench: Bench, region: str
) -> None:
    hosted(bench, region)
    plan = bench.plan(bench.artifacts.failover)
    assert plan.refusals == ()
    assert plan.place == f"aws/{region}"
    bench.stack.apply(plan, bench.steps.append)
    assert bench.stack.status().troubles == ()
    assert os.environ["AWS_REGION"] != region
    bench.remove()
    assert bench.left() == {}


def keys() -> list[str]:
    account = boto3.client("sts").get_caller_identity()["Account"]
    bucket = f"{STACK}-{account}-us-east-1"
    found = boto3.client("s3").list_objects_v2(Bucket=bucket)
    return [one["Key"] for one in found["Contents"]]
