"""A history is rehearsed: today's policy, in virtual time, only observed, in a store of its own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from crosswind.chains.failover import failover_app
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.operations import ReadRegions
from crosswind.fleet.register import RegisterPerformer
from crosswind.fleet.state import RegionsView
from crosswind.journal.chain import Chain, read_chain
from crosswind.journal.listing import list_chains
from crosswind.journal.shadow.account import Account
from crosswind.journal.shadow.assumed import assumed_faults
from crosswind.journal.shadow.history import Arrival, read_history
from crosswind.journal.shadow.rehearsal import only_observed, rehearse
from crosswind.journal.shadow.would import Observed, observed
from crosswind.records.ledger import Ledger
from crosswind_events import Event, RegionRecovered, RegionUnhealthy
from unit.journal.month import (
    BEGAN,
    CENTRAL,
    DAY,
    EAST,
    EASTUS2,
    Line,
    alarm,
    month,
    notice,
    probe,
    truth,
    written,
)
from unit.journal.test_shadow_history import CODEC, translate

APP = failover_app()
MINUTE = 60.0


def fleet(**changes: Any) -> Fleet:
    """Three regions of three clouds, of which any two can serve everything."""
    placed = {"weight": 0.3, "replicas": 2, "quota": 6}
    return Fleet.model_validate(
        {
            "name": "main",
            "regions": {
                EAST: {"jurisdiction": "US", "price": 1.2, "egress": 0.09},
                CENTRAL: {"jurisdiction": "US", "price": 1.1, "egress": 0.12},
                EASTUS2: {"jurisdiction": "US", "price": 1.35, "egress": 0.087},
            },
            "workloads": {
                "chat": {
                    "rate": 60,
                    "per_replica": 20,
                    "gb_per_request": 0.0001,
                    "regions": {EAST: {**placed, "weight": 0.4}, CENTRAL: placed, EASTUS2: placed},
                }
            },
            "failover": {"recovery_quorum": 2},
            "alerts": [{"match": "chat-*", "workload": "chat"}],
            "modes": {"default": "act"},
        }
        | changes
    )


class Rehearsed(NamedTuple):
    """What came of a history."""

    account: Account
    store: MemoryStore
    fleet: Fleet

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.store, lambda: self.account.ended)

    @property
    def chains(self) -> list[Chain]:
        """Oldest first."""
        since = self.account.ended - self.account.began + 10 * DAY
        listed = list_chains(self.ledger, self.account.ended, since)
        read = [read_chain(self.ledger, one.chain) for one in reversed(listed)]
        return [chain for chain in read if chain is not None]

    @property
    def outcomes(self) -> list[str | None]:
        return [None if one.head is None else one.head.outcome for one in self.chains]

    @property
    def observed(self) -> Observed:
        return observed(self.ledger, APP, self.account.ended, 20 * DAY, follows=True)

    def state(self, region: str) -> str:
        """What the register of the rehearsal intends for a region at its end."""
        performer = RegisterPerformer(self.store, self.fleet, clock=lambda: self.account.ended)
        view = performer.answer(ReadRegions(regions=(region,)), 1.0)
        assert isinstance(view, RegionsView)
        return view.regions[region].state


def play(lines: Sequence[Line], declared: Fleet | None = None) -> Rehearsed:
    declared = declared or fleet()
    history = read_history(io.BytesIO(written(list(lines))), CODEC, translate, ahead=5.0)
    store = MemoryStore()
    return Rehearsed(rehearse(APP, declared, history, store, file="h.jsonl"), store, declared)


def fails(region: str = EAST, at: float = BEGAN, minutes: int = 10) -> list[Line]:
    """Two vantages say once a minute that a region fails."""
    return [
        probe(region, vantage, at + minute * MINUTE + offset, well=False)
        for minute in range(minutes)
        for offset, vantage in enumerate(("us", "eu"))
    ]


def is_well(region: str = EAST, at: float = BEGAN + 600, minutes: int = 3) -> list[Line]:
    return [
        probe(region, vantage, at + minute * MINUTE + offset, well=True)
        for minute in range(minutes)
        for offset, vantage in enumerate(("us", "eu"))
    ]


SOME_DAYS = month(2, days=6, count=2, each_day=20)


@pytest.fixture(scope="module")
def some_days() -> Rehearsed:
    """Six days with two outages."""
    return play(SOME_DAYS)


# -- what is done with it ------------------------------------------------------------------------


def test_a_region_that_failed_and_recovered_would_have_been_left_and_returned_to() -> None:
    played = play([*fails(), *is_well()])
    (would,) = played.observed.woulds
    assert would.region == EAST
    assert would.outcome == "completed"
    assert would.evidence == BEGAN
    assert 1 <= would.confirmed - BEGAN < 5
    assert would.moved is not None
    assert would.back is not None
    assert BEGAN + 600 < would.back < BEGAN + 7_200
    assert played.state(EAST) == "serving"


def test_nothing_is_done_everything_is_observed_whatever_the_fleet_declares() -> None:
    played = play([*fails(), *is_well()])
    actions = [entry for chain in played.chains for run in chain.runs for _, entry in run.actions()]
    assert actions
    assert {entry.mode for entry in actions} == {"observe"}
    assert all(entry.simulated and not entry.asked for entry in actions)


def test_what_follows_is_decided_on_what_was_only_observed() -> None:
    """Else the region would be left again with every further word of the same outage."""
    played = play(fails(minutes=30))
    assert played.outcomes[0] == "completed"
    assert set(played.outcomes[1:]) == {"nothing-to-do"}
    assert played.state(EAST) == "evacuated"
    assert played.account.assumed["register.accept"] == 1


def test_windows_and_timers_pass_in_virtual_time() -> None:
    played = play([alarm(EAST, "chat-5xx", BEGAN, True, BEGAN)])
    (chain,) = played.chains
    assert chain.head is not None
    assert chain.head.outcome == "unconfirmed"
    assert chain.head.closed_at is not None
    assert chain.head.closed_at - BEGAN == pytest.approx(300, abs=5)


def test_the_same_history_comes_to_the_same_end_each_time(some_days: Rehearsed) -> None:
    first, second = some_days, play(SOME_DAYS)
    assert [chain.id for chain in first.chains] == [chain.id for chain in second.chains]
    assert first.outcomes == second.outcomes
    assert first.observed == second.observed


def test_the_chains_of_schedules_are_left_out() -> None:
    assert not [chain for chain in play(fails()).chains if "tick" in str(chain.runs[0].event)]


def test_every_chain_has_ended_at_the_end(some_days: Rehearsed) -> None:
    assert len(some_days.outcomes) > 100
    assert None not in some_days.outcomes


def test_the_outages_of_some_days_are_found_soon_after_they_began(some_days: Rehearsed) -> None:
    really = truth(2, days=6, count=2)
    woulds = some_days.observed.woulds
    assert [would.region for would in woulds] == [one.region for one in really]
    for would, outage in zip(woulds, really, strict=True):
        assert 0 < would.confirmed - outage.began < 180


def test_alarms_and_notices_of_each_cloud_are_weighed_by_today_s_policy() -> None:
    patient = fleet(failover={"window": 1_800})
    for region in (EAST, CENTRAL, EASTUS2):
        lines = [
            alarm(region, "chat-5xx", BEGAN + 60, True, BEGAN + 60),
            notice(region, BEGAN + 900, True, BEGAN + 900),
        ]
        assert play(lines).outcomes == ["unconfirmed"] * 2
        assert play(lines, patient).outcomes == ["completed"]


def test_each_plan_has_its_cost_its_replicas_and_where_the_traffic_goes() -> None:
    tight = {"weight": 0.5, "replicas": 2, "quota": 6}
    two = {"chat": {"rate": 60, "per_replica": 20, "regions": {EAST: tight, CENTRAL: tight}}}
    (would,) = play(fails(), fleet(workloads=two)).observed.woulds
    (plan,) = would.plans
    assert plan.target == {CENTRAL: 1.0}
    assert plan.added == {CENTRAL: 1}
    assert plan.cost == pytest.approx(1.1)
    assert would.replicas == 1
    assert would.away(BEGAN + 3_600) > 3_000


def test_a_region_that_would_not_be_back_by_the_end_is_told_as_away() -> None:
    played = play(fails(minutes=2))
    (would,) = played.observed.woulds
    assert would.back is None
    assert would.moved is not None
    assert would.away(played.account.last) == pytest.approx(
        max(0.0, played.account.last - would.moved)
    )


def test_a_relapse_is_part_of_the_failover_that_it_follows() -> None:
    played = play(
        [*fails(), *is_well(), *fails(at=BEGAN + 900, minutes=2), *is_well(at=BEGAN + 1_500)]
    )
    (would,) = played.observed.woulds
    assert len(would.relapses) == 1
    assert would.back is not None
    assert would.back > BEGAN + 1_500


def test_an_incident_that_would_have_been_opened_is_kept_in_the_rehearsal() -> None:
    from crosswind.journal.review.incidents import incidents

    alone = {
        "chat": {
            "rate": 60,
            "per_replica": 20,
            "regions": {EAST: {"weight": 1, "replicas": 3, "quota": 4}},
        }
    }
    played = play(fails(), fleet(workloads=alone))
    (incident,) = incidents(played.ledger, ["main"], played.account.ended, 20 * DAY)
    assert incident.region == EAST
    assert incident.severity == "critical"


# -- what became of each line --------------------------------------------------------------------


def test_every_event_is_accounted_for(some_days: Rehearsed) -> None:
    account = some_days.account
    assert account.lines == len(SOME_DAYS)
    assert account.worked + sum(account.untaken.values()) == account.events
    assert account.events + account.repeated + sum(account.ignored.values()) == account.lines
    assert (account.refused, account.parked) == (0, 0)


def test_what_came_too_late_to_be_worked_is_counted_as_parked() -> None:
    late = probe(EAST, "us", BEGAN - 8 * DAY, well=False) | {"time": "2026-03-01T00:00:00Z"}
    assert play([late, *fails()]).account.parked == 1


def test_what_the_register_would_not_have_taken_is_told() -> None:
    """A second region fails while the first is being left for it: another plan takes its place."""
    both = sorted([*fails(EAST), *fails(CENTRAL, BEGAN + 10)], key=lambda line: str(line["time"]))
    account = play(both).account
    assert account.declined
    assert any("register." in reason for reason in account.declined)


def test_the_account_is_kept_with_the_chains() -> None:
    played = play(fails())
    assert Account.kept(played.ledger) == played.account
    assert Account.kept(Ledger(MemoryStore(), lambda: 0.0)) is None


def test_only_the_modes_of_the_fleet_are_changed() -> None:
    declared = fleet()
    shadow = only_observed(declared)
    assert shadow.mode_for("chat", "traffic.set-weights") == "observe"
    assert shadow.workloads == declared.workloads
    assert shadow.failover == declared.failover
    assert shadow.digest != declared.digest


# -- what is assumed -----------------------------------------------------------------------------


def word(
    at: float,
    well: bool = False,
    *,
    vantage: str = "us",
    region: str = EAST,
    name: str | None = None,
) -> Arrival:
    says: Any = RegionRecovered if well else RegionUnhealthy
    native = {"kind": "aws.cloudwatch.alarm", "id": "a", "name": name} if name else None
    data = says.model_validate(
        {
            "region": region,
            "evidence": "alarm" if name else "probe",
            "vantage": None if name else vantage,
            "reason": "r",
            "native": native,
        }
    )
    event: Event[Any] = Event.of(
        data,
        id=f"{at}-{vantage}-{region}",
        source=f"//probes.example.com/{vantage}",
        time=datetime.fromtimestamp(BEGAN + at, UTC),
    )
    return Arrival(BEGAN + at, 1, (event,))


def taken(*words: Arrival, declared: Fleet | None = None) -> list[tuple[str | None, float, float]]:
    """The times in which regions are taken to have failed, in seconds since the beginning."""
    start = BEGAN - 3_600
    found = assumed_faults(words, declared or fleet(), start)
    return [(one.region, one.begins - 3_600, one.ends - 3_600) for one in found]


def test_a_region_is_taken_to_have_failed_from_the_first_word_until_enough_say_it_is_well() -> None:
    words = (
        word(0),
        word(10, vantage="eu"),
        word(400, well=True),
        word(410, well=True, vantage="eu"),
    )
    ((region, begins, ends),) = taken(*words)
    assert region == EAST
    assert begins == -60.0, "a window of its traffic before, so that it shows nothing but failures"
    assert ends == pytest.approx(410.0, abs=1)


def test_a_region_is_well_while_what_is_said_does_not_suffice() -> None:
    assert taken(word(0)) == []
    assert taken(word(0), word(1_000, vantage="eu")) == []


def test_words_that_nobody_takes_back_hold_until_they_have_grown_old() -> None:
    ((_, _, ends),) = taken(word(0), word(10, vantage="eu"))
    assert ends == pytest.approx(310.0, abs=1)


def test_words_that_go_on_hold_on() -> None:
    words = [word(at, vantage=("us", "eu")[at % 2]) for at in range(0, 1_201, 51)]
    ((_, _, ends),) = taken(*words)
    assert ends == pytest.approx(1_173 + 300, abs=60)


def test_two_outages_are_two() -> None:
    words = [
        word(at + later, vantage=v) for later in (0, 5_000) for at, v in ((0, "us"), (9, "eu"))
    ]
    assert len(taken(*words)) == 2


def test_an_alarm_that_is_mapped_to_another_region_is_about_that_one() -> None:
    mapped = fleet(alerts=[{"match": "gpu-*", "workload": "chat", "region": CENTRAL, "weight": 2}])
    words = (
        word(0, name="gpu-hot", vantage="x"),
        word(5, region=CENTRAL),
    )
    assert [region for region, _, _ in taken(*words, declared=mapped)] == [CENTRAL]


def test_a_region_that_is_not_declared_is_left_out() -> None:
    words = (word(0, region="aws/eu-north-1"), word(9, region="aws/eu-north-1", vantage="eu"))
    assert taken(*words) == []
