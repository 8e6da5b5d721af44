"""Chains run unchanged on a simulated world, in virtual time, and always in the same way."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosswind.app import App
from crosswind.chains.failover import failover_app
from crosswind.context import Context
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.operations.notification import Notify
from crosswind.sim import (
    Answering,
    Fault,
    Happening,
    InvalidFaults,
    Nature,
    Nobody,
    Reply,
    Simulation,
    Trouble,
    decided,
    digest,
    random_faults,
)
from crosswind.testing import FaultPlan, On
from crosswind_events import Event, RegionUnhealthy
from crosswind_events.catalogue.approval import ApprovalRequested, ApprovalSettled
from crosswind_events.catalogue.failover import FailoverCompleted
from crosswind_events.catalogue.recovery import FailbackCompleted
from crosswind_events.catalogue.schedule import Tick
from unit.sim.fleets import A, B, C, trio
from unit.sim.plays import OUTAGE, Play, app

ASKING = ("modes: {default: act}", "modes: {default: act, kinds: {register.*: propose}}")


class TestStory:
    def test_an_outage_is_left_and_returned_to(self) -> None:
        play = Play(OUTAGE)
        report = play.run(4000)
        assert play.outcomes == ["completed", "recovered"]
        (completed,) = play.simulation.said(FailoverCompleted)
        assert completed.data.region == A
        (back,) = play.simulation.said(FailbackCompleted)
        assert back.time > completed.time
        assert play.simulation.world.steered.weights["chat"] == {A: 0.5, B: 0.3, C: 0.2}
        (outage,) = report.outages
        assert outage.recovery is not None
        assert 60 < outage.recovery < 300
        assert report.missed == report.false == 0

    def test_virtual_time_costs_little_and_sleeps_never(self) -> None:
        begun = time.monotonic()
        Play().run(30 * 86_400)
        assert time.monotonic() - begun < 5

    def test_it_goes_on_from_where_it_stopped(self) -> None:
        whole, parts = Play(OUTAGE), Play(OUTAGE)
        whole.run(3000)
        for moment in (99, 100, 101.5, 160, 2500, 3000):
            parts.run(moment)
        assert digest(whole.simulation) == digest(parts.simulation)

    def test_provider_and_alarms_say_what_the_plan_has_them_say(self) -> None:
        play = Play(
            Fault("notice", 50, 90, region=A),
            Fault("alarm", 60, 95, region=A, workload="chat", name="chat-5xx"),
        )
        play.run(100)
        said = play.simulation.said(RegionUnhealthy)
        assert [(one.data.evidence, one.data.workload) for one in said] == [
            ("provider", None),
            ("alarm", "chat"),
        ]
        alarm = said[1].data.native
        assert alarm is not None
        assert (alarm.name, alarm.labels) == ("chat-5xx", {"team": "chat"})

    def test_an_alarm_that_the_fleet_admits_is_evidence(self) -> None:
        play = Play(
            Fault("notice", 50, 900, region=A),
            Fault("alarm", 60, 950, region=A, workload="chat", name="chat-5xx"),
            fleet=trio("{soak: 5m}", "{soak: 5m, contradiction: 0}"),
        )
        report = play.run(700)
        assert play.outcomes == ["completed"]
        assert report.false == 1, "nothing was wrong with the region"

    def test_a_plan_that_does_not_fit_the_fleet_is_refused(self) -> None:
        with pytest.raises(InvalidFaults, match="no such region"):
            Play(Fault("outage", 0, 1, region="aws/eu-west-1"))


class TestSameness:
    def test_the_same_seed_decides_the_same_at_the_same_moments(self) -> None:
        faults = random_faults(trio(), 4, 0.2, intensity=40)
        plays = [Play(*faults, seed=4, nature=Nature(duplicates=0.05)) for _ in range(2)]
        reports = [play.run(12_000).to_dict() for play in plays]
        assert reports[0] == reports[1]
        assert decided(plays[0].simulation)
        assert digest(plays[0].simulation) == digest(plays[1].simulation)

    def test_another_seed_decides_at_other_moments(self) -> None:
        one, other = Play(OUTAGE, seed=1), Play(OUTAGE, seed=2)
        one.run(1000)
        other.run(1000)
        assert digest(one.simulation) != digest(other.simulation)

    def test_another_process_decides_the_same(self) -> None:
        program = (
            "from unit.sim.plays import *\n"
            "from crosswind.sim import digest\n"
            "play = Play(OUTAGE, Fault('brown-out', 2500, 3000, region=A), seed=4)\n"
            "play.run(3200)\n"
            "print(digest(play.simulation))"
        )
        digests = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(digests) == 1

    def test_pythons_own_generator_is_left_as_it_was(self) -> None:
        random.seed(5)
        state = random.getstate()
        Play(OUTAGE).run(400)
        assert random.getstate() == state

    def test_the_engine_draws_its_waits_from_the_message_that_is_worked(self) -> None:
        drawn = []
        for seed in (1, 1, 2):
            engine = Play(OUTAGE, seed=seed).simulation.engine
            assert engine.runtime.draw is not None
            drawn.append([engine.runtime.draw(0.0, 1.0) for _ in range(3)])
        assert drawn[0] == drawn[1] != drawn[2]

    def test_sqlite_leads_to_the_same_as_memory(self, tmp_path: Path) -> None:
        with SqliteStore(tmp_path / "data.sqlite") as store:
            stored = Play(OUTAGE, store=store)
            stored.run(2300)
            kept = Play(OUTAGE)
            kept.run(2300)
            assert stored.outcomes == kept.outcomes == ["completed"]
            assert digest(stored.simulation) == digest(kept.simulation)


class TestListening:
    def test_whoever_listens_is_told_of_every_change_when_it_happens(self) -> None:
        play, told = Play(OUTAGE), list[Happening]()

        def hook(simulation: Simulation, what: Happening) -> None:
            assert simulation is play.simulation
            assert simulation.now == what.at
            told.append(what)

        play.simulation.on_event(hook)
        play.run(500)
        assert {what.kind for what in told} == {"world", "message", "order", "register"}
        assert [what.at for what in told if what.kind == "world"] == [100]
        times = [what.at for what in told if what.kind != "message"]
        assert times == sorted(times)

    def test_late_landings_and_people_are_told_too(self) -> None:
        play = Play(
            OUTAGE,
            Fault("call-late", 0, 400, size=20),
            fleet=trio(*ASKING),
            people=Answering(after=20),
        )
        told = list[str]()
        play.simulation.on_event(lambda _, what: told.append(what.kind))
        play.run(600)
        assert {"landing", "person"} <= set(told)

    def test_anything_can_be_brought_in_at_any_moment(self) -> None:
        play, told = Play(), list[float]()
        play.simulation.at(50, lambda: told.append(play.simulation.now))
        play.simulation.at(20, lambda: told.append(play.simulation.now))
        play.run(100)
        assert told == [20, 50]

    def test_what_is_said_is_heard_and_a_signal_is_translated(self) -> None:
        play = Play()
        simulation = play.simulation
        operator = RegionUnhealthy(region=A, evidence="operator", reason="smoke")
        event = simulation.say(operator, subject=A, ago=5)
        assert simulation.clock - event.time.timestamp() == pytest.approx(5)

        def translate(payload: dict[str, Any]) -> Iterator[Event[Any]]:
            yield Event.of(
                RegionUnhealthy(region=payload["where"], evidence="operator", reason="smoke"),
                id="native-1",
                source="//cloud.example.com",
                time=simulation.instant(simulation.now),
            )

        (translated,) = simulation.signal({"where": B}, translate)
        assert translated.id == "native-1"
        play.run(20)
        assert {one.data.region for one in simulation.said(RegionUnhealthy)} == {A, B}
        assert simulation.intended.off == {A, B}, "the word of an operator is enough"

    def test_runs_of_a_chain_can_be_read(self) -> None:
        play = Play(OUTAGE)
        play.run(500)
        (completed,) = play.simulation.said(FailoverCompleted)
        chain = str(completed.extensions["correlationid"])
        handlers = [record.handler.rpartition(":")[2] for record in play.simulation.records(chain)]
        assert handlers[0] == "hear_unhealthy"
        assert "conclude" in handlers


class TestPeople:
    def plan(self, people: object) -> Play:
        return Play(OUTAGE, fleet=trio(*ASKING), people=people)

    def settled(self, play: Play) -> list[str]:
        return [one.data.outcome for one in play.simulation.said(ApprovalSettled)]

    def test_a_plan_waits_for_whoever_is_asked(self) -> None:
        play = self.plan(Answering(after=60, spread=0))
        report = play.run(1000)
        assert play.outcomes == ["completed"]
        (outage,) = report.outages
        assert outage.detection is not None
        assert outage.moved is not None
        assert outage.moved - outage.began > outage.detection + 60

    def test_nobody_answers_and_the_proposal_expires(self) -> None:
        play = self.plan(Nobody())
        play.run(8000)
        assert play.simulation.said(ApprovalRequested)
        assert set(self.settled(play)) <= {"expired"}
        assert play.simulation.world.epochs["chat"] == 0
        assert "failed" in play.outcomes

    def test_an_answer_that_comes_too_late_changes_nothing(self) -> None:
        play = self.plan(Answering(after=3700, spread=0))
        play.run(3690)
        assert play.simulation.world.epochs["chat"] == 0
        play.run(4500)
        assert "granted" not in self.settled(play)

    def test_a_rejection_is_obeyed(self) -> None:
        play = self.plan(Answering(after=30, spread=0, rejects=1.0))
        play.run(1500)
        assert "failed" in play.outcomes
        assert play.simulation.world.epochs["chat"] == 0

    def test_whoever_comes_second_changes_nothing(self) -> None:
        play = self.plan(Answering(after=30, twice=1.0))
        replies = list[str]()
        play.simulation.on_event(
            lambda _, what: replies.append(what.detail.by) if what.kind == "person" else None
        )
        play.run(1000)
        questions = {one.data.approval for one in play.simulation.said(ApprovalRequested)}
        answers = {(o.data.approval, o.data.by) for o in play.simulation.said(ApprovalSettled)}
        assert len(replies) == 2 * len(questions)
        assert len(answers) == len(questions)

    def test_an_answer_to_a_question_that_nobody_asked_is_refused(self) -> None:
        play = self.plan(Answering(after=30, spread=0, confused=1.0))
        told = list[str]()
        play.simulation.on_event(
            lambda _, what: told.append(what.about) if what.kind == "person" else None
        )
        play.run(1000)
        assert any("no run of chain" in about for about in told)
        assert play.outcomes == ["completed"]

    def test_people_of_your_own_are_asked_each_question_once(self) -> None:
        asked = list[str]()

        class Careful:
            def asked(self, question: ApprovalRequested, draws: object) -> Iterator[Reply]:
                asked.append(question.approval)
                yield Reply(30, by="ann@example.com")

        play = self.plan(Careful())
        play.run(1000)
        assert len(asked) == len(set(asked)) > 0
        settled = play.simulation.said(ApprovalSettled)
        assert {one.data.by for one in settled} == {"ann@example.com"}


class TestApps:
    def test_schedules_of_an_app_tick_in_virtual_time(self) -> None:
        told = list[float]()
        own = App("own")

        @own.schedule(every=3600.0)
        def hourly(event: Event[Tick], ctx: Context) -> None:
            told.append(ctx.now().timestamp())

        @own.schedule("30 4 * * *")
        def nightly(event: Event[Tick], ctx: Context) -> None:
            told.append(-ctx.now().timestamp())

        Play(app=own).run(86_401)
        assert len([at for at in told if at > 0]) == 24
        assert len([at for at in told if at < 0]) == 1

    def test_your_own_actions_are_carried_out_by_your_own_performer(self) -> None:
        own = App("own")

        @own.on(acts=[Notify])
        def shout(event: Event[RegionUnhealthy], ctx: Context) -> None:
            ctx.act(Notify(title=event.data.reason))

        play = Play(app=own)
        play.simulation.say(RegionUnhealthy(region=A, evidence="operator", reason="smoke"))
        play.run(10)
        assert [notice.title for notice in play.simulation.performer.told] == ["smoke"]

    def test_a_freeze_holds_everything_until_it_ends(self) -> None:
        play = Play(OUTAGE)
        brakes = play.simulation.brakes
        play.simulation.at(50, lambda: brakes.freeze("ann@example.com", "audit", 600))
        play.run(640)
        assert play.simulation.world.epochs["chat"] == 0
        report = play.run(1500)
        assert report.outages[0].complete


class TestTrouble:
    @pytest.mark.parametrize("seed", range(3))
    def test_calls_fail_and_workers_die_and_every_chain_still_ends(self, seed: int) -> None:
        trouble = Trouble(
            seed,
            throttled=0.002,
            lost=0.004,
            unanswered=0.004,
            late=0.004,
            killed=0.002,
            killed_after=0.002,
        )
        play = Play(OUTAGE, ports=trouble, app=failover_app(None, None), seed=seed)
        operator = RegionUnhealthy(region=A, evidence="operator", reason="smoke")
        play.simulation.at(130, lambda: play.simulation.say(operator, subject=A))
        play.run(5000)
        assert trouble.met > 0
        assert play.outcomes == ["completed"]
        assert play.simulation.world.steered.weights["chat"][A] == 0

    def test_a_worker_that_is_killed_is_replaced(self) -> None:
        ports = FaultPlan(On("perform", nth=2, fault="killed-after"))
        play = Play(OUTAGE, ports=ports)
        play.run(1500)
        assert play.simulation.kills == 1
        assert "completed" in play.outcomes

    def test_messages_that_come_twice_are_worked_once(self) -> None:
        twice, once = Play(OUTAGE, nature=Nature(duplicates=1.0)), Play(OUTAGE, nature=Nature())
        for play in (twice, once):
            play.run(1500)
        assert twice.outcomes == once.outcomes
        orders = [play.simulation.world.epochs for play in (twice, once)]
        assert orders[0] == orders[1]


def test_the_app_is_played_as_it_is() -> None:
    assert Simulation(app(), trio()).app is app()
