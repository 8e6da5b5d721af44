"""Weighted records of Route 53 keep the contract of traffic, compared and set in one batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contract.performers import TIMEOUT, EpochTrafficContract, call, performed
from contract.performers_estate import EAST, EUROPE, fleet
from contract.proxy import Detain, Lose, Refuse, Stall
from crosswind.actions import Call, Pending, Performer
from crosswind.operations.traffic import CurrentWeights, SetWeights
from crosswind_aws import clients
from crosswind_aws.performers.failures import (
    Denied,
    InConflict,
    NotFound,
    Refused,
    Unreachable,
)
from crosswind_aws.performers.resources import Resources
from crosswind_aws.performers.traffic import TrafficPerformer
from integration.aws.performers.conftest import Direct
from integration.aws.performers.wire import Wire, xml_error

RECORD = "chat.example.com"
CHANGE = "ChangeResourceRecordSets"


class TestWeightedRecords(EpochTrafficContract):
    @pytest.fixture(autouse=True)
    def zone(self, wire: Wire, direct: Direct) -> str:
        self.wire = wire
        self.route53 = direct("route53")
        created = self.route53.create_hosted_zone(Name="example.com", CallerReference="1")
        self.zone_id = str(created["HostedZone"]["Id"]).rpartition("/")[2]
        for region, host in ((EAST, "east"), (EUROPE, "europe")):
            self.edit("CREATE", region, 128, f"{host}.example.com")
        return self.zone_id

    @pytest.fixture
    def performer(self, zone: str) -> Performer:
        return TrafficPerformer(resources(zone), fleet())

    def edit(self, action: str, region: str, weight: int, host: str, **more: Any) -> None:
        record = {
            "Name": RECORD,
            "Type": "CNAME",
            "SetIdentifier": region,
            "Weight": weight,
            "TTL": 60,
            "ResourceRecords": [{"Value": host}],
            **more,
        }
        changes = [{"Action": action, "ResourceRecordSet": record}]
        self.route53.change_resource_record_sets(
            HostedZoneId=self.zone_id, ChangeBatch={"Changes": changes}
        )

    def records(self) -> list[dict[str, Any]]:
        listed = self.route53.list_resource_record_sets(HostedZoneId=self.zone_id)
        return list(listed["ResourceRecordSets"])

    def shares(self) -> Mapping[str, float]:
        weights = {one["SetIdentifier"]: one["Weight"] for one in self.records() if "Weight" in one}
        total = sum(weights.values())
        return {region: weight / total for region, weight in weights.items()}

    def changes(self) -> int:
        return self.wire.count(CHANGE)

    def lose_answer(self) -> None:
        self.wire.strike(CHANGE, Lose())

    # -- what is of Route 53 alone ----------------------------------------------------------------

    def test_everything_else_of_a_record_stays_as_it_was(self, performer: Performer) -> None:
        self.edit("UPSERT", EAST, 128, "other.example.com", TTL=17)

        performed(performer, self.weights(0.25, 1), call())

        (east,) = [one for one in self.records() if one.get("SetIdentifier") == EAST]
        assert east["TTL"] == 17
        assert east["ResourceRecords"] == [{"Value": "other.example.com"}]
        assert east["Weight"] == 64

    def test_a_small_share_is_never_rounded_to_nothing(self, performer: Performer) -> None:
        performed(performer, self.weights(0.0001, 1), call())

        assert self.shares()[EAST] > 0

    def test_an_edit_by_hand_is_seen_as_what_it_is(self, performer: Performer) -> None:
        performed(performer, self.weights(0.5, 6), call())
        self.edit("UPSERT", EAST, 0, "east.example.com")

        seen = performer.answer(CurrentWeights(workload="chat"), TIMEOUT)

        assert seen.epoch == 6
        assert seen.weights == {EAST: 0.0, EUROPE: 1.0}

    def test_an_edit_between_reading_and_writing_is_not_overwritten_unseen(
        self, performer: Performer
    ) -> None:
        self.wire.before(CHANGE, lambda: self.edit("UPSERT", EAST, 1, "moved.example.com"))

        done = performed(performer, self.weights(0.5, 1), call())

        assert done.applied
        assert self.wire.count(CHANGE) == 2
        (east,) = [one for one in self.records() if one.get("SetIdentifier") == EAST]
        assert east["ResourceRecords"] == [{"Value": "moved.example.com"}]

    def test_of_two_that_race_the_lower_epoch_is_refused_by_the_batch(
        self, performer: Performer, zone: str
    ) -> None:
        other = TrafficPerformer(resources(zone), fleet())
        self.wire.before(CHANGE, lambda: performed(other, self.weights(0.0, 6), call()))

        late = performed(performer, self.weights(1.0, 5), call())

        assert not late.applied
        assert late.epoch == 6
        assert self.shares() == {EAST: 0.0, EUROPE: 1.0}

    def test_a_change_that_lands_late_does_not_undo_a_newer_one(self, performer: Performer) -> None:
        self.wire.strike(CHANGE, Detain())
        assert performed(performer, self.weights(1.0, 1), call()).applied
        performed(performer, self.weights(0.0, 2), call())

        (landed,) = self.wire.release()

        assert b"InvalidChangeBatch" in landed.body
        assert self.shares() == {EAST: 0.0, EUROPE: 1.0}

    def test_records_that_never_stand_still_are_a_conflict(self, performer: Performer) -> None:
        self.wire.strike(CHANGE, xml_error("InvalidChangeBatch"), times=9)

        with pytest.raises(InConflict, match="InvalidChangeBatch"):
            performed(performer, self.weights(1.0, 1), call())

    def test_throttled_it_is_pending_and_no_failure(self, performer: Performer) -> None:
        self.wire.strike(CHANGE, xml_error("PriorRequestNotComplete"), times=9)

        answer = performer.perform(self.weights(1.0, 1), call())

        assert isinstance(answer, Pending)
        assert "ask again later" in answer.note

    def test_a_moment_s_throttling_is_waited_out(self, performer: Performer) -> None:
        self.wire.strike(CHANGE, xml_error("Throttling"))

        assert performed(performer, self.weights(1.0, 1), call()).applied

    def test_a_read_whose_answer_is_lost_is_asked_again(self, performer: Performer) -> None:
        self.wire.strike("ListResourceRecordSets", Lose())

        assert performer.answer(CurrentWeights(workload="chat"), TIMEOUT).weights

    def test_a_role_without_rights_is_told_where_to_look(self, performer: Performer) -> None:
        self.wire.strike(CHANGE, xml_error("AccessDenied", status=403))

        with pytest.raises(Denied, match="permissions"):
            performed(performer, self.weights(1.0, 1), call())

    def test_a_zone_that_is_not_there_is_not_found(self, zone: str) -> None:
        stray = TrafficPerformer(resources("Z0NOWHERE"), fleet())

        with pytest.raises(NotFound, match="NoSuchHostedZone"):
            performed(stray, self.weights(1.0, 1), call())

    def test_a_region_without_a_record_is_named(self, performer: Performer, zone: str) -> None:
        self.edit("DELETE", EUROPE, 128, "europe.example.com")

        with pytest.raises(NotFound, match=EUROPE):
            performed(performer, self.weights(1.0, 1), call())

    def test_a_record_that_nobody_declared_is_not_worked_around(self, performer: Performer) -> None:
        self.edit("CREATE", "somebody-else", 10, "else.example.com")

        with pytest.raises(Refused, match="somebody-else"):
            performed(performer, self.weights(1.0, 1), call())

    def test_raw_weights_of_a_critical_workload_are_refused(self, zone: str) -> None:
        strict = TrafficPerformer(resources(zone), fleet(tier="critical"))

        with pytest.raises(Refused, match="routing controls"):
            performed(strict, self.weights(1.0, 1), call())

        assert self.wire.count(CHANGE) == 0

    def test_many_regions_fit_into_the_note(self, zone: str) -> None:
        regions = [f"aws/ap-southeast-{number}" for number in range(1, 41)]
        for region in regions:
            self.edit("CREATE", region, 0, "some.example.com")
        wide = TrafficPerformer(resources(zone, (EAST, EUROPE, *regions)), fleet())
        shares = dict.fromkeys(regions, 1 / 40)
        wanted = SetWeights(workload="chat", weights=shares, epoch=12_345)

        performed(wide, wanted, call())

        assert wide.answer(CurrentWeights(workload="chat"), TIMEOUT).weights == shares

    def test_a_change_is_not_begun_where_it_might_land_too_late(self, performer: Performer) -> None:
        answer = performer.perform(self.weights(1.0, 1), Call("key", 3.0))

        assert isinstance(answer, Pending)
        assert "too little time" in answer.note
        assert self.wire.count(CHANGE) == 0

    def test_an_answer_that_is_too_slow_is_found_at_once_by_its_key(
        self, zone: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        performer = TrafficPerformer(resources(zone), fleet())
        control = clients.control
        monkeypatch.setattr(
            clients, "control", lambda name, region, url, wait: control(name, region, url, 0.3)
        )
        self.wire.strike(CHANGE, Stall(0.7))

        assert performed(performer, self.weights(1.0, 1), call()).applied
        assert self.wire.count(CHANGE) == 1

    def test_a_change_that_never_arrives_is_unreachable(self, performer: Performer) -> None:
        self.wire.strike(CHANGE, Refuse(), times=9)

        with pytest.raises(Unreachable):
            performer.perform(self.weights(1.0, 1), call())

        assert self.shares() == {EAST: 0.5, EUROPE: 0.5}


def resources(zone: str, regions: tuple[str, ...] = (EAST, EUROPE)) -> Resources:
    traffic = {
        "service": "route53",
        "zone": zone,
        "record": RECORD,
        "identifiers": {region: region for region in regions},
    }
    return Resources.read({"workloads": {"chat": {"traffic": traffic}}})
