"""From what a handler yields to events: identity, place in the chain, and bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Branch, Later, Start, branch, later, start
from crosswind.engine.settings import Settings
from crosswind.errors import BoundExceeded
from crosswind.records.identity import chain_id
from crosswind_events import Event

from .stage import Stage
from .world import Asked, Heard, Over, Plant, SetValve, fleet


def telling(*yields: Any) -> App:
    app = App("telling")

    @app.on(name="tell")
    def tell(
        event: Event[Asked],
    ) -> Iterator[Heard | Over | Later[Heard] | Branch[Heard] | Start[Heard]]:
        yield from yields

    return app


def told(*yields: Any, **how: Any) -> Stage:
    stage = Stage(telling(*yields))
    stage.say(Asked(), **how)
    return stage


def test_an_event_is_the_same_from_every_attempt_and_no_other_has_its_id() -> None:
    first, second = (told(Heard(text="a"), Heard(text="b")) for _ in "ab")
    ids = [e.id for e in first.said(Heard)]
    assert len(set(ids)) == 2
    assert [e.id for e in second.said(Heard)] == ids


def test_an_event_inherits_subject_and_trace() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    stage = told(Heard(), subject="r1", extensions={"traceparent": trace})
    (heard,) = stage.said(Heard)
    assert (heard.subject, heard.extensions["traceparent"]) == ("r1", trace)
    assert heard.extensions["partitionkey"] == heard.extensions["correlationid"] == stage.chain
    assert heard.source == "//crosswind/telling"


@pytest.mark.parametrize(
    "yielded",
    [
        later(Heard(), 0, subject="r2"),
        branch(Heard(), join="j", member="m", subject="r2"),
        start(Heard(), subject="r2"),
    ],
)
def test_a_subject_may_be_given(yielded: Any) -> None:
    assert told(yielded, subject="r1").said(Heard)[0].subject == "r2"


def test_a_timer_of_no_delay_is_due_now() -> None:
    for delay in (0, -5):
        stage = told(later(Heard(), delay))
        (message,) = [m for m in stage.bus.published if m.attributes["type"] == Heard.event_type]
        assert message.due is None


def test_a_started_event_opens_a_chain_of_its_own() -> None:
    stage = told(start(Heard(), observer="eu probe"))
    (heard,) = stage.said(Heard)
    assert heard.source == "//crosswind/telling/eu%20probe"
    assert "hop" not in heard.extensions
    assert "correlationid" not in heard.extensions
    assert heard.extensions["causationid"] == "1"
    assert chain_id(heard.source, heard.id) != stage.chain


def test_what_an_ending_event_starts_has_not_ended() -> None:
    app = App("phoenix")

    @app.on(name="end")
    def end(event: Event[Asked]) -> Over:
        return Over()

    @app.on(name="rise")
    def rise(event: Event[Over]) -> Iterator[Start[Heard] | Later[Heard]]:
        yield start(Heard(text="new"))
        yield later(Heard(text="old"), 0)

    stage = Stage(app)
    stage.say(Asked())
    ended = {e.data.text: e.extensions.get("ended") for e in stage.said(Heard)}
    assert ended == {"new": None, "old": "completed"}


def test_a_handler_may_give_nothing_or_something_now_and_then() -> None:
    stage = told(None, Heard(), None)
    assert len(stage.said(Heard)) == 1


def test_what_is_no_event_data_cannot_be_emitted() -> None:
    stage = told("hello")
    assert "tell yielded str; only event data can be emitted" in stage.record("tell").why
    assert stage.record("tell").state == "failed"


def test_events_per_run_are_bounded() -> None:
    stage = Stage(telling(*[Heard()] * 4), settings=Settings(events_per_run=3))
    stage.say(Asked())
    assert "tell emitted more than 3 events in one run" in stage.record("tell").why
    assert stage.said(Heard) == []


@pytest.mark.parametrize(("join", "member"), [("a;b", "m"), ("j", "m|n")])
def test_the_names_of_a_branch_hold_no_marks_of_its_path(join: str, member: str) -> None:
    stage = told(branch(Heard(), join=join, member=member))
    assert BoundExceeded.__name__ in stage.record("tell").why
    assert "names hold no ';' or '|'" in stage.record("tell").why


def test_the_last_of_several_endings_names_the_outcome() -> None:
    stage = told(Over(text="a"), Heard())
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"
    assert {e.extensions["ended"] for e in stage.said(Over) + stage.said(Heard)} == {"completed"}


def test_an_id_asked_of_the_context_is_the_same_in_every_attempt() -> None:
    app, ids = App("named"), []

    @app.on(name="name", acts=[SetValve])
    def name(event: Event[Asked], ctx: Context) -> None:
        ids.append((ctx.id(), ctx.id("plan")))
        if len(ids) < 3:
            raise OSError("not yet")

    stage = Stage(app, fleet=fleet(), performers=[Plant()])
    stage.say(Asked())
    stage.pass_time(100)
    assert len(set(ids)) == 1
    assert ids[0][0] != ids[0][1]
