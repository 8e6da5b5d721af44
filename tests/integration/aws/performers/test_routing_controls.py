"""Routing controls keep the contract of traffic, against a cluster as it is documented.

The real service was never tried: no emulator has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from contract.performers import TIMEOUT, TrafficContract, call, performed
from contract.performers_estate import EAST, EUROPE, fleet
from crosswind.actions import Pending, Performer
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet.operations import AcceptPlan, AdvanceShift
from crosswind.fleet.register import RegisterPerformer
from crosswind.operations.traffic import CurrentWeights, SetWeights
from crosswind_aws.performers.failures import Denied, Refused, Unreachable
from crosswind_aws.performers.intentions import intentions
from crosswind_aws.performers.resources import Resources
from crosswind_aws.performers.traffic import TrafficPerformer
from integration.aws.performers.cluster import REGIONS, Cluster

PANEL = "arn:aws:route53-recovery-control::123456789012:controlpanel/0123456789abcdef"
CONTROLS = {EAST: f"{PANEL}/routingcontrol/aaaa", EUROPE: f"{PANEL}/routingcontrol/bbbb"}


class TestRoutingControls(TrafficContract):
    @pytest.fixture(autouse=True)
    def cluster(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        with Cluster(dict.fromkeys(CONTROLS.values(), True)) as self.its:
            yield self.its

    @pytest.fixture
    def performer(self, cluster: Cluster) -> Performer:
        return TrafficPerformer(resources(cluster), fleet(tier="critical"))

    def shares(self) -> Mapping[str, float]:
        on = {region: self.its.controls[arn] for region, arn in CONTROLS.items()}
        return {region: on[region] / sum(on.values()) for region in on}

    def changes(self) -> int:
        return self.its.changes

    def lose_answer(self) -> None:
        self.its.lose_next = True

    # -- what is of routing controls alone --------------------------------------------------------

    def test_it_holds_no_epoch(self, performer: Performer) -> None:
        performed(performer, self.weights(0.0, 3), call())
        assert performer.answer(CurrentWeights(workload=self.workload), TIMEOUT).epoch == 0

    @pytest.mark.parametrize("last", REGIONS)
    def test_one_endpoint_that_answers_is_enough(self, performer: Performer, last: str) -> None:
        self.its.silent = set(REGIONS) - {last}

        done = performed(performer, self.weights(0.0, 1), call())

        assert done.applied
        assert self.shares() == {EAST: 0.0, EUROPE: 1.0}

    def test_where_none_answers_each_of_them_was_tried(self, performer: Performer) -> None:
        self.its.silent = set(REGIONS)

        with pytest.raises(Unreachable) as raised:
            performer.perform(self.weights(0.0, 1), call())

        assert {region for region, _ in self.its.met} == set(REGIONS)
        assert all(region in str(raised.value) for region in REGIONS)

    def test_a_step_in_between_leaves_all_on_and_says_so(self, performer: Performer) -> None:
        done = performed(performer, self.weights(0.25, 1), call())

        assert done.applied
        assert done.weights == {EAST: 0.5, EUROPE: 0.5}
        assert "on or off" in done.reason
        assert self.changes() == 0

    def test_a_safety_rule_of_the_cluster_refuses_for_good(self, performer: Performer) -> None:
        self.its.least = 2

        with pytest.raises(Refused, match="safety rule"):
            performer.perform(self.weights(0.0, 1), call())

        assert self.shares() == {EAST: 0.5, EUROPE: 0.5}

    def test_all_are_never_off(self, performer: Performer) -> None:
        nothing = SetWeights(workload="chat", weights={EAST: 0.0, EUROPE: 0.0}, epoch=1)

        with pytest.raises(Refused, match="no region would get traffic"):
            performer.perform(nothing, call())

    def test_a_call_that_lands_after_a_newer_step_asserts_the_newer_one(self) -> None:
        store = MemoryStore()
        register = RegisterPerformer(store, fleet(tier="critical"))
        newer = intentions(store, fleet(tier="critical"))
        performer = TrafficPerformer(resources(self.its), fleet(tier="critical"), newer)
        epoch = move(register, {EAST: 0.0, EUROPE: 1.0})

        late = performed(performer, self.weights(1.0, epoch - 1), call())

        assert not late.applied
        assert (late.epoch, late.weights) == (epoch, {EAST: 0.0, EUROPE: 1.0})
        assert self.shares() == {EAST: 0.0, EUROPE: 1.0}

    def test_a_role_without_rights_is_told_so_and_no_other_endpoint_is_asked(
        self, performer: Performer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("integration.aws.performers.cluster.Cluster.serve", _denied)

        with pytest.raises(Denied):
            performer.answer(CurrentWeights(workload="chat"), TIMEOUT)

    def test_throttled_everywhere_it_is_pending_and_no_failure(self, performer: Performer) -> None:
        self.its.throttled = True

        answer = performer.perform(self.weights(0.0, 1), call())

        assert isinstance(answer, Pending)
        assert "ThrottlingException" in answer.note


def _denied(self: Cluster, region: str, operation: str, asked: object) -> tuple[int, object]:
    return 403, {"__type": "AccessDeniedException", "message": "of the test"}


def resources(cluster: Cluster) -> Resources:
    traffic = {
        "service": "arc",
        "endpoints": cluster.endpoints,
        "controls": CONTROLS,
        "shares": {EAST: 0.5, EUROPE: 0.5},
    }
    return Resources.read({"workloads": {"chat": {"traffic": traffic}}})


def move(register: RegisterPerformer, target: dict[str, float]) -> int:
    """Have the register intend shares; returns the epoch under which."""
    accepted = performed(
        register,
        AcceptPlan(
            workload="chat",
            plan="plan-9",
            target_weights=target,
            capacity={EUROPE: 8},
            priority="break-glass",
        ),
        call(),
    )
    assert accepted.accepted, accepted.reason
    advanced = performed(
        register,
        AdvanceShift(
            workload="chat",
            plan="plan-9",
            weights=target,
            step=1,
            of=1,
            relies_on_epoch=accepted.epoch,
        ),
        call(),
    )
    assert advanced.applied, advanced.reason
    return int(advanced.epoch)
