"""An account with something in it: two workloads in two regions, and what surrounds them."""

from __future__ import annotations

import json
from typing import Any

import boto3

REGIONS = ("us-east-1", "eu-west-1")
SECRET = "a-value-that-nobody-may-read"


def build_models(region: str, replicas: int) -> None:
    """An endpoint of SageMaker that may grow to eight instances."""
    client = boto3.client("sagemaker", region_name=region)
    client.create_model(ModelName="chat", ExecutionRoleArn="arn:aws:iam::123456789012:role/models")
    client.create_endpoint_config(
        EndpointConfigName="chat",
        ProductionVariants=[
            {
                "VariantName": "main",
                "ModelName": "chat",
                "InitialInstanceCount": replicas,
                "InstanceType": "ml.g4dn.xlarge",
            }
        ],
    )
    client.create_endpoint(EndpointName=f"chat-{region}", EndpointConfigName="chat")
    boto3.client("application-autoscaling", region_name=region).register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/chat-{region}/variant/main",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=8,
    )


def build_service(region: str, tasks: int) -> dict[str, str]:
    """A service of ECS behind a load balancer, and a worker behind none."""
    ec2 = boto3.client("ec2", region_name=region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = [one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"]]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zones[n])[
            "Subnet"
        ]["SubnetId"]
        for n in (0, 1)
    ]
    elb = boto3.client("elbv2", region_name=region)
    balancer = elb.create_load_balancer(Name="speech", Subnets=subnets)["LoadBalancers"][0]
    group = elb.create_target_group(Name="speech", Protocol="HTTP", Port=80, VpcId=vpc)[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    ecs = boto3.client("ecs", region_name=region)
    ecs.create_cluster(clusterName="serving")
    ecs.register_task_definition(
        family="speech", containerDefinitions=[{"name": "web", "image": "speech", "memory": 128}]
    )
    ecs.create_service(
        cluster="serving",
        serviceName="speech",
        taskDefinition="speech",
        desiredCount=tasks,
        loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 80}],
    )
    ecs.create_service(
        cluster="serving", serviceName="worker", taskDefinition="speech", desiredCount=1
    )
    return {
        "group": group.rpartition(":")[2],
        "balancer": balancer["LoadBalancerArn"].partition(":loadbalancer/")[2],
        "dns": balancer["DNSName"],
    }


def build_records(dns: dict[str, str], weights: dict[str, int]) -> None:
    """Weighted records that lead to load balancers."""
    client = boto3.client("route53", region_name="us-east-1")
    zone = client.create_hosted_zone(Name="example.com", CallerReference="one")["HostedZone"]["Id"]
    client.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {
                        "Name": "speech.example.com",
                        "Type": "CNAME",
                        "TTL": 60,
                        "SetIdentifier": region,
                        "Weight": weights[region],
                        "ResourceRecords": [{"Value": name}],
                    },
                }
                for region, name in dns.items()
            ]
        },
    )


def put_alarm(region: str, name: str, namespace: str, **dimensions: str) -> None:
    boto3.client("cloudwatch", region_name=region).put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName="Errors",
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )


def build_surroundings() -> None:
    """A budget, keys and secrets."""
    boto3.client("budgets", region_name="us-east-1").create_budget(
        AccountId="123456789012",
        Budget={
            "BudgetName": "models",
            "BudgetLimit": {"Amount": "3000", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
    )
    kms = boto3.client("kms", region_name="us-east-1")
    rotated = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=rotated)
    kms.create_alias(AliasName="alias/models", TargetKeyId=rotated)
    kms.create_key()
    kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    secrets = boto3.client("secretsmanager", region_name="us-east-1")
    secrets.create_secret(Name="chat/api", SecretString=json.dumps({"key": SECRET}))


def build() -> dict[str, Any]:
    """All of it."""
    for region, replicas in zip(REGIONS, (3, 1), strict=True):
        build_models(region, replicas)
    services = {region: build_service(region, 2) for region in REGIONS}
    build_records(
        {region: one["dns"] for region, one in services.items()},
        {"us-east-1": 70, "eu-west-1": 30},
    )
    for region in REGIONS:
        put_alarm(
            region, "chat-5xx", "AWS/SageMaker", EndpointName=f"chat-{region}", VariantName="main"
        )
        put_alarm(
            region,
            "speech [hosts]",
            "AWS/ApplicationELB",
            LoadBalancer=services[region]["balancer"],
            TargetGroup=services[region]["group"],
        )
    put_alarm("us-east-1", "speech-queue", "AWS/SQS", QueueName="speech")
    put_alarm("us-east-1", "disk", "CWAgent", InstanceId="i-1")
    put_alarm("us-east-1", "bill", "AWS/Billing", Currency="USD")
    build_surroundings()
    return services
