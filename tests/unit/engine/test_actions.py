"""Actions: asked for with one stable key, through the gate, with the result on record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crosswind.actions import Call, Pending
from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.approvals import Approvals, NoSuchProposal
from crosswind.engine.settings import Settings
from crosswind.errors import ActionRefused
from crosswind.gate.brakes import BrakeLever
from crosswind_events import Event
from crosswind_events.catalogue.approval import ApprovalRequested

from .stage import Stage
from .world import Asked, Blast, Heard, Over, Plant, ReadGauge, Ring, SetValve, fleet


def valves(levels: tuple[int, ...] = (1, 2)) -> App:
    """Reads the gauge, sets the valve for each level, then ends the chain."""
    app = App("valves")

    @app.on(name="set", reads=[ReadGauge], acts=[SetValve])
    def set_all(event: Event[Asked], ctx: Context) -> Iterator[Over]:
        gauge = ctx.observe(ReadGauge())
        total = sum(ctx.act(SetValve(level=level)).level for level in levels)
        yield Over(text=f"{gauge.level}+{total}")

    return app


def played(app: App, mode: str = "act", **how: Any) -> tuple[Stage, Plant]:
    plant = Plant()
    return Stage(app, fleet=fleet(mode), performers=[plant], **how), plant


def test_an_action_is_performed_and_its_result_recorded() -> None:
    stage, plant = played(valves())
    stage.say(Asked())
    record = stage.record("set")
    assert record.state == "committed"
    kinds = [entry.kind for entry in record.log]
    assert kinds == ["query:gauge.read", "act:valve.set", "act:valve.set"]
    assert [entry.mode for entry in record.log] == [None, "act", "act"]
    assert stage.said(Over)[0].data.text == "7+3"
    assert len(plant.calls) == len(plant.done) == 2


def test_a_failed_action_is_asked_for_again_with_the_same_key_and_what_was_done_is_not() -> None:
    stage, plant = played(valves())
    failures = iter([False, True, True, False])

    def fail(action: Any, call: Call) -> None:
        if next(failures):
            raise TimeoutError("the plant does not answer")

    plant.before = fail
    stage.say(Asked())
    stage.pass_time(100)
    assert stage.record("set").state == "committed"
    keys = [key for _, key in plant.calls]
    assert keys[0] not in keys[1:]
    assert keys[1] == keys[2] == keys[3]


def test_what_was_observed_before_an_action_is_not_observed_again_after_a_failure() -> None:
    stage, plant = played(valves())

    def fail(action: Any, call: Call) -> None:
        if plant.level == 7:
            plant.level = 99
            raise TimeoutError

    plant.before = fail
    stage.say(Asked())
    stage.pass_time(100)
    assert stage.said(Over)[0].data.text == "7+3"


def test_an_action_that_takes_long_suspends_the_run() -> None:
    stage, plant = played(valves((5,)))
    answers: list[Any] = [Pending(30, "node starting"), Pending(30, "node starting"), None]
    checking: list[bool] = []

    def wait(action: Any, call: Call) -> Any:
        checking.append(call.checking)
        return answers.pop(0)

    plant.before = wait
    stage.say(Asked())
    record = stage.record("set")
    assert (record.state, record.why, record.turn) == ("suspended", "node starting", 1)
    stage.pass_time(70)
    assert stage.record("set").state == "committed"
    assert checking == [False, True, True]
    assert len(plant.done) == 1


def test_a_process_that_dies_after_an_action_is_replaced_and_the_action_is_not_new() -> None:
    stage, plant = played(valves((5,)))

    class Killed(BaseException):
        pass

    def die(action: Any, call: Call) -> None:
        plant.done[call.key] = action.level
        raise Killed

    plant.before = die
    body = stage.app.codec.encode(stage.event(Asked()))
    with pytest.raises(Killed):
        stage.deliver(body)
    plant.before = None
    again = stage.deliver(body)
    assert again is not None
    assert "another holds" in again.reason
    stage.now += again.after
    assert stage.deliver(body) is None
    assert len(plant.calls) == 2
    assert len(plant.done) == 1


def test_code_that_does_something_else_than_its_record_has_diverged() -> None:
    app, order = App("fickle"), [SetValve(level=1), SetValve(level=2)]

    @app.on(name="set", acts=[SetValve])
    def set_first(event: Event[Asked], ctx: Context) -> None:
        ctx.act(order.pop(0))

    stage, plant = played(app)

    def fail(action: Any, call: Call) -> None:
        raise OSError("no")

    plant.before = fail
    stage.say(Asked())
    stage.pass_time(100)
    record = stage.record("set")
    assert record.state == "failed"
    assert "Diverged" in record.why


def test_in_mode_observe_nothing_is_done_and_all_that_follows_is_marked() -> None:
    app = App("watched")

    @app.on(name="set", acts=[SetValve])
    def set_one(event: Event[Asked], ctx: Context) -> Heard:
        return Heard(text=str(ctx.act(SetValve(level=3)).level))

    @app.on(name="after", acts=[SetValve])
    def after(event: Event[Heard], ctx: Context) -> Over:
        return Over(text=str(ctx.act(SetValve(level=9, workload="other")).level))

    modes = {"workloads": {"chat": {"default": "observe"}}, "default": "act"}
    plant = Plant()
    stage = Stage(app, fleet=fleet(modes=modes), performers=[plant])
    stage.say(Asked())
    assert plant.calls == []
    assert stage.said(Heard)[0].data.text == "3", "the result is assumed"
    assert stage.said(Over)[0].data.text == "9", "though its own mode is act"
    assert stage.said(Over)[0].extensions["simulated"] is True
    assert all(e.simulated for r in stage.records() for e in r.log if e.is_action)


def test_without_a_fleet_everything_is_only_observed() -> None:
    plant = Plant()
    stage = Stage(valves(), performers=[plant])
    stage.say(Asked())
    assert plant.calls == []


def test_a_closed_chain_acts_no_more() -> None:
    app = App("over")

    @app.on(name="end")
    def end(event: Event[Asked]) -> Iterator[Over | Heard]:
        yield Heard()
        yield Over()

    @app.on(name="act", acts=[SetValve])
    def act(event: Event[Heard], ctx: Context) -> None:
        ctx.act(SetValve(level=1))

    @app.on(name="ring", acts=[Ring])
    def ring(event: Event[Over], ctx: Context) -> None:
        ctx.act(Ring())

    stage, plant = played(app)
    stage.say(Asked())
    assert stage.record("act").state == "dropped"
    assert stage.record("act").why == "the chain is closed: completed"
    assert stage.record("ring").state == "committed", "a bell may be rung after the end"
    assert [kind for kind, _ in plant.calls] == ["bell.ring"]


def proposed() -> tuple[Stage, Plant, Approvals, str, str]:
    stage, plant = played(valves((5,)), mode="propose")
    chain = stage.say(Asked())
    approvals = Approvals(stage.app, stage.engine.runtime, stage.bus)
    (proposal,) = approvals.waiting(chain)
    return stage, plant, approvals, chain, proposal.approval


def test_in_mode_propose_a_person_is_asked_and_grants() -> None:
    stage, plant, approvals, chain, approval = proposed()
    (asked,) = stage.said(ApprovalRequested)
    assert asked.data.approval == approval
    assert plant.calls == []
    answer = approvals.answer(chain, approval, "granted", by="ada")
    assert (answer.outcome, answer.by) == ("granted", "ada")
    stage.play()
    assert stage.record("set").state == "committed"
    assert len(plant.done) == 1
    assert approvals.waiting(chain) == []


def test_a_rejected_action_is_refused_and_the_run_fails_with_the_reason() -> None:
    stage, plant, approvals, chain, approval = proposed()
    approvals.answer(chain, approval, "rejected", by="ada", reason="not today")
    stage.play()
    record = stage.record("set")
    assert record.state == "failed"
    assert "rejected by ada: not today" in record.why
    assert plant.calls == []


def test_an_approval_that_never_comes_expires() -> None:
    stage, plant, approvals, chain, approval = proposed()
    stage.pass_time(3_700)
    assert "expired" in stage.record("set").why
    answer = approvals.answer(chain, approval, "granted", by="ada")
    assert answer.outcome == "expired", "an answer that comes late changes nothing"
    stage.play()
    assert plant.calls == []


def test_an_approval_that_comes_twice_is_one() -> None:
    stage, plant, approvals, chain, approval = proposed()
    assert approvals.answer(chain, approval, "granted", by="ada").by == "ada"
    assert approvals.answer(chain, approval, "rejected", by="bob").outcome == "granted"
    stage.play()
    stage.pass_time(4_000)
    assert len(plant.calls) == 1


def test_an_unknown_approval_is_an_error() -> None:
    _, _, approvals, chain, _ = proposed()
    with pytest.raises(NoSuchProposal):
        approvals.answer(chain, "nonsense", "granted", by="ada")


def test_a_handler_may_say_what_follows_a_refusal() -> None:
    app = App("polite")

    @app.on(name="set", acts=[SetValve])
    def set_one(event: Event[Asked], ctx: Context) -> Over:
        try:
            ctx.act(SetValve(level=1))
        except ActionRefused as refused:
            return Over(text=refused.outcome)
        return Over(text="done")

    stage, _ = played(app, mode="propose")
    chain = stage.say(Asked())
    approvals = Approvals(app, stage.engine.runtime, stage.bus)
    approvals.answer(chain, approvals.waiting(chain)[0].approval, "rejected", by="ada")
    stage.play()
    assert stage.said(Over)[0].data.text == "rejected"


def test_an_approved_plan_covers_its_steps() -> None:
    app = App("planned")

    @app.on(name="set", acts=[SetValve])
    def set_all(event: Event[Asked], ctx: Context) -> Over:
        for level in (1, 2, 3):
            ctx.act(SetValve(level=level, plan="p1"))
        return Over()

    stage, plant = played(app, mode="propose")
    chain = stage.say(Asked())
    approvals = Approvals(app, stage.engine.runtime, stage.bus)
    approvals.answer(chain, approvals.waiting(chain)[0].approval, "granted", by="ada")
    stage.play()
    assert stage.record("set").state == "committed"
    assert len(plant.done) == 3
    assert len(stage.said(ApprovalRequested)) == 1


def test_an_action_nobody_can_make_idempotent_is_never_taken_without_approval() -> None:
    app = App("blaster")

    @app.on(name="blast", acts=[Blast])
    def blast(event: Event[Asked], ctx: Context) -> None:
        ctx.act(Blast())

    stage, plant = played(app)
    stage.say(Asked())
    assert stage.record("blast").state == "suspended"
    assert plant.calls == []


def test_beyond_a_limit_a_person_must_approve() -> None:
    limit = {"limit": "replicas-removed", "per": 3600, "most": 5}
    plant = Plant()
    stage = Stage(valves((3, 3)), fleet=fleet(limits=[limit]), performers=[plant])
    chain = stage.say(Asked())
    record = stage.record("set")
    assert record.state == "suspended"
    assert "3 of 5 in 3600 s are used, 3 more asked" in record.why
    assert len(plant.calls) == 1
    approvals = Approvals(stage.app, stage.engine.runtime, stage.bus)
    approvals.answer(chain, approvals.waiting(chain)[0].approval, "granted", by="ada")
    stage.play()
    assert stage.record("set").state == "committed"


def test_limits_are_counted_across_chains_and_a_repeated_action_once() -> None:
    limit = {"limit": "replicas-removed", "per": 3600, "most": 5}
    plant = Plant()
    stage = Stage(valves((3,)), fleet=fleet(limits=[limit]), performers=[plant])
    failures = iter([True, True, False, False])

    def fail(action: Any, call: Call) -> None:
        if next(failures):
            raise OSError("no")

    plant.before = fail
    stage.say(Asked())
    stage.pass_time(100)
    assert stage.record("set").state == "committed"
    stage.say(Asked(), id="2")
    assert stage.record("set").state == "suspended"


def test_a_freeze_stops_actions_before_their_next_call_and_counts_no_failure() -> None:
    stage, plant = played(valves())
    lever = BrakeLever(stage.engine.ledger, "test", lambda: stage.now)
    lever.freeze("ada", "exam week")
    stage.say(Asked())
    stage.pass_time(600)
    record = stage.record("set")
    assert record.state == "suspended"
    assert "frozen by ada: exam week" in record.why
    assert record.fails == []
    assert plant.calls == []
    lever.thaw()
    stage.pass_time(60)
    assert stage.record("set").state == "committed"


def test_a_freeze_does_not_stop_what_tells_people() -> None:
    app = App("bells")

    @app.on(name="ring", acts=[Ring])
    def ring(event: Event[Asked], ctx: Context) -> Over:
        ctx.act(Ring())
        return Over()

    stage, plant = played(app)
    BrakeLever(stage.engine.ledger, "test", lambda: stage.now).freeze("ada", "exam week")
    stage.say(Asked())
    assert stage.record("ring").state == "committed"
    assert [kind for kind, _ in plant.calls] == ["bell.ring"]


def test_a_freeze_of_one_workload_spares_the_others() -> None:
    stage, _ = played(valves())
    lever = BrakeLever(stage.engine.ledger, "test", lambda: stage.now)
    lever.freeze("ada", "elsewhere", workload="other")
    stage.say(Asked())
    assert stage.record("set").state == "committed"


def test_break_glass_passes_freeze_approval_and_limits_until_it_ends() -> None:
    stage, _ = played(valves((1,)), mode="propose")
    lever = BrakeLever(stage.engine.ledger, "test", lambda: stage.now)
    lever.freeze("ada", "exam week")
    lever.break_glass("bob", "all is lost", seconds=60)
    stage.say(Asked())
    assert stage.record("set").state == "committed"
    assert stage.record("set").log[-1].mode == "break-glass"
    stage.pass_time(61)
    stage.say(Asked(), id="2")
    assert stage.record("set").state == "suspended"


def test_break_glass_needs_a_reason_and_an_end() -> None:
    stage, _ = played(valves())
    lever = BrakeLever(stage.engine.ledger, "test", lambda: stage.now)
    with pytest.raises(ValueError, match="reason"):
        lever.break_glass("bob", " ", seconds=60)
    with pytest.raises(ValueError, match="time to live"):
        lever.break_glass("bob", "x", seconds=1e9)


@pytest.mark.parametrize("declared", [True, False])
def test_a_handler_does_and_reads_only_what_it_declares(declared: bool) -> None:
    app = App("sly")

    @app.on(name="set", reads=[ReadGauge] if declared else [], acts=[])
    def set_one(event: Event[Asked], ctx: Context) -> None:
        ctx.observe(ReadGauge())
        ctx.act(SetValve(level=1))

    stage, plant = played(app)
    stage.say(Asked())
    assert ("acts=" if declared else "reads=") in stage.record("set").why
    assert plant.calls == []


def test_an_observation_too_large_to_record_is_refused() -> None:
    stage, _ = played(valves(), settings=Settings(observation_bytes=5))
    stage.say(Asked())
    assert "at most 5 are recorded" in stage.record("set").why
