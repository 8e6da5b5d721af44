"""Endpoints of SageMaker keep the contract of endpoints, on moto."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.performers import TIMEOUT, EndpointContract, call, finished, performed
from contract.performers_estate import EAST
from contract.proxy import Lose, Say
from crosswind.actions import Pending, Performer
from crosswind.operations.endpoints import EndpointStatus, Scaled
from crosswind_aws.performers.endpoints import EndpointPerformer
from crosswind_aws.performers.failures import NotFound, Refused
from crosswind_aws.performers.resources import Resources
from integration.aws.performers.conftest import Direct
from integration.aws.performers.wire import Wire, json_error

ORDER = "UpdateEndpointWeightsAndCapacities"
SEE = "DescribeEndpoint"
LIMIT = (
    "The account-level service limit 'ml.g4dn.xlarge for endpoint usage' is 4 Instances, with "
    "current utilization of 2 Instances and a request delta of 6 Instances. Please use Service "
    "Quotas to request an increase for this quota."
)


def resources(**more: Any) -> Resources:
    endpoint = {"service": "sagemaker", "endpoint": "Chat", "variant": "main", **more}
    return Resources.read({"workloads": {"chat": {"regions": {EAST: {"endpoint": endpoint}}}}})


class TestEndpoints(EndpointContract):
    @pytest.fixture(autouse=True)
    def endpoint(self, moto_wire: Wire, moto_direct: Direct) -> None:
        self.wire = moto_wire
        self.sagemaker = moto_direct("sagemaker", region_name="us-east-1")
        role = "arn:aws:iam::123456789012:role/serving"
        self.sagemaker.create_model(ModelName="chat", ExecutionRoleArn=role)
        self.sagemaker.create_endpoint_config(
            EndpointConfigName="chat",
            ProductionVariants=[
                {
                    "VariantName": name,
                    "ModelName": "chat",
                    "InstanceType": "ml.g4dn.xlarge",
                    "InitialInstanceCount": 2,
                    "InitialVariantWeight": 1.0,
                }
                for name in ("main", "shadow")
            ],
        )
        self.sagemaker.create_endpoint(EndpointName="Chat", EndpointConfigName="chat")

    @pytest.fixture
    def performer(self) -> Performer:
        return EndpointPerformer(resources())

    def described(self) -> dict[str, Any]:
        return dict(self.sagemaker.describe_endpoint(EndpointName="Chat"))

    def variant(self, name: str = "main") -> dict[str, Any]:
        variants = self.described()["ProductionVariants"]
        return dict(next(one for one in variants if one["VariantName"] == name))

    def ordered(self) -> int:
        variant = self.variant()
        return int(variant.get("DesiredInstanceCount") or variant["CurrentInstanceCount"])

    def changes(self) -> int:
        return self.wire.count(ORDER)

    def lose_answer(self) -> None:
        self.wire.strike(ORDER, Lose())

    def say(self, state: str, current: int, desired: int, reason: str = "") -> None:
        """Let SageMaker tell of itself what an emulator never says."""
        told = self.described()
        variant = {**self.variant(), "CurrentInstanceCount": current}
        told["ProductionVariants"] = [{**variant, "DesiredInstanceCount": desired}]
        told["EndpointStatus"] = state
        told |= {"FailureReason": reason} if reason else {}
        told["CreationTime"] = told["LastModifiedTime"] = 1_800_000_000
        del told["ResponseMetadata"]
        headers = (("Content-Type", "application/x-amz-json-1.1"),)
        self.wire.strike(SEE, Say(200, json.dumps(told, default=str).encode(), headers))

    # -- what is of SageMaker alone ---------------------------------------------------------------

    def test_other_variants_are_left_as_they_are(self, performer: Performer) -> None:
        finished(performer, self.scale(5), call())

        assert self.variant("shadow")["CurrentInstanceCount"] == 2

    def test_an_endpoint_that_is_updating_takes_no_order_and_is_waited_for(
        self, performer: Performer
    ) -> None:
        self.say("Updating", 2, 3)

        answer = performer.perform(self.scale(5), call())

        assert isinstance(answer, Pending)
        assert "Updating" in answer.note
        assert self.changes() == 0

    def test_instances_that_are_starting_are_waited_for(self, performer: Performer) -> None:
        given = call()
        finished(performer, self.scale(5), given)
        self.say("Updating", 3, 5)

        answer = performer.perform(self.scale(5), given)

        assert isinstance(answer, Pending)
        assert "3 of 5" in answer.note

    def test_capacity_that_aws_lacks_is_not_granted_and_the_reason_is_what_it_says(
        self, performer: Performer
    ) -> None:
        given = call()
        finished(performer, self.scale(5), given)
        reason = (
            "Unable to provision requested ML compute capacity due to "
            "InsufficientInstanceCapacity error."
        )
        self.say("InService", 2, 2, reason)

        done = performed(performer, self.scale(5), given)

        assert done == Scaled(requested=5, granted=2, ready=2, reason=reason)

    def test_a_quota_grants_what_it_leaves_and_says_so(self, performer: Performer) -> None:
        self.wire.strike(ORDER, json_error("ResourceLimitExceeded", LIMIT))

        done = finished(performer, self.scale(8), call())

        assert (done.requested, done.granted, done.ready) == (8, 4, 4)
        assert "ResourceLimitExceeded" in done.reason
        assert "is 4 Instances" in done.reason
        assert self.ordered() == 4

    def test_a_quota_that_leaves_nothing_grants_what_there_is(self, performer: Performer) -> None:
        none = LIMIT.replace("of 2 Instances", "of 4 Instances")
        self.wire.strike(ORDER, json_error("ResourceLimitExceeded", none))

        done = finished(performer, self.scale(8), call())

        assert (done.granted, done.ready) == (2, 2)
        assert self.ordered() == 2

    def test_a_variant_keeps_at_least_one_instance(self, performer: Performer) -> None:
        done = finished(performer, self.scale(0), call())

        assert (done.requested, done.granted) == (0, 1)
        assert "at least one" in done.reason
        assert self.ordered() == 1

    def test_an_endpoint_that_is_gone_is_not_found(self, performer: Performer) -> None:
        self.sagemaker.delete_endpoint(EndpointName="Chat")

        with pytest.raises(NotFound, match="Could not find"):
            performer.perform(self.scale(3), call())

    def test_a_variant_that_is_not_there_is_named(self) -> None:
        with pytest.raises(NotFound, match="canary"):
            EndpointPerformer(resources(variant="canary")).perform(self.scale(3), call())

    def test_an_order_that_cannot_be_is_refused_for_good(self, performer: Performer) -> None:
        self.wire.strike(ORDER, json_error("ValidationException", "1 validation error detected"))

        with pytest.raises(Refused, match="asking again does not help"):
            performer.perform(self.scale(3), call())

    def test_an_endpoint_that_is_out_of_service_serves_nothing(self, performer: Performer) -> None:
        self.say("OutOfService", 2, 2, "it has failed its checks")

        asked = EndpointStatus(workload="chat", regions=(EAST,))
        state = performer.answer(asked, TIMEOUT).states[EAST]

        assert (state.reachable, state.ready, state.starting) == (True, 0, 0)

    def test_its_quota_is_told_in_replicas(self) -> None:
        # The emulator has the quotas of one service, of which any shows that it is read.
        quota = {"service": "vpc", "code": "L-7E9ECCDB", "per_replica": 2}
        performer = EndpointPerformer(resources(quota=quota))

        asked = EndpointStatus(workload="chat", regions=(EAST,))
        first = performer.answer(asked, TIMEOUT).states[EAST]
        second = performer.answer(asked, TIMEOUT).states[EAST]

        assert first.quota == second.quota == 25
        assert self.wire.count("GetServiceQuota") == 1
