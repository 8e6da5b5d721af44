"""What the tree of a chain shows of everything that can happen in it."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from crosswind import Action, App, Context, Pending, Start, start
from crosswind.actions import Call
from crosswind.cli.traceview import view
from crosswind.engine.approvals import Approvals
from crosswind.engine.settings import Settings
from crosswind.errors import ActionRefused
from crosswind.journal.trace import trace
from crosswind.testing import Stage
from crosswind_events import Event
from unit.journal.plays import (
    Asked,
    Measured,
    Over,
    Plant,
    Set,
    SetValve,
    chain_of,
    fleet,
    measuring,
    parting,
    waiting,
)


def shown(stage: Stage, *, app: App | None = None, full: bool = False) -> str:
    """The tree as it stands in a pipe."""
    console = Console(file=io.StringIO(), width=160)
    found = trace(chain_of(stage), stage.app, stage.now)
    for part in view(found, app or stage.app, full=full):
        console.print(part)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return text


def acting(mode: str = "act", **how: Any) -> Stage:
    return Stage(measuring(), fleet=fleet(mode), performers=[Plant(**how)])


def test_a_chain_that_is_over_says_how_and_after_what_time() -> None:
    stage = acting()
    stage.say(Asked())
    text = shown(stage)
    assert "ended after" in text
    assert "completed" in text
    assert "do valve.set act, asked 1x" in text
    assert "no handler takes it" in text


def test_an_open_chain_says_when_it_has_to_be_over() -> None:
    stage = Stage(waiting())
    stage.say(Asked(seconds=30.0))
    stage.now += 10
    text = shown(stage)
    assert "open since 10 s, its deadline is in 24 h" in text
    assert "timer, due in 20 s" in text


def test_what_is_only_observed_is_marked() -> None:
    stage = acting("observe")
    stage.say(Asked())
    text = shown(stage)
    assert "simulated: nothing outside was changed" in text
    assert "-> assumed, nothing was done: level 7" in text


def test_an_approval_is_asked_for_and_answered() -> None:
    stage = acting("propose")
    chain = stage.say(Asked())
    assert f"crosswind approve {chain[:8]}" in shown(stage)
    approvals = Approvals(stage.app, stage.engine.runtime, stage.post)
    (proposal,) = approvals.waiting(chain)
    approvals.answer(chain, proposal.approval, "granted", "ann@example.com", "seen")
    stage.play()
    assert "granted by ann@example.com at +" in shown(stage)
    assert ": seen" in shown(stage)


def test_a_refused_action_says_by_whom_and_why() -> None:
    app = App("play")

    @app.on(acts=[SetValve], name="set")
    def turn(event: Event[Measured], ctx: Context) -> Over:
        try:
            return Over(level=ctx.act(SetValve(level=event.data.level)).level)
        except ActionRefused:
            return Over(level=-1)

    stage = Stage(app, fleet=fleet("propose"), performers=[Plant()])
    chain = stage.say(Measured(level=3))
    approvals = Approvals(app, stage.engine.runtime, stage.post)
    (proposal,) = approvals.waiting(chain)
    approvals.answer(chain, proposal.approval, "rejected", "ann@example.com", "not now")
    stage.play()
    assert "not taken: rejected by ann@example.com: not now" in shown(stage)


def test_an_action_under_way_says_what_is_waited_for() -> None:
    class Slow(Plant):
        def perform(self, action: Action[Any], call: Call) -> Set | Pending:  # type: ignore[override]
            return Pending(30.0, "2 of 4 replicas serve")

    stage = Stage(measuring(), fleet=fleet(), performers=[Slow()])
    stage.say(Asked())
    text = shown(stage)
    assert "under way: 2 of 4 replicas serve" in text
    assert "goes on in 30 s" in text


def test_failed_attempts_are_told_with_their_errors() -> None:
    settings = Settings(attempts=2, backoff=0.001)
    stage = Stage(measuring(), fleet=fleet(), performers=[Plant(fails=9)], settings=settings)
    stage.say(Asked())
    stage.pass_time(10)
    text = shown(stage)
    assert "failed" in text
    assert text.count("attempt failed at +") == 2
    assert "RuntimeError: the valve is stuck" in text


def test_an_event_of_two_branches_is_shown_once_in_full() -> None:
    stage = Stage(parting())
    stage.say(Asked())
    text = shown(stage)
    assert "branch left" in text
    assert "join parts" in text
    assert text.count("com.example.whole") == 1


def test_a_chain_that_is_started_is_named() -> None:
    app = App("play")

    @app.on(name="begin")
    def begin(event: Event[Asked]) -> Start[Measured]:
        return start(Measured(level=1))

    stage = Stage(app)
    stage.say(Asked())
    assert "starts chain " in shown(stage)


def test_several_runs_of_one_event_stand_below_it() -> None:
    app = measuring()

    @app.on(name="also")
    def also(event: Event[Asked]) -> None:
        """Hears it too."""

    stage = Stage(app, fleet=fleet(), performers=[Plant()])
    stage.say(Asked())
    text = shown(stage)
    assert "├── +0." in text
    assert "also committed" in text


def test_a_run_of_another_version_of_the_code_is_marked() -> None:
    def other(event: Event[Asked], ctx: Context) -> Measured:
        return Measured(level=ctx.now().second)

    stage = acting()
    stage.say(Asked())
    assert "another version of the code" not in shown(stage)
    assert "another version of the code" in shown(stage, app=measuring(other))


def test_in_full_nothing_is_cut_or_left_out() -> None:
    def measure(event: Event[Asked], ctx: Context) -> Measured:
        ctx.now()
        return Measured(level=1, because="so " * 100)

    stage = Stage(measuring(measure), fleet=fleet(), performers=[Plant()])
    stage.say(Asked())
    text = shown(stage, full=True)
    assert "now" in text
    assert "seconds: 30.0" in text
    assert text.count("so ") >= 200, "once as the reason, once in the data"


def test_a_first_event_that_was_dropped_has_no_head() -> None:
    stage = acting()
    stage.say(Asked(), extensions={"expirytime": "2020-01-01T00:00:00Z"})
    text = shown(stage)
    assert "has no head" in text
    assert "it expired at 2020-01-01T00:00:00Z" in text
