"""The built-in failover chain moves real records and real services, by the deployed function.

Everything is what a deployment has: the function under Lambda's own shape, its queue, its bus, its
table, and the performers of the account; probes are HTTP requests to real servers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from contract.aws_stack import Stack
from contract.performers_estate import EAST, EUROPE, fleet
from contract.proxy import Lose
from crosswind.chains.failover import failover_app
from crosswind.fleet.declaration import Fleet
from crosswind.ports import Message
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_id, chain_partition
from crosswind.records.record import Record
from crosswind_aws.function import Function, lambda_handler
from crosswind_aws.performers import Resources, performers
from crosswind_events import Event, RegionUnhealthy
from crosswind_local.aws_sites import AwsSite
from integration.aws.performers.lambdas import Invocation
from integration.aws.performers.wire import Wire

ROUNDS = 120
RECORD = "chat.example.com"
LOAD_BALANCER = "app/chat/50dc6c495c0c9188"


class _Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def serving() -> Iterator[str]:
    """The address of a server that answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Well)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/health"
    server.shutdown()
    thread.join(2)
    server.server_close()


class Account:
    """What a team has in its account: records, services, metrics and a topic."""

    def __init__(self, account: str, probe: str) -> None:
        self.route53 = boto3.client("route53")
        self.zone = self._zone()
        for region in (EAST, EUROPE):
            name = region.removeprefix("aws/")
            ecs = boto3.client("ecs", region_name=name)
            ecs.create_cluster(clusterName="serving")
            ecs.create_service(
                cluster="serving", serviceName="chat", taskDefinition="chat:1", desiredCount=2
            )
        topic = boto3.client("sns").create_topic(Name="people")["TopicArn"]
        sqs = boto3.client("sqs")
        self.inbox = sqs.create_queue(QueueName="people")["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{account}:people"
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.resources = Resources.read(
            {
                "workloads": {
                    "chat": {
                        "traffic": {
                            "service": "route53",
                            "zone": self.zone,
                            "record": RECORD,
                            "identifiers": {EAST: "east", EUROPE: "europe"},
                        },
                        "regions": {
                            EAST: _in_region("http://127.0.0.1:9/health"),
                            EUROPE: _in_region(probe),
                        },
                    }
                },
                "channels": {"default": topic},
            }
        )

    def _zone(self) -> str:
        created = self.route53.create_hosted_zone(Name="example.com", CallerReference="1")
        zone = str(created["HostedZone"]["Id"]).rpartition("/")[2]
        changes = [
            {
                "Action": "CREATE",
                "ResourceRecordSet": {
                    "Name": RECORD,
                    "Type": "CNAME",
                    "SetIdentifier": name,
                    "Weight": 128,
                    "TTL": 60,
                    "ResourceRecords": [{"Value": f"{name}.example.com"}],
                },
            }
            for name in ("east", "europe")
        ]
        self.route53.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": changes}
        )
        return zone

    def weights(self) -> dict[str, int]:
        listed = self.route53.list_resource_record_sets(HostedZoneId=self.zone)
        found: list[Any] = list(listed["ResourceRecordSets"])
        return {one["SetIdentifier"]: one["Weight"] for one in found if "Weight" in one}

    def tasks(self, region: str) -> int:
        ecs = boto3.client("ecs", region_name=region.removeprefix("aws/"))
        found = ecs.describe_services(cluster="serving", services=["chat"])["services"]
        return int(found[0]["desiredCount"])

    def count_traffic(self, now: float) -> None:
        """Metrics of both regions around now: the failing one answers with errors."""
        moment = datetime.fromtimestamp(now // 60 * 60, UTC)
        for region, errors in ((EAST, 900.0), (EUROPE, 0.0)):
            cloudwatch = boto3.client("cloudwatch", region_name=region.removeprefix("aws/"))
            data = [
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "LoadBalancer", "Value": LOAD_BALANCER}],
                    "Timestamp": moment - timedelta(minutes=minute),
                    "Value": value,
                }
                for minute in range(1, 4)
                for name, value in (
                    ("RequestCount", 3_000.0),
                    ("HTTPCode_Target_5XX_Count", errors),
                    ("TargetResponseTime", 0.02),
                )
            ]
            cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def _in_region(probe: str) -> dict[str, Any]:
    return {
        "endpoint": {"service": "ecs", "cluster": "serving", "name": "chat"},
        "metrics": {"service": "alb", "load_balancer": LOAD_BALANCER},
        "probe": probe,
    }


def declared() -> Fleet:
    """One observer is enough, and two steps follow each other closely."""
    found = fleet(failover={"quorum": 1.5, "min_kinds": 1}).model_dump(mode="json")
    found["workloads"]["chat"]["shift"] = {"steps": 2, "pause": 1}
    return Fleet.model_validate(found)


def work(stack: Stack, function: Function, done: Callable[[], bool]) -> None:
    """Do what Lambda's poller does, until something is done."""
    group = stack.app.groups[0]
    for _ in range(ROUNDS):
        batch = stack.receive(group)
        if batch["Records"]:
            stack.settle(batch, function(batch, Invocation(300.0)))
        elif done():
            return
        else:
            stack.site.let_pass(1)
    raise AssertionError(f"it is not done after {ROUNDS} rounds")


class Failover:
    """A deployed failover chain, and what is said to it."""

    def __init__(self, stack: Stack, account: Account) -> None:
        self.stack = stack
        self.account = account
        ours, clock = declared(), stack.site.now
        self.function = lambda_handler(
            stack.app,
            fleet=ours,
            performers=performers(account.resources, ours, store=stack.store, clock=clock),
            environ=stack.deployment(stack.app.groups[0]).to_env(),
            clock=clock,
        )

    def hear(self) -> str:
        """A person says that a region has failed; returns the outcome of what follows."""
        heard = Event.of(
            RegionUnhealthy(region=EAST, evidence="operator", reason="its racks are dark"),
            id="1",
            source="//people.example.com/ann",
            time=datetime.fromtimestamp(self.stack.site.now(), UTC),
            subject=EAST,
        )
        chain = chain_partition(chain_id(heard.source, heard.id))
        body = self.stack.app.codec.encode(heard)
        self.stack.publish(
            Message(
                heard.id,
                body,
                {"id": heard.id, "source": heard.source, "type": heard.type, "subject": EAST},
            )
        )

        def head() -> Head | None:
            item = self.stack.store.read(chain, HEAD)
            return None if item is None else Head.decode(item.value)

        work(self.stack, self.function, lambda: (its := head()) is not None and not its.open)
        ended = head()
        assert ended is not None
        if ended.outcome == "failed":
            runs = (Record.decode(item.value) for item in self.stack.store.scan(chain, RUN))
            raise AssertionError([run.fails[-1].error for run in runs if run.fails])
        return str(ended.outcome)


@pytest.fixture
def failover(lay: Callable[..., Stack], aws_account: str, serving: str) -> Failover:
    account = Account(aws_account, serving)
    stack = lay(failover_app(probe_every=None, drift_every=None))
    account.count_traffic(stack.site.now())
    return Failover(stack, account)


def test_a_region_that_fails_is_left_by_records_and_services(failover: Failover) -> None:
    assert failover.hear() == "completed"

    assert failover.account.weights() == {"east": 0, "europe": 255}
    assert failover.account.tasks(EUROPE) == 4
    assert failover.account.tasks(EAST) == 2


def test_answers_that_are_lost_after_every_change_move_nothing_twice(
    failover: Failover, local_aws: AwsSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert local_aws.url is not None
    with Wire(local_aws.url) as wire:
        for change in CHANGES:
            wire.strike(change, Lose())
        # Only the performers' own clients are made from now on.
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)

        assert failover.hear() == "completed"

        # Two steps of traffic, and one order of replicas: lost or not, each was made once.
        assert {change: wire.count(change) for change in CHANGES} == {
            "ChangeResourceRecordSets": 2,
            "UpdateService": 1,
        }
        assert failover.account.weights() == {"east": 0, "europe": 255}
        assert failover.account.tasks(EUROPE) == 4


CHANGES = ("ChangeResourceRecordSets", "UpdateService")
