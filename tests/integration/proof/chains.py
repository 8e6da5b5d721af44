"""The small apps that are played: each uses one part of the protocol, some in two versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Branch, Later, branch, later
from crosswind.handlers import Flight
from crosswind_events import Event
from crosswind_events.catalogue.chain import BranchFailed
from crosswind_events.catalogue.deadletter import DeadLettered
from integration.proof.plant import (
    Asked,
    Blast,
    Done,
    Fill,
    GiveUp,
    Heard,
    Over,
    Part,
    ReadGauge,
    Ring,
    SetValve,
    Sick,
    Sure,
    Well,
)

MEMBERS: Final = ("a", "b", "c")


def relay(version: int) -> App:
    """Says on what it hears; two react to the first event, and version 2 has renamed one."""
    app = App("relay")
    names: tuple[str, tuple[str, ...]] = ("hear", ()) if version == 1 else ("listen", ("hear",))

    @app.on(name=names[0], was=names[1])
    def hear(event: Event[Asked], ctx: Context) -> Heard:
        return Heard(text=f"{event.data.text} at {ctx.now():%H:%M}")

    @app.on(name="note", aside=True)
    def note(event: Event[Asked]) -> None:
        pass

    @app.on(name="finish")
    def finish(event: Event[Heard]) -> Over:
        return Over(text=event.data.text)

    return app


def valves(version: int) -> App:
    """Looks, acts, looks, acts, and rings when all is over; version 2 has renamed it."""
    app = App("valves")
    names: tuple[str, tuple[str, ...]] = ("set", ()) if version == 1 else ("adjust", ("set",))

    @app.on(name=names[0], was=names[1], reads=[ReadGauge], acts=[SetValve])
    def set_both(event: Event[Asked], ctx: Context) -> Iterator[Over]:
        first = ctx.observe(ReadGauge()).level
        one = ctx.act(SetValve(level=first + 1)).level
        second = ctx.observe(ReadGauge()).level
        two = ctx.act(SetValve(level=second + 10)).level
        yield Over(text=f"{first} {one} {second} {two} {ctx.now():%H:%M}")

    @app.on(name="ring", acts=[Ring])
    def ring(event: Event[Over], ctx: Context) -> None:
        ctx.act(Ring())

    return app


def slow(version: int) -> App:
    """Actions that are under way for a while, and a second look after each."""
    app = App("slow")

    @app.on(name="fill", reads=[ReadGauge], acts=[Fill, SetValve])
    def fill(event: Event[Asked], ctx: Context) -> Over:
        one = ctx.act(Fill(level=3)).level
        seen = ctx.observe(ReadGauge()).level
        two = ctx.act(SetValve(level=seen + 1)).level
        three = ctx.act(Fill(level=2)).level
        return Over(text=f"{one} {seen} {two} {three}")

    return app


def fickle(version: int) -> App:
    """Two actions of which version 2 takes the second with another argument."""
    app = App("fickle")

    @app.on(name="set", acts=[SetValve])
    def set_both(event: Event[Asked], ctx: Context) -> Over:
        ctx.act(SetValve(level=1))
        ctx.act(SetValve(level=1 + version))
        return Over()

    return app


def fan(version: int, *, bad: str = "") -> App:
    """Fans out to three members that each act, collects them, gives up after a time."""
    app = App("fan")

    @app.on(name="out")
    def out(event: Event[Asked], ctx: Context) -> Iterator[Branch[Part] | Later[GiveUp]]:
        for member in MEMBERS:
            yield branch(Part(name=member), join="parts", member=member)
        yield later(GiveUp(), 50, scope="parts")

    @app.on(name="work", acts=[SetValve])
    def work(event: Event[Part], ctx: Context) -> Done:
        level = ctx.act(SetValve(level=MEMBERS.index(event.data.name))).level
        if event.data.name == bad:
            raise ValueError("this part is bad")
        return Done(name=event.data.name, text=str(level))

    @app.on(name="collect")
    def collect(event: Event[Done | BranchFailed], ctx: Context) -> Iterator[Over]:
        data = event.data
        member, said = (data.name, data.text) if isinstance(data, Done) else (data.member, "")
        joined = ctx.join("parts", member, MEMBERS, said)
        if joined is not None:
            ctx.cancel("parts")
            yield Over(text=f"{joined.outcome} {joined.values} {sorted(joined.failed)}")

    @app.on(name="timeout")
    def timeout(event: Event[GiveUp], ctx: Context) -> Over:
        joined = ctx.close_join("parts", MEMBERS)
        return Over(text=f"{joined.outcome} {joined.values} {sorted(joined.failed)}")

    return app


def ask(version: int) -> App:
    """Two parts and a timer answer one question; whichever is first, the same follows."""
    app = App("ask")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Iterator[Part | Later[Part]]:
        yield Part(name="yes")
        yield Part(name="no")
        yield later(Part(name="silence"), 5)

    @app.on(name="answer")
    def answer(event: Event[Part], ctx: Context) -> Done:
        return Done(name=ctx.settle("q", event.data.name))

    @app.on(name="finish")
    def finish(event: Event[Done]) -> Over:
        return Over(text=event.data.name)

    return app


def ward(second: Literal["join", "supersede", "queue"], quorum: int = 2) -> App:
    """Weighs evidence of one target; acts at a quorum, ends when the timer comes."""
    app = App("ward")
    flight = Flight("ward", key=lambda e: str(e.data.who), second=second)

    def weigh(ctx: Context) -> Iterator[Sure | Later[GiveUp]]:
        heard = ctx.evidence()
        if ctx.settle("timer", "set") == "set":
            yield later(GiveUp(), 60, scope="wait")
        if len(heard) >= quorum and ctx.settle("sure", "yes") == "yes":
            yield Sure()

    @app.on(name="weigh", flight=flight)
    def weigh_sick(event: Event[Sick], ctx: Context) -> Iterator[Sure | Later[GiveUp]]:
        yield from weigh(ctx)

    @app.on(name="weigh-well", flight=flight)
    def weigh_well(event: Event[Well], ctx: Context) -> Iterator[Sure | Later[GiveUp]]:
        yield from weigh(ctx)

    @app.on(name="act", acts=[SetValve])
    def act(event: Event[Sure], ctx: Context) -> Heard:
        lock = ctx.lock
        assert lock is not None
        return Heard(text=str(ctx.act(SetValve(level=lock.epoch)).level))

    @app.on(name="end")
    def end(event: Event[Heard | GiveUp], ctx: Context) -> Over:
        return Over(text=f"{event.type.split('.')[2]} after {len(ctx.evidence())}")

    return app


def calm(version: int) -> App:
    """A flight that decides nothing, or acts at once, and is over with its first run."""
    app = App("calm")

    @app.on(name="look", flight=Flight("look", key=lambda e: str(e.data.who)), acts=[SetValve])
    def look(event: Event[Sick], ctx: Context) -> None:
        if len(ctx.evidence()) > 1:
            ctx.act(SetValve(level=len(ctx.evidence())))

    return app


def pair(version: int) -> App:
    """Two handlers of one event share a flight: one acts, one ends the chain."""
    app = App("pair")
    flight = Flight("pair", key=lambda e: str(e.data.who), second="queue")

    @app.on(name="look", flight=flight, acts=[SetValve])
    def look(event: Event[Sick], ctx: Context) -> None:
        ctx.act(SetValve(level=1))

    @app.on(name="end", flight=flight)
    def end(event: Event[Sick], ctx: Context) -> Over:
        return Over()

    return app


def endless(version: int) -> App:
    """Could end, and never does."""
    app = App("endless")

    @app.on(name="out", deadline=300)
    def out(event: Event[Asked]) -> Iterator[Heard]:
        if event.data.text != "silence":
            yield Heard()

    @app.on(name="wait", acts=[SetValve])
    def wait(event: Event[Heard], ctx: Context) -> Iterator[Over]:
        ctx.act(SetValve(level=3))
        if event.data.text == "never":
            yield Over()

    return app


def broken(version: int) -> App:
    """Fails while the plant is broken; its dead letter is heard of, and may be redriven."""
    app = App("broken")

    @app.on(name="set", acts=[SetValve])
    def set_two(event: Event[Asked], ctx: Context) -> Heard:
        ctx.act(SetValve(level=1))
        ctx.act(SetValve(level=2))
        return Heard()

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    @app.on(name="bury", acts=[Ring], aside=True)
    def bury(event: Event[DeadLettered], ctx: Context) -> None:
        ctx.act(Ring())

    return app


def broken_flight(version: int) -> App:
    """The same with a flight, so that a redrive has to take its lock again."""
    app = App("broken-flight")

    @app.on(
        name="set", acts=[SetValve], flight=Flight("mend", lambda e: str(e.data.who), "supersede")
    )
    def set_two(event: Event[Sick], ctx: Context) -> Over:
        ctx.act(SetValve(level=1))
        ctx.act(SetValve(level=2))
        return Over()

    return app


def braked(version: int) -> App:
    """Acts within limits and beyond them, and once in a way that always needs approval."""
    app = App("braked")

    @app.on(name="set", acts=[SetValve, Blast])
    def set_one(event: Event[Asked], ctx: Context) -> Over:
        ctx.act(SetValve(level=2))
        if event.data.text == "blast":
            ctx.act(Blast())
        return Over()

    return app
