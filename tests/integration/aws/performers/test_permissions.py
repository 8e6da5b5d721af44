"""The tables of permissions say what the performers really ask of AWS: no less, and no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from contract.performers import TIMEOUT, call, finished
from contract.performers_estate import EAST, EUROPE, fleet
from crosswind.actions import Action, Performer, Query
from crosswind.operations.endpoints import EndpointStatus, ScaleEndpoint
from crosswind.operations.keys import DisableKey, EnableKey, KeyStatus, RotateKey
from crosswind.operations.notification import Notify
from crosswind.operations.secrets import PromoteSecret, RenewSecret, RetireSecret, SecretVersions
from crosswind.operations.spend import ReadSpend
from crosswind.operations.telemetry import MeasureOutage, ReadTelemetry
from crosswind.operations.traffic import CurrentWeights, SetWeights
from crosswind_aws.performers import Resources, performers
from crosswind_aws.performers.permissions import (
    ARC,
    CLOUDWATCH,
    COST_EXPLORER,
    ECS,
    KMS,
    ROUTE53,
    SAGEMAKER,
    SECRETS_MANAGER,
    SERVICE_QUOTAS,
    SNS,
    TABLES,
    Table,
)
from integration.aws.performers.cluster import Cluster
from integration.aws.performers.conftest import Direct
from integration.aws.performers.wire import Wire

Asked = Callable[[], set[str]]


def asked_by(performer: Performer, kind: Any, clear: Callable[[], None], asked: Asked) -> set[str]:
    clear()
    if isinstance(kind, Action):
        finished(performer, kind, call())
    else:
        performer.answer(kind, TIMEOUT)
    return asked()


def compared(
    declared: Resources,
    kinds: list[Action[Any] | Query[Any]],
    clear: Callable[[], None],
    asked: Asked,
    **how: Any,
) -> dict[str, set[str]]:
    """By kind, what is asked of AWS when it is carried out."""
    found: dict[str, set[str]] = {}
    for kind in kinds:
        (performer,) = [
            one
            for one in performers(declared, fleet(**how))
            if type(kind) in (*one.performs, *one.answers)
        ]
        found[kind.kind] = asked_by(performer, kind, clear, asked)
    return found


def named(*tables: Table) -> dict[str, set[str]]:
    """By kind, the operations that tables of permissions name."""
    found: dict[str, set[str]] = {}
    for table in tables:
        for kind, needs in table.items():
            found.setdefault(kind, set()).update(one.action.partition(":")[2] for one in needs)
    return found


def chat(traffic: Mapping[str, Any] | None = None, **in_east: Any) -> Resources:
    workload: dict[str, Any] = {"regions": {EAST: in_east}} if in_east else {}
    return Resources.read(
        {"workloads": {"chat": workload | ({"traffic": traffic} if traffic else {})}}
    )


STEER = SetWeights(workload="chat", weights={EAST: 1.0, EUROPE: 0.0}, epoch=1)
SCALE = ScaleEndpoint(workload="chat", region=EAST, replicas=3, epoch=1)
STATUS = EndpointStatus(workload="chat", regions=(EAST,))


def test_every_service_has_a_table_that_a_test_here_looks_at() -> None:
    looked_at = [ROUTE53, ARC, ECS, SAGEMAKER, SERVICE_QUOTAS, CLOUDWATCH, SNS]
    looked_at += [SECRETS_MANAGER, KMS, COST_EXPLORER]

    assert all(any(table is one for one in looked_at) for table in TABLES.values())


class TestOnMinistack:
    @pytest.fixture(autouse=True)
    def account(self, wire: Wire, direct: Direct) -> None:
        self.wire, self.direct = wire, direct

    def compared(
        self, declared: Resources, *kinds: Action[Any] | Query[Any]
    ) -> dict[str, set[str]]:
        return compared(declared, list(kinds), self.wire.asked.clear, lambda: set(self.wire.asked))

    def test_records(self) -> None:
        route53 = self.direct("route53")
        made = route53.create_hosted_zone(Name="example.com", CallerReference="1")
        zone = str(made["HostedZone"]["Id"]).rpartition("/")[2]
        changes = [
            {
                "Action": "CREATE",
                "ResourceRecordSet": {
                    "Name": "chat.example.com",
                    "Type": "CNAME",
                    "SetIdentifier": region,
                    "Weight": 1,
                    "TTL": 60,
                    "ResourceRecords": [{"Value": "x.example.com"}],
                },
            }
            for region in (EAST, EUROPE)
        ]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        declared = chat(
            {
                "service": "route53",
                "zone": zone,
                "record": "chat.example.com",
                "identifiers": {EAST: EAST, EUROPE: EUROPE},
            }
        )

        asked = self.compared(declared, STEER, CurrentWeights(workload="chat"))

        assert asked == named(ROUTE53)

    def test_tasks(self) -> None:
        ecs = self.direct("ecs", region_name="us-east-1")
        ecs.create_cluster(clusterName="serving")
        ecs.create_service(
            cluster="serving", serviceName="chat", taskDefinition="chat:1", desiredCount=2
        )
        declared = chat(endpoint={"service": "ecs", "cluster": "serving", "name": "chat"})

        assert self.compared(declared, SCALE, STATUS) == named(ECS)

    def test_metrics(self) -> None:
        declared = chat(metrics={"service": "alb", "load_balancer": "app/chat/0123456789abcdef"})
        traffic = ReadTelemetry(workload="chat", slower_than=800.0)

        asked = self.compared(declared, traffic, MeasureOutage(workload="chat", since=0.0))

        assert asked == named(CLOUDWATCH)

    def test_topics(self) -> None:
        topic = self.direct("sns").create_topic(Name="people")["TopicArn"]
        declared = Resources.read({"channels": {"default": topic}})

        assert self.compared(declared, Notify(title="hello")) == named(SNS)

    def test_secrets(self) -> None:
        made = self.direct("secretsmanager").create_secret(Name="api", SecretString="first")
        declared = Resources.read({"secrets": {"api": made["ARN"]}})
        second = self.direct("secretsmanager").put_secret_value(
            SecretId="api", SecretString="second", VersionStages=["AWSPENDING"]
        )
        promote = PromoteSecret(secret="api", version=second["VersionId"], over=made["VersionId"])

        asked = self.compared(
            declared,
            RenewSecret(secret="api"),
            promote,
            RetireSecret(secret="api", version=made["VersionId"]),
            SecretVersions(secret="api"),
        )

        assert asked == named(SECRETS_MANAGER)


class TestOnMoto:
    @pytest.fixture(autouse=True)
    def account(self, moto_wire: Wire, moto_direct: Direct) -> None:
        self.wire, self.direct = moto_wire, moto_direct

    def compared(
        self, declared: Resources, *kinds: Action[Any] | Query[Any]
    ) -> dict[str, set[str]]:
        return compared(declared, list(kinds), self.wire.asked.clear, lambda: set(self.wire.asked))

    def test_instances_and_quotas(self) -> None:
        sagemaker = self.direct("sagemaker", region_name="us-east-1")
        role = "arn:aws:iam::123456789012:role/serving"
        sagemaker.create_model(ModelName="chat", ExecutionRoleArn=role)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": "chat",
            "InstanceType": "ml.g4dn.xlarge",
            "InitialInstanceCount": 2,
            "InitialVariantWeight": 1.0,
        }
        sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="chat", EndpointConfigName="c")
        quota = {"service": "vpc", "code": "L-7E9ECCDB"}
        declared = chat(endpoint={"service": "sagemaker", "endpoint": "chat", "quota": quota})

        assert self.compared(declared, SCALE, STATUS) == named(SAGEMAKER, SERVICE_QUOTAS)

    def test_keys(self) -> None:
        arn = self.direct("kms").create_key()["KeyMetadata"]["Arn"]
        declared = Resources.read({"keys": {"chat": arn}})

        asked = self.compared(
            declared,
            RotateKey(key="chat"),
            DisableKey(key="chat"),
            EnableKey(key="chat"),
            KeyStatus(key="chat"),
        )

        assert asked == named(KMS)

    def test_spend(self) -> None:
        declared = Resources.read({"spend": {}})
        asked = ReadSpend(begins=date(2026, 11, 1), ends=date(2026, 11, 2))

        assert self.compared(declared, asked) == named(COST_EXPLORER)


def test_routing_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    panel = "arn:aws:route53-recovery-control::123456789012:controlpanel/0123456789abcdef"
    controls = {EAST: f"{panel}/routingcontrol/aaaa", EUROPE: f"{panel}/routingcontrol/bbbb"}
    with Cluster(dict.fromkeys(controls.values(), True)) as cluster:
        traffic = {
            "service": "arc",
            "endpoints": cluster.endpoints,
            "controls": controls,
            "shares": {EAST: 0.5, EUROPE: 0.5},
        }
        asked = compared(
            chat(traffic),
            [STEER, CurrentWeights(workload="chat")],
            cluster.met.clear,
            lambda: {operation for _, operation in cluster.met},
            tier="critical",
        )

    assert asked == named(ARC)
