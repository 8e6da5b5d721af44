"""What the commands themselves ask of AWS, and the rights that the guide names for each."""

from __future__ import annotations

from typing import Any, Final

import boto3
import pytest
from botocore.session import get_session

from crosswind.stacks.driver import Sizing
from crosswind_aws.stack.aws import Aws
from crosswind_aws.stack.deployed import AwsStack
from integration.aws.stack.bench import Bench
from integration.aws.stack.test_iam_facts import documented

S3: Final = {
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjectsV2": "ListBucket",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""Actions of IAM whose operations have other names:
docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html."""

FREE: Final = {"sts:GetCallerIdentity"}
"""What anybody may ask."""

UNSEEN: Final = {
    "cloudformation:TagResource": "asked with a change set that has tags",
    "s3:DeleteObjectVersion": "asked where somebody has set a bucket to keep versions",
}
"""What no request here is named by, or comes to, each with when it is asked."""

GIVEN: Final = documented("aws.md", between=("**Look.**", "**Apply.**"))
OWN: Final = documented("aws.md", between=("**Apply.**", "events:CreateEventBus"))


class Listening:
    """A session of the SDK, of which every request is remembered by the right that it needs."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.session = get_session()
        self.session.register("before-call", self.hear)

    def hear(self, **said: Any) -> None:
        model = said["model"]
        service, name = model.service_model.endpoint_prefix, model.name
        service = {"monitoring": "cloudwatch"}.get(service, service)
        self.asked.add(f"{service}:{S3.get(name, name) if service == 's3' else name}")


@pytest.fixture
def listening(bench: Bench) -> Listening:
    """What the stack of this test is asked with."""
    heard = Listening()
    bench.stack = AwsStack(bench.stack.stack, Aws(session=heard.session), clock=bench.site.now)
    return heard


def test_whoever_looks_asks_what_the_guide_names_and_all_of_it(
    bench: Bench, listening: Listening
) -> None:
    bench.apply(bench.artifacts.first)
    bench.apply(bench.artifacts.second)
    bench.site.let_pass(90)
    listening.asked.clear()

    bench.plan(bench.artifacts.second, Sizing(memory=1024), look_only=True)
    bench.stack.plan_return(None, look_only=True)
    bench.stack.status()
    bench.stack.history()

    assert listening.asked - FREE == GIVEN - FREE


def test_whoever_deploys_asks_what_the_guide_names_and_all_of_it(
    bench: Bench, listening: Listening
) -> None:
    boto3.client("events").create_event_bus(Name="crosswind-hops")
    with pytest.raises(Exception, match="already exists"):
        bench.apply(bench.artifacts.first)
    boto3.client("events").delete_event_bus(Name="crosswind-hops")
    bench.apply(bench.artifacts.first)
    bench.apply(bench.artifacts.second)
    bench.stack.apply(bench.stack.plan_return(None), bench.steps.append)
    bench.remove()

    assert listening.asked - FREE - GIVEN == OWN - set(UNSEEN)
