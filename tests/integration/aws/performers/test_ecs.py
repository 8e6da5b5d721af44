"""Services of ECS keep the contract of endpoints, and tell of tasks that cannot be placed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.performers import TIMEOUT, EndpointContract, call, finished, performed
from contract.performers_estate import EAST, EUROPE, fleet
from contract.proxy import Lose, Say
from crosswind.actions import Pending, Performer
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet.operations import AcceptPlan
from crosswind.fleet.register import RegisterPerformer
from crosswind.operations.endpoints import EndpointStatus, ScaleEndpoint
from crosswind_aws.performers.endpoints import EndpointPerformer
from crosswind_aws.performers.failures import Denied, NotFound, Refused
from crosswind_aws.performers.intentions import intentions
from crosswind_aws.performers.replicas import EPOCH, KEY
from crosswind_aws.performers.resources import Resources
from integration.aws.performers.conftest import Direct
from integration.aws.performers.wire import Wire, json_error

ORDER = "UpdateService"
SEE = "DescribeServices"
TAG = "TagResource"

RESOURCES = Resources.read(
    {
        "workloads": {
            "chat": {
                "regions": {
                    EAST: {"endpoint": {"service": "ecs", "cluster": "serving", "name": "chat"}}
                }
            }
        }
    }
)


class TestServices(EndpointContract):
    @pytest.fixture(autouse=True)
    def service(self, wire: Wire, direct: Direct) -> None:
        self.wire = wire
        self.ecs = direct("ecs", region_name="us-east-1")
        self.ecs.create_cluster(clusterName="serving")
        self.ecs.create_service(
            cluster="serving", serviceName="chat", taskDefinition="chat:1", desiredCount=2
        )

    @pytest.fixture
    def performer(self) -> Performer:
        return EndpointPerformer(RESOURCES)

    def described(self) -> dict[str, Any]:
        found = self.ecs.describe_services(cluster="serving", services=["chat"], include=["TAGS"])
        return dict(found["services"][0])

    def ordered(self) -> int:
        return int(self.described()["desiredCount"])

    def changes(self) -> int:
        return self.wire.count(ORDER)

    def lose_answer(self) -> None:
        self.wire.strike(ORDER, Lose())

    def say(self, running: int, pending: int, message: str, *, since: float = 10.0) -> None:
        """Let ECS tell of itself what an emulator never says.

        Args:
            since: seconds after the last change at which the event happened.
        """
        told = {**self.described(), "runningCount": running, "pendingCount": pending}
        changed = 1_800_000_000.0
        told["deployments"] = [{"id": "d", "status": "PRIMARY", "updatedAt": changed}]
        told["events"] = [{"id": "e", "createdAt": changed + since, "message": message}]
        told["createdAt"] = changed
        body = json.dumps({"services": [told], "failures": []}, default=str).encode()
        headers = (("Content-Type", "application/x-amz-json-1.1"),)
        self.wire.strike(SEE, Say(200, body, headers))

    # -- what is of ECS alone ---------------------------------------------------------------------

    def test_tasks_that_are_starting_are_waited_for(self, performer: Performer) -> None:
        given = call()
        finished(performer, self.scale(6), given)
        self.say(2, 4, "(service chat) has started 4 tasks: (task 1).")

        answer = performer.perform(self.scale(6), given)

        assert isinstance(answer, Pending)
        assert "2 of 6" in answer.note

    @pytest.mark.parametrize(
        "message",
        [
            "(service chat) was unable to place a task because no container instance met all of "
            "its requirements. Reason: No Container Instances were found in your cluster.",
            "(service chat) was unable to place a task. Reason: Capacity is unavailable at this "
            "time. Please try again later or in a different availability zone.",
            "(service chat) was unable to place a task. Reason: You've reached the limit on the "
            "number of vCPUs you can run concurrently.",
        ],
        ids=["no instance", "no capacity", "quota"],
    )
    def test_tasks_that_cannot_be_placed_are_not_granted_and_the_reason_is_what_ecs_says(
        self, performer: Performer, message: str
    ) -> None:
        given = call()
        finished(performer, self.scale(6), given)
        self.say(3, 1, message)

        done = performed(performer, self.scale(6), given)

        assert (done.requested, done.granted, done.ready) == (6, 4, 3)
        assert message.startswith(done.reason)

    def test_what_ecs_said_before_the_order_is_not_about_it(self, performer: Performer) -> None:
        given = call()
        finished(performer, self.scale(6), given)
        self.say(3, 0, "(service chat) was unable to place a task.", since=-10)

        assert isinstance(performer.perform(self.scale(6), given), Pending)

    def test_its_state_tells_of_tasks_that_cannot_be_placed_as_not_starting(
        self, performer: Performer
    ) -> None:
        finished(performer, self.scale(6), call())
        self.say(3, 1, "(service chat) was unable to place a task.")

        asked = EndpointStatus(workload="chat", regions=(EAST,))
        state = performer.answer(asked, TIMEOUT).states[EAST]

        assert (state.ready, state.starting) == (3, 1)

    def test_a_region_that_gives_no_answer_is_not_reachable(self, performer: Performer) -> None:
        self.wire.strike(SEE, Lose(), times=9)

        asked = EndpointStatus(workload="chat", regions=(EAST,))

        assert not performer.answer(asked, TIMEOUT).states[EAST].reachable

    def test_a_role_that_may_not_look_is_no_region_that_fails(self, performer: Performer) -> None:
        self.wire.strike(SEE, json_error("AccessDeniedException"))

        with pytest.raises(Denied):
            performer.answer(EndpointStatus(workload="chat", regions=(EAST,)), TIMEOUT)

    def test_an_order_that_meets_another_is_pending(self, performer: Performer) -> None:
        self.wire.strike(ORDER, json_error("UpdateInProgressException"))

        assert isinstance(performer.perform(self.scale(3), call()), Pending)

    def test_throttled_it_is_pending_and_no_failure(self, performer: Performer) -> None:
        self.wire.strike(ORDER, json_error("ThrottlingException"), times=9)

        assert isinstance(performer.perform(self.scale(3), call()), Pending)
        assert self.ordered() == 2

    def test_a_service_that_is_gone_is_not_found(self, performer: Performer) -> None:
        self.ecs.delete_service(cluster="serving", service="chat", force=True)

        with pytest.raises(NotFound, match="chat"):
            performed(performer, self.scale(3), call())

    def test_another_cloud_s_region_is_refused(self, performer: Performer) -> None:
        stray = ScaleEndpoint(workload="chat", region="gcp/us-central1", replicas=1, epoch=1)

        with pytest.raises(Refused, match="gcp/us-central1"):
            performer.perform(stray, call())

    def test_a_quota_that_cannot_be_read_is_unknown(self) -> None:
        # The emulator has no Service Quotas.
        quota = {"service": "ecs", "code": "L-9EF96962"}
        endpoint = {"service": "ecs", "cluster": "serving", "name": "chat", "quota": quota}
        declared = {"workloads": {"chat": {"regions": {EAST: {"endpoint": endpoint}}}}}
        performer = EndpointPerformer(Resources.read(declared))

        asked = EndpointStatus(workload="chat", regions=(EAST,))

        assert performer.answer(asked, TIMEOUT).states[EAST].quota is None

    def test_a_call_that_lands_after_a_newer_plan_asserts_the_newer_one(self) -> None:
        store = MemoryStore()
        plan(store, {EAST: 5, EUROPE: 2})
        performer = EndpointPerformer(RESOURCES, intentions(store, fleet()))
        # The older order passes every look at the tags, and lands.
        self.wire.before(ORDER, lambda: plan(store, {EAST: 7, EUROPE: 2}))

        done = finished(performer, self.scale(3, epoch=1, plan="plan-1"), call())

        assert self.ordered() == 7
        assert done.granted == 7
        assert "newer plan" in done.reason

    def test_a_lower_epoch_that_comes_in_between_has_not_the_last_word(
        self, performer: Performer
    ) -> None:
        def overtaken() -> None:
            arn = self.described()["serviceArn"]
            self.ecs.update_service(cluster="serving", service="chat", desiredCount=3)
            tags = [{"key": EPOCH, "value": "5"}, {"key": KEY, "value": "another"}]
            self.ecs.tag_resource(resourceArn=arn, tags=tags)

        # Just before this one looks at what has come of its own order.
        self.wire.before(TAG, lambda: self.wire.before(SEE, overtaken))

        done = finished(performer, self.scale(7, epoch=6), call())

        assert (done.requested, done.granted) == (7, 7)
        assert self.ordered() == 7

    def test_the_steps_of_its_own_plan_do_not_make_it_obsolete(self) -> None:
        store = MemoryStore()
        name = plan(store, {EAST: 5, EUROPE: 2})
        performer = EndpointPerformer(RESOURCES, intentions(store, fleet()))

        done = finished(performer, self.scale(6, epoch=0, plan=name), call())

        assert done.granted == 6
        assert self.ordered() == 6


PLANS = iter(range(1, 1000))


def plan(store: MemoryStore, capacity: dict[str, int]) -> str:
    """Have a plan accepted by the register; returns its name."""
    name = f"plan-{next(PLANS)}"
    register = RegisterPerformer(store, fleet())
    accepted = performed(
        register,
        AcceptPlan(
            workload="chat",
            plan=name,
            target_weights={EAST: 0.5, EUROPE: 0.5},
            capacity=capacity,
            priority="break-glass",
        ),
        call(),
    )
    assert accepted.accepted, accepted.reason
    return name
