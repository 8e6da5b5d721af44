"""The trace of a chain: what led to what, in the order in which it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator

from crosswind import App, Context, Flight, Later, Start, later, start
from crosswind.actions import Call
from crosswind.engine.settings import Settings
from crosswind.journal.chain import read_chain
from crosswind.journal.repetition import Repeated, collapsed
from crosswind.journal.trace import EventNode, RunNode, Trace, trace
from crosswind.records.identity import chain_id
from crosswind.testing import Stage
from crosswind_events import Event
from unit.journal.plays import (
    Asked,
    Look,
    Measured,
    Over,
    Plant,
    Set,
    SetValve,
    chain_of,
    fleet,
    measuring,
    parting,
    played,
    waiting,
)


def traced(stage: Stage, chain: str | None = None) -> Trace:
    return trace(chain_of(stage, chain), stage.app, stage.now)


def outline(found: Trace) -> list[str]:
    """Each node on a line: its depth as dashes, then a handler or the middle of a type."""
    return [
        "-" * node.depth
        + (
            node.run.record.handler
            if isinstance(node, RunNode)
            else str(node.event["type"]).split(".")[2]
        )
        for node in found.nodes
    ]


def test_events_stand_above_the_runs_that_worked_them() -> None:
    stage = Stage(measuring(), fleet=fleet(), performers=[Plant()])
    played(stage)
    assert outline(traced(stage)) == [
        "asked",
        "-measure",
        "--measured",
        "---set",
        "----over",
    ]


def test_a_timer_to_itself_stays_at_its_depth() -> None:
    stage = Stage(waiting())
    stage.say(Asked())
    stage.pass_time(200)
    assert outline(traced(stage)) == [
        "asked",
        "-begin",
        *["--look", "---look"] * 3,
        "----over",
    ]


def test_a_long_wait_is_no_deep_tree() -> None:
    stage = Stage(patient(500))
    stage.say(Look())
    stage.pass_time(600)
    found = traced(stage)
    assert len(found.nodes) > 1000
    assert max(node.depth for node in found.nodes) == 2


def patient(looks: int) -> App:
    """Looks once a second, so many times."""
    app = App("play")

    @app.on(name="look")
    def look(event: Event[Look]) -> Later[Look] | Over:
        if event.data.looks < looks:
            return later(Look(looks=event.data.looks + 1), 1.0)
        return Over()

    return app


def test_an_event_that_racing_runs_make_is_shown_once() -> None:
    stage = Stage(parting())
    played(stage)
    lines = outline(traced(stage))
    assert lines.count("----whole") == 1
    assert lines[:3] == ["asked", "-part", "--part"]


def test_a_timer_that_is_not_due_waits_with_its_time() -> None:
    stage = Stage(waiting())
    stage.say(Asked(seconds=30.0))
    last = traced(stage).nodes[-1]
    assert isinstance(last, EventNode)
    assert last.fate == "timer"
    assert last.due is not None
    assert round(last.due) == 30


def test_a_timer_of_a_chain_that_has_ended_is_void() -> None:
    app = waiting()

    @app.on(name="over")
    def over(event: Event[Measured]) -> Over:
        return Over()

    stage = Stage(app)
    chain = stage.say(Asked())
    stage.say(
        Measured(level=1),
        event_id="2",
        extensions={"correlationid": chain, "partitionkey": chain, "hop": 1},
    )
    fates = [n.fate for n in traced(stage, chain).nodes if isinstance(n, EventNode)]
    assert "void" in fates


def test_what_nobody_takes_says_so() -> None:
    stage = Stage(measuring(), fleet=fleet(), performers=[Plant()])
    played(stage)
    last = traced(stage).nodes[-1]
    assert isinstance(last, EventNode)
    assert last.fate == "untaken"


def test_a_chain_that_is_started_is_named() -> None:
    app = App("play")

    @app.on(name="begin")
    def begin(event: Event[Asked]) -> Start[Measured]:
        return start(Measured(level=1))

    @app.on(name="other")
    def other(event: Event[Measured]) -> Over:
        return Over()

    stage = Stage(app)
    stage.say(Asked())
    last = traced(stage).nodes[-1]
    assert isinstance(last, EventNode)
    (said,) = stage.said(Measured)
    assert last.fate == "elsewhere"
    assert last.starts == chain_id(said.source, said.id)


def test_an_action_has_the_key_under_which_it_was_asked_for() -> None:
    keys: list[str] = []

    class Noting(Plant):
        def perform(self, action: SetValve, call: Call) -> Set:
            keys.append(call.key)
            return super().perform(action, call)

    stage = Stage(measuring(), fleet=fleet(), performers=[Noting()])
    played(stage)
    (run,) = [n for n in traced(stage).nodes if isinstance(n, RunNode) and n.depth == 3]
    assert [step.key for step in run.steps if step.entry.is_action] == keys


def test_failures_and_waits_are_told() -> None:
    settings = Settings(backoff=1.0, attempts=3)
    stage = Stage(measuring(), fleet=fleet(), performers=[Plant(fails=2)], settings=settings)
    played(stage)
    stage.pass_time(60)
    found = traced(stage)
    failures = [
        failure
        for node in found.as_json()["nodes"]
        if node["node"] == "run"
        for failure in node["failures"]
    ]
    assert [failure["error"] for failure in failures] == ["RuntimeError: the valve is stuck"]


def test_a_trace_is_json() -> None:
    stage = Stage(parting())
    played(stage)
    found = traced(stage).as_json()
    assert json.loads(json.dumps(found)) == found
    assert found["outcome"] == "completed"
    events = {n["event"]["id"] for n in found["nodes"] if n["node"] == "event"}
    emitted = {e for n in found["nodes"] if n["node"] == "run" for e in n["emitted"]}
    assert emitted <= events


def test_a_chain_of_which_nothing_is_stored_is_none() -> None:
    stage = Stage(measuring())
    assert read_chain(stage.engine.ledger, "0" * 36) is None


def test_what_comes_again_and_leads_to_nothing_is_counted() -> None:
    stage = Stage(patient(500))
    stage.say(Look())
    stage.pass_time(600)
    nodes = list(collapsed(traced(stage).nodes))
    (repeated,) = [node for node in nodes if isinstance(node, Repeated)]
    assert repeated.count == 498, "all but the first event, the first timer and the last"
    assert 498 <= repeated.at < 499
    kinds = [type(node) for node in nodes]
    assert kinds == [*[EventNode, RunNode] * 2, Repeated, EventNode, RunNode, EventNode]


def test_what_comes_again_is_shown_where_it_leads_to_something() -> None:
    app = App("play")
    flight = Flight("tank", key=lambda event: str(event.data.tank))

    @app.on(name="hear", flight=flight, deadline=600.0)
    def hear(event: Event[Asked], ctx: Context) -> Iterator[Measured]:
        if len(ctx.evidence()) % 4 == 1:
            yield Measured(level=1)

    @app.on(name="end")
    def end(event: Event[Measured]) -> None:
        """Nothing more."""

    stage = Stage(app)
    chain = stage.say(Asked(), event_id="0")
    for number in range(1, 10):
        stage.say(Asked(), event_id=str(number), source=f"//s/{number % 2}")
    nodes = list(collapsed(traced(stage, chain).nodes))
    shown = [n for n in nodes if isinstance(n, EventNode) and n.event["type"] == Asked.event_type]
    counted = sum(node.count for node in nodes if isinstance(node, Repeated))
    assert len(shown) + counted == 10
    said = [n for n in nodes if isinstance(n, EventNode) and n.event["type"] == Measured.event_type]
    assert len(said) == 3, "what led to something is never counted away"


def test_a_short_trace_is_shown_as_it_is() -> None:
    stage = Stage(parting())
    played(stage)
    nodes = traced(stage).nodes
    assert list(collapsed(nodes)) == list(nodes)
