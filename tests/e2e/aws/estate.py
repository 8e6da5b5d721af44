"""What a team has in its account before anything is deployed, and what it sees of it afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import yaml

EAST, EUROPE = "aws/us-east-1", "aws/eu-west-1"
RECORD = "chat.example.com"
LOAD_BALANCER = "app/chat/50dc6c495c0c9188"
IDENTIFIERS = {EAST: "east", EUROPE: "europe"}


class Estate:
    """Records, services, metrics and a topic of a workload in two regions.

    Args:
        europe: the address that is probed there.
        east: that of the other region; one at which nobody answers unless given, and then what its
            users get is failures.
    """

    def __init__(self, europe: str, east: str | None = None) -> None:
        self.probes = {EAST: east or "http://127.0.0.1:9/health", EUROPE: europe}
        self._route53 = boto3.client("route53")
        self._zone = self._records()
        for region in IDENTIFIERS:
            ecs = boto3.client("ecs", region_name=_name(region))
            ecs.create_cluster(clusterName="serving")
            ecs.create_service(
                cluster="serving", serviceName="chat", taskDefinition="chat:1", desiredCount=2
            )
        sns = boto3.client("sns", region_name="us-east-1")
        self._topic = sns.create_topic(Name="people")["TopicArn"]
        self._measure(900.0 if east is None else 0.0)

    def declare(self, folder: Path) -> None:
        """Write `aws.yaml`."""
        declared = {
            "workloads": {
                "chat": {
                    "traffic": {
                        "service": "route53",
                        "zone": self._zone,
                        "record": RECORD,
                        "identifiers": IDENTIFIERS,
                    },
                    "regions": {
                        region: {
                            "endpoint": {"service": "ecs", "cluster": "serving", "name": "chat"},
                            "metrics": {"service": "alb", "load_balancer": LOAD_BALANCER},
                            "probe": probe,
                        }
                        for region, probe in self.probes.items()
                    },
                }
            },
            "channels": {"default": self._topic},
        }
        (folder / "aws.yaml").write_text(yaml.safe_dump(declared))

    def weights(self) -> dict[str, int]:
        """The weight of each record."""
        listed = self._route53.list_resource_record_sets(HostedZoneId=self._zone)
        found: list[Any] = list(listed["ResourceRecordSets"])
        return {one["SetIdentifier"]: one["Weight"] for one in found if "Weight" in one}

    def tasks(self) -> dict[str, int]:
        """How many tasks are wanted of the service, by region."""
        wanted = {}
        for region in IDENTIFIERS:
            ecs = boto3.client("ecs", region_name=_name(region))
            (found,) = ecs.describe_services(cluster="serving", services=["chat"])["services"]
            wanted[region] = int(found["desiredCount"])
        return wanted

    def _records(self) -> str:
        created = self._route53.create_hosted_zone(Name="example.com", CallerReference="1")
        zone = str(created["HostedZone"]["Id"]).rpartition("/")[2]
        changes: list[Any] = [
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
            for name in IDENTIFIERS.values()
        ]
        self._route53.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": changes}
        )
        return zone

    def set_weight(self, identifier: str, weight: int) -> None:
        """Change the weight of a record by hand."""
        listed = self._route53.list_resource_record_sets(HostedZoneId=self._zone)
        (record,) = (
            one for one in listed["ResourceRecordSets"] if one.get("SetIdentifier") == identifier
        )
        change: Any = {"Action": "UPSERT", "ResourceRecordSet": {**record, "Weight": weight}}
        self._route53.change_resource_record_sets(
            HostedZoneId=self._zone, ChangeBatch={"Changes": [change]}
        )

    def _measure(self, east: float) -> None:
        """Real traffic of the last minutes, and how much of it fails there."""
        moment = datetime.now(UTC).replace(second=0, microsecond=0)
        for region, errors in ((EAST, east), (EUROPE, 0.0)):
            data: list[Any] = [
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": "LoadBalancer", "Value": LOAD_BALANCER}],
                    "Timestamp": moment - timedelta(minutes=minute),
                    "Value": value,
                }
                for minute in range(1, 4)
                for metric, value in (
                    ("RequestCount", 3_000.0),
                    ("HTTPCode_Target_5XX_Count", errors),
                    ("TargetResponseTime", 0.02),
                )
            ]
            cloudwatch = boto3.client("cloudwatch", region_name=_name(region))
            cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def left() -> dict[str, list[str]]:
    """Everything in the region that a stack may have made, and in the account where it has none."""
    found = {
        "functions": _listed("lambda", "list_functions", "Functions", "FunctionName"),
        "feeds": _listed("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        "queues": _listed("sqs", "list_queues", "QueueUrls"),
        "buses": _listed("events", "list_event_buses", "EventBuses", "Name"),
        "rules": _listed("events", "list_rules", "Rules", "Name"),
        "tables": _listed("dynamodb", "list_tables", "TableNames"),
        "roles": _listed("iam", "list_roles", "Roles", "RoleName"),
        "buckets": _listed("s3", "list_buckets", "Buckets", "Name"),
        "logs": _listed("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "alarms": _listed("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "schedule groups": _listed("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
        "schedules": _listed("scheduler", "list_schedules", "Schedules", "Name"),
        "stacks": [
            one["StackName"]
            for one in boto3.client("cloudformation").list_stacks()["StackSummaries"]
            if one["StackStatus"] != "DELETE_COMPLETE"
        ],
    }
    return {kind: several for kind, several in found.items() if several}


def _listed(service: str, method: str, what: str, name: str = "") -> list[str]:
    client: Any = boto3.client(service)
    answer = getattr(client, method)()
    names = (one if isinstance(one, str) else one[name] for one in answer.get(what, ()))
    return [one for one in names if one != "default"]


def _name(region: str) -> str:
    return region.removeprefix("aws/")


class _Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Endpoint:
    """A server that answers, on a port of its own, until it is down."""

    def __init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}/health"

    def rise(self) -> None:
        """Answer, where it has answered before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _Well)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def fall(self) -> None:
        """Refuse every connection."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def answering() -> Iterator[Endpoint]:
    """A server that answers."""
    endpoint = Endpoint()
    endpoint.rise()
    try:
        yield endpoint
    finally:
        endpoint.fall()


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server that answers."""
    with answering() as endpoint:
        yield endpoint.url
