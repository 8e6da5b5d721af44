"""Replay: what was seen then is given to today's code; what it would decide otherwise is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crosswind import App, Context, Later, Query, later
from crosswind.engine.approvals import Approvals
from crosswind.engine.settings import Settings
from crosswind.errors import ActionRefused
from crosswind.handlers import Where
from crosswind.journal.replay import Replay, Replayed, replay_chain
from crosswind.testing import Stage
from crosswind_events import Event, EventData
from unit.journal.plays import (
    Asked,
    Level,
    Look,
    Measured,
    Over,
    Plant,
    ReadGauge,
    SetValve,
    chain_of,
    fleet,
    measuring,
    parting,
    played,
    waiting,
)


class Wider(EventData, type="com.example.measured.v1"):
    """`Measured`, as a later version has it."""

    level: int
    because: str = ""
    unit: str = "m"


class Deeper(Level):
    depth: int


class ReadDeeper(Query[Deeper], kind="gauge.read"):
    """`ReadGauge`, as a version has it whose answers are not what was recorded."""

    tank: str


class GivenUp(EventData, type="com.example.given-up.v1", ends="given-up"):
    pass


def stage(app: App, *, mode: str = "act", fails: int = 0, attempts: int = 5) -> Stage:
    return Stage(
        app,
        fleet=fleet(mode),
        performers=[Plant(fails)],
        settings=Settings(attempts=attempts, backoff=0.001),
    )


def verdicts(replay: Replay) -> dict[str, str]:
    return {run.handler: run.verdict for run in replay.runs}


def only(replay: Replay, handler: str) -> Replayed:
    (found,) = [run for run in replay.runs if run.handler == handler]
    return found


# -- the same ---------------------------------------------------------------------------------


@pytest.mark.parametrize("play", [measuring, waiting, parting])
def test_unchanged_code_decides_the_same(play: Any) -> None:
    acting = stage(play())
    acting.say(Asked())
    acting.pass_time(200)
    chain = chain_of(acting)
    assert chain.head is not None
    assert chain.head.outcome == "completed"
    replay = replay_chain(chain, play(), fleet())
    assert set(verdicts(replay).values()) == {"same"}
    assert not replay.differs


def test_a_replay_asks_nobody_and_writes_nothing() -> None:
    acting = stage(measuring())
    plant = Plant()
    chain = played(acting)
    before = list(acting.store.scan(f"chain:{chain.id}"))
    published = len(acting.post.published)
    replay_chain(chain, measuring(), fleet())
    assert acting.store.scan(f"chain:{chain.id}") == before
    assert len(acting.post.published) == published
    assert plant.asked == 0


def test_asking_for_the_time_once_more_is_no_difference() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        ctx.now(), ctx.now(), ctx.lock
        level = ctx.observe(ReadGauge(tank=event.data.tank)).level
        return Measured(level=level, because=f"the gauge says {level}")

    replay = replay_chain(played(stage(measuring())), measuring(measure), fleet())
    assert only(replay, "measure").verdict == "same"


def test_the_time_is_that_of_then() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        return Measured(level=int(ctx.now().timestamp()))

    chain = played(stage(measuring(measure)))
    assert only(replay_chain(chain, measuring(measure), fleet()), "measure").verdict == "same"


def test_a_run_that_waits_for_a_person_waits_in_the_replay_too() -> None:
    replay = replay_chain(played(stage(measuring(), mode="propose")), measuring(), fleet())
    assert only(replay, "set").verdict == "same"
    assert only(replay, "set").why == "it waits where it waited"


def test_a_field_that_was_added_with_a_default_is_no_difference() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Wider:
        level = ctx.observe(ReadGauge(tank=event.data.tank)).level
        return Wider(level=level, because=f"the gauge says {level}")

    app = App("play")
    app.on(reads=[ReadGauge], name="measure")(measure)
    chain = played(stage(measuring()))
    assert only(replay_chain(chain, app, fleet()), "measure").verdict == "same"


def test_a_failure_that_would_be_the_same_today_is_the_same() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        raise ValueError("no such tank")

    chain = played(stage(measuring(measure), attempts=1))
    assert only(replay_chain(chain, measuring(measure), fleet()), "measure").verdict == "same"


def test_a_refusal_is_given_back_as_it_was() -> None:
    def turn(event: Event[Measured], ctx: Context) -> Over:
        try:
            return Over(level=ctx.act(SetValve(level=event.data.level)).level)
        except ActionRefused as refused:
            return Over(level=len(refused.reason))

    def play() -> App:
        app = App("play")
        app.on(acts=[SetValve], name="set")(turn)
        return app

    acting = stage(play(), mode="propose")
    chain = acting.say(Measured(level=3))
    approvals = Approvals(acting.app, acting.engine.runtime, acting.post)
    (proposal,) = approvals.waiting(chain)
    approvals.answer(chain, proposal.approval, "rejected", "ann@example.com", "not now")
    acting.play()
    stored = chain_of(acting)
    assert stored.runs[0].record.state == "committed"
    assert stored.runs[0].emitted()[0].event["data"] == {"level": len("not now")}
    assert verdicts(replay_chain(stored, play(), fleet("propose"))) == {"set": "same"}


# -- otherwise --------------------------------------------------------------------------------


def replayed_with(measure: Any) -> Replayed:
    """The first handler of a play, replaced by another before the replay."""
    replay = replay_chain(played(stage(measuring())), measuring(measure), fleet())
    assert only(replay, "set").verdict == "same", "the next run is judged by what it was given"
    return only(replay, "measure")


def test_other_data_shows_line_by_line() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        level = ctx.observe(ReadGauge(tank=event.data.tank)).level
        return Measured(level=level + 1, because=f"the gauge says {level}")

    found = replayed_with(measure)
    assert found.verdict == "differs"
    assert found.why == "it would say something else"
    assert "-  level: 7" in found.difference
    assert "+  level: 8" in found.difference
    assert "   because: the gauge says 7" in found.difference


def test_where_the_code_asks_for_something_else_the_run_ends() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        ctx.observe(ReadGauge(tank="another"))
        raise AssertionError("what the answer would have been, nobody knows")

    found = replayed_with(measure)
    assert found.verdict == "differs"
    assert found.why == "it asks for query:gauge.read with other arguments"
    assert "-  tank: a" in found.difference
    assert "+  tank: another" in found.difference


def test_a_handler_cannot_catch_the_end_of_its_replay() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        try:
            ctx.observe(ReadGauge(tank="another"))
        except Exception:  # noqa: BLE001 - the point
            raise AssertionError from None
        raise AssertionError

    assert replayed_with(measure).verdict == "differs"


def test_asking_once_more_than_the_record_holds_differs() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        ctx.observe(ReadGauge(tank=event.data.tank))
        return Measured(level=ctx.observe(ReadGauge(tank=event.data.tank)).level)

    found = replayed_with(measure)
    assert found.why == "it asks for query:gauge.read, of which the record holds nothing"


def test_not_asking_any_more_differs() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        return Measured(level=7, because="the gauge says 7")

    found = replayed_with(measure)
    assert found.why == "it does not ask for query:gauge.read any more"
    assert "-asks for query:gauge.read" in found.difference


def test_an_answer_that_does_not_fit_any_more_differs() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        return Measured(level=ctx.observe(ReadDeeper(tank=event.data.tank)).depth)

    app = App("play")
    app.on(reads=[ReadDeeper], name="measure")(measure)
    found = only(replay_chain(played(stage(measuring())), app, fleet()), "measure")
    assert "the recorded answer of gauge.read does not fit Deeper any more" in found.why
    assert "depth" in found.why


def test_an_error_of_today_differs() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        ctx.observe(ReadGauge(tank=event.data.tank))
        raise ValueError("of today")

    found = replayed_with(measure)
    assert found.why == "it fails today"
    assert "+fails: ValueError: of today" in found.difference


def test_what_is_not_declared_today_fails_today() -> None:
    app = App("play")

    @app.on(name="measure")
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        return Measured(level=ctx.observe(ReadGauge(tank=event.data.tank)).level)

    found = only(replay_chain(played(stage(measuring())), app, fleet()), "measure")
    assert "NotDeclared" in "\n".join(found.difference)


def test_another_delay_of_a_timer_differs() -> None:
    acting = stage(waiting())
    acting.say(Asked(seconds=30.0))
    app = App("play")

    @app.on(name="begin")
    def begin(event: Event[Asked]) -> Later[Look]:
        return later(Look(), event.data.seconds + 1, scope="looks")

    found = only(replay_chain(chain_of(acting), app, fleet()), "begin")
    assert "-  after: 30.000 s" in found.difference
    assert "+  after: 31.000 s" in found.difference


def test_another_end_of_the_chain_differs() -> None:
    app = App("play")

    @app.on(acts=[SetValve], name="set")
    def turn(event: Event[Measured], ctx: Context) -> GivenUp:
        ctx.act(SetValve(level=event.data.level))
        return GivenUp()

    found = only(replay_chain(played(stage(measuring())), app, fleet()), "set")
    assert found.why == "it would end the chain as given-up, not completed"


def test_another_action_differs_and_what_followed_is_not_guessed() -> None:
    app = App("play")

    @app.on(acts=[SetValve], name="set")
    def turn(event: Event[Measured], ctx: Context) -> Over:
        return Over(level=ctx.act(SetValve(level=event.data.level - 1)).level)

    found = only(replay_chain(played(stage(measuring())), app, fleet()), "set")
    assert "-  level: 7" in found.difference
    assert "+  level: 6" in found.difference
    assert not any("says" in line for line in found.difference)


def test_a_failure_that_would_not_happen_today_differs() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        raise ValueError("a bug of then")

    def mended(event: Event[Asked], ctx: Context) -> Measured:
        return Measured(level=1)

    chain = played(stage(measuring(measure), attempts=1))
    found = only(replay_chain(chain, measuring(mended), fleet()), "measure")
    assert found.why == "it failed then and would not today"
    assert "-fails: ValueError: a bug of then" in found.difference


def test_what_a_failed_attempt_has_forgotten_cannot_be_told() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        ctx.observe(ReadGauge(tank=event.data.tank))
        raise ValueError("a bug of then")

    chain = played(stage(measuring(measure), attempts=1))
    found = only(replay_chain(chain, measuring(), fleet()), "measure")
    assert found.verdict == "unknown"
    assert not replay_chain(chain, measuring(), fleet()).differs


def test_another_policy_shows_in_what_would_be_decided() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured | Over:
        level = ctx.observe(ReadGauge(tank=event.data.tank)).level
        return Measured(level=level) if level > ctx.fleet.failover.quorum else Over()

    chain = played(stage(measuring(measure)))
    assert not replay_chain(chain, measuring(measure), fleet()).differs
    found = only(replay_chain(chain, measuring(measure), fleet(quorum=9.0)), "measure")
    assert found.why == "it would end the chain as completed, not open"
    assert "+says com.example.over.v1" in found.difference


def test_another_mode_shows_with_the_action_that_it_is_about() -> None:
    chain = played(stage(measuring()))
    found = only(replay_chain(chain, measuring(), fleet("propose")), "set")
    assert found.verdict == "differs"
    assert found.why == "the fleet's modes are others"
    assert "-  mode: act" in found.difference
    assert "+  mode: propose" in found.difference


def test_under_the_fleets_of_then_only_the_code_may_differ() -> None:
    chain = played(stage(measuring()))
    replay = replay_chain(chain, measuring(), None, recorded={fleet().digest: fleet()})
    assert not replay.differs
    assert not replay_chain(chain, measuring(), None, recorded={}).differs


# -- handlers that come and go ----------------------------------------------------------------


def test_a_handler_that_is_gone_differs() -> None:
    found = only(replay_chain(played(stage(measuring())), waiting(), fleet()), "measure")
    assert found.why == "no handler of play has its name"


def test_a_handler_that_has_another_name_today_is_known_by_its_old_one() -> None:
    app = App("play")

    @app.on(reads=[ReadGauge], name="gauge", was=["measure"])
    def gauge(event: Event[Asked], ctx: Context) -> Measured:
        level = ctx.observe(ReadGauge(tank=event.data.tank)).level
        return Measured(level=level, because=f"the gauge says {level}")

    assert only(replay_chain(played(stage(measuring())), app, fleet()), "measure").verdict == "same"


def test_a_handler_that_does_not_take_its_event_any_more_differs() -> None:
    narrowed = measuring(where=Where(subject="elsewhere"))
    found = only(replay_chain(played(stage(measuring())), narrowed, fleet()), "measure")
    assert found.why == "the handler does not take its event any more"


def test_a_handler_that_is_new_differs_and_shows_what_it_would_say() -> None:
    app = measuring()

    @app.on(name="also")
    def also(event: Event[Asked]) -> Iterator[Over]:
        yield Over(level=99)

    found = only(replay_chain(played(stage(measuring())), app, fleet()), "also")
    assert found.why == "it takes this event today and did not then"
    assert "+  level: 99" in found.difference


def test_a_timer_that_was_dropped_is_skipped() -> None:
    app = waiting()

    @app.on(name="over")
    def over(event: Event[Measured]) -> Over:
        return Over()

    acting = stage(app)
    acting.say(Asked())
    chain = acting.chain
    acting.say(
        Measured(level=1),
        event_id="2",
        extensions={"correlationid": chain, "partitionkey": chain, "hop": 1},
    )
    acting.pass_time(60)
    replay = replay_chain(chain_of(acting, chain), app, fleet())
    assert only(replay, "look").verdict == "skipped"
    assert "outlived" in only(replay, "look").why


def test_a_question_that_was_not_asked_then_is_taken_as_answered_by_the_run_itself() -> None:
    def judge(event: Event[Asked], ctx: Context) -> Measured:
        return Measured(level=0, because=ctx.settle("fresh", "yes"))

    found = replayed_with(judge)
    assert found.verdict == "differs"
    assert "+asks for an answer to fresh" in found.difference
    assert "+  because: yes" in found.difference
