"""Single flight in motion: roles that change, locks that move, and chains that end meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.engine.flights import Hold
from crosswind.engine.settings import Settings
from crosswind.errors import DeclarationError, Throttled
from crosswind.handlers import Flight
from crosswind.ports import Put
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, chain_id, chain_partition, flight_partition
from crosswind_events import Event

from .races import MeddledStore
from .stage import SOURCE, Stage
from .world import Asked, Heard, Over, Plant, SetValve, fleet

LOCKS = flight_partition("f")


class Killed(BaseException):
    """The process is gone."""


def die() -> None:
    raise Killed


def app_of(second: Literal["join", "supersede", "queue"] = "join", *, twice: bool = False) -> App:
    """Weighs evidence; over when its timer comes. `twice`: two handlers share the flight."""
    app, flight = App("flights"), Flight("f", key=lambda e: e.data.text or "it", second=second)

    @app.on(name="weigh", flight=flight)
    def weigh(event: Event[Asked], ctx: Context) -> Iterator[Later[Heard]]:
        if len(ctx.evidence()) == 1:
            yield later(Heard(), 50)

    if twice:

        @app.on(name="too", flight=flight)
        def too(event: Event[Asked], ctx: Context) -> Later[Heard]:
            return later(Heard(), 50)

    @app.on(name="due")
    def due(event: Event[Heard]) -> Over:
        return Over()

    return app


def staged(app: App | None = None, **how: object) -> tuple[Stage, MeddledStore]:
    store = MeddledStore()
    return Stage(app or app_of(), store=store, **how), store  # type: ignore[arg-type]  # as Stage takes them


def beside(stage: Stage) -> Stage:
    """Another worker of the same app over the same store and bus."""
    other = Stage(stage.app, store=stage.store)
    other.now = stage.now
    other.bus = stage.bus
    other.engine.outbox.bus = stage.bus
    return other


def body(stage: Stage, id: str = "1", source: str = SOURCE, ago: float = 0.0) -> bytes:
    return stage.app.codec.encode(stage.event(Asked(), id=id, source=source, ago=ago))


def head(stage: Stage, chain: str) -> Head:
    found = stage.head(chain)
    assert found is not None
    return found


OWN, OTHER = chain_id(SOURCE, "1"), chain_id("//b.example.com", "2")


def test_two_handlers_that_share_a_flight_run_in_one_chain() -> None:
    stage, _ = staged(app_of(twice=True))
    chain = stage.say(Asked())
    assert sorted(r.handler for r in stage.records()) == ["too", "weigh"]
    assert head(stage, chain).evidence == 1
    assert head(stage, chain).lock is not None


def test_two_events_that_are_first_at_once_end_up_in_one_chain() -> None:
    stage, store = staged()
    other = beside(stage)
    store.meddle("write", "lock:", lambda: other.deliver(body(stage, "2", "//b.example.com")))
    assert stage.deliver(body(stage)) is None
    assert sorted(r.chain for r in stage.records(OTHER)) == [OTHER, OTHER]
    assert stage.records(OWN) == []
    assert head(stage, OTHER).evidence == 2


def test_a_guest_whose_chain_has_moved_looks_again() -> None:
    stage, store = staged()
    stage.deliver(body(stage))
    store.meddle("write", "evidence:", lambda: store.touch_head(OWN))
    assert stage.deliver(body(stage, "2", "//b.example.com")) is None
    assert head(stage, OWN).evidence == 2


def test_a_guest_whose_chain_closes_before_it_is_weighed_leads_its_own() -> None:
    stage, store = staged()
    stage.deliver(body(stage))
    store.meddle("write", "evidence:", lambda: stage.pass_time(60))
    assert stage.deliver(body(stage, "2", "//b.example.com")) is None
    assert head(stage, OWN).outcome == "completed"
    assert head(stage, OTHER).open
    lock = head(stage, OTHER).lock
    assert lock is not None
    assert lock.epoch == 2


def test_a_duplicate_of_a_guest_obeys_its_record_though_the_chain_has_closed() -> None:
    stage, _ = staged()
    stage.deliver(body(stage))
    guest = body(stage, "2", "//b.example.com")
    stage.deliver(guest)
    stage.pass_time(60)
    assert stage.deliver(guest) is None
    assert len(stage.records(OWN)) == 3
    assert stage.head(OTHER) is None


def test_a_leader_that_comes_again_after_its_chain_has_ended_obeys_its_record() -> None:
    stage, _ = staged()
    stage.deliver(body(stage))
    stage.pass_time(60)
    stage.deliver(body(stage, "2", "//b.example.com"))
    said = len(stage.bus.published)
    assert stage.deliver(body(stage)) is None, "it led, and has been replaced since"
    assert len(stage.bus.published) == said
    assert len(stage.records(OWN)) == 2


def test_a_leader_that_was_superseded_before_it_was_worked_is_dropped() -> None:
    """It took the lock and died; a newer one closed its chain; then it comes again."""
    stage, store = staged(app_of("supersede"))
    store.meddle("write", " run:", die)
    with pytest.raises(Killed):
        stage.deliver(body(stage, ago=10))
    assert stage.deliver(body(stage, "2", "//b.example.com", ago=5)) is None
    assert head(stage, OWN).outcome == "replaced"
    assert stage.deliver(body(stage, ago=10)) is None
    stage.chain = OWN
    assert stage.record("weigh").state == "dropped"
    assert "works a newer event" in stage.record("weigh").why


def test_a_chain_that_has_outlived_its_time_is_closed_as_expired() -> None:
    """Its deadline was lost: the lock is not held for ever."""
    stage, _ = staged(settings=Settings(deadline=100))
    stage.deliver(body(stage))
    stage.bus.waiting.clear()
    stage.now += 100 + 60 + 1
    assert stage.deliver(body(stage, "2", "//b.example.com")) is None
    assert head(stage, OWN).outcome == "expired"
    assert head(stage, OTHER).open


def test_a_queued_event_takes_over_from_a_chain_that_has_outlived_its_time() -> None:
    stage, _ = staged(app_of("queue"), settings=Settings(deadline=100))
    stage.deliver(body(stage))
    stage.deliver(body(stage, "2", "//b.example.com"))
    (resume,) = [m for m in stage.bus.waiting if "resume" in str(m.attributes["type"])]
    stage.bus.waiting.clear()
    stage.now += 100 + 60 + 1
    assert stage.deliver(resume.body) is None
    assert head(stage, OWN).outcome == "expired"
    assert head(stage, OTHER).open


def test_a_leader_whose_lock_was_taken_first_waits_in_the_queue_like_all() -> None:
    stage, store = staged(app_of("queue"))
    other = beside(stage)
    store.meddle("write", "lock:", lambda: other.deliver(body(stage, "2", "//b.example.com")))
    assert stage.deliver(body(stage)) is None
    stage.chain = OWN
    assert stage.record("weigh").state == "suspended"
    assert stage.record("weigh").why.startswith("queued: it is held by")


def test_a_target_that_is_never_at_rest_returns_the_delivery() -> None:
    stage, store = staged()
    stage.deliver(body(stage, "0", "//c.example.com"))
    stage.pass_time(60)
    store.meddle("write", "lock:", lambda: store.touch(LOCKS, "lock:it"), times=99)
    again = stage.deliver(body(stage))
    assert again is not None
    assert again.reason.startswith("flight f: it is contended")


def test_a_role_that_is_never_at_rest_returns_the_delivery() -> None:
    stage, store = staged()
    store.meddle(
        "write",
        f"chain:{OWN} run:",
        lambda: store.touch(chain_partition(OWN), "role:f"),
        times=99,
    )
    again = stage.deliver(body(stage))
    assert again is not None
    assert "its flight is contended" in again.reason


def test_an_event_that_repeats_itself_heeds_its_own_mark() -> None:
    stage, store = staged()
    store.meddle("write", "role:", die)
    with pytest.raises(Killed):
        stage.deliver(body(stage))
    assert stage.deliver(body(stage)) is None
    assert len(stage.records(OWN)) == 1


def test_an_older_word_of_the_same_kind_from_one_source_still_counts() -> None:
    stage, _ = staged()
    stage.deliver(body(stage))
    assert stage.deliver(body(stage, "2", ago=10)) is None
    assert head(stage, OWN).evidence == 2


def test_a_store_that_throttles_an_admission_is_no_failure() -> None:
    stage, store = staged()

    def throttle() -> None:
        raise Throttled("slow down")

    store.meddle("write", "lock:", throttle)
    again = stage.deliver(body(stage))
    assert again is not None
    assert stage.deliver(body(stage)) is None
    stage.chain = OWN
    assert stage.record("weigh").fails == []


def test_a_lease_that_began_before_its_chain_closed_is_waited_out_and_no_longer() -> None:
    """What claims after the head was closed sees that, and does nothing."""
    app = App("acting")

    @app.on(name="act", acts=[SetValve], flight=Flight("f", key=lambda e: "it"), deadline=10)
    def act(event: Event[Asked], ctx: Context) -> Iterator[Later[Heard]]:
        ctx.act(SetValve(level=1))
        yield later(Heard(), 500)

    @app.on(name="due")
    def due(event: Event[Heard]) -> Over:
        return Over()

    store, plant = MeddledStore(), Plant(before=lambda action, call: die())
    stage = Stage(app, fleet=fleet(), performers=[plant], store=store)
    with pytest.raises(Killed):
        stage.deliver(body(stage))
    plant.before = None
    lease = stage.records(OWN)[0].lease
    stage.now += 10
    timer = next(iter(stage.bus.waiting), None)
    assert timer is None, "the claim published nothing; the deadline is lost with its worker"
    closed = head(stage, OWN).closed("stalled", stage.now)
    item = store.read(chain_partition(OWN), HEAD)
    assert item is not None
    store.write(chain_partition(OWN), [Put(HEAD, closed.encode(), item.version)], "test")
    stage.deliver(body(stage, "2", "//b.example.com"))
    stage.chain = OTHER
    record = stage.record("act")
    assert record.until == pytest.approx(lease + 5.0, abs=0.01)
    stage.pass_time(70)
    assert stage.record("act").state == "committed"


def test_a_chain_long_closed_is_not_searched_for_leases() -> None:
    stage, store = staged()
    stage.deliver(body(stage))
    stage.pass_time(60)
    stage.now += 66
    scans = store.scans
    assert stage.deliver(body(stage, "2", "//b.example.com")) is None
    assert store.scans == scans + 1, "the evidence of its own chain alone"


def test_admission_is_for_handlers_that_fly() -> None:
    stage, _ = staged()
    (handler,) = [h for h in stage.app.handlers if h.name == "due"]
    with pytest.raises(DeclarationError, match="due has no flight"):
        stage.engine.runs.flights.admit(handler, stage.event(Heard()), OWN, b"", 1.0)


def test_a_lock_reads_back_as_it_was_written() -> None:
    hold = Hold("c", 3, 10.0, 5.0, "e")
    assert Hold.decode(hold.encode()) == hold


def test_evidence_beyond_what_can_be_weighed_keeps_the_last_word_of_each_source() -> None:
    app, seen = App("crowd"), []

    @app.on(name="weigh", flight=Flight("f", key=lambda e: "it"))
    def weigh(event: Event[Asked], ctx: Context) -> Later[Heard]:
        seen.append([piece.id for piece in ctx.evidence()])
        return later(Heard(), 500)

    stage = Stage(app, settings=Settings(evidence=2))
    for number, source in enumerate("abaa"):
        stage.now += 1
        stage.deliver(body(stage, str(number), f"//{source}.example.com"))
    assert seen[-1] == ["1", "3"]


def test_evidence_too_large_to_record_is_left_out_from_the_oldest_on() -> None:
    app, seen = App("crowd"), []

    @app.on(name="weigh", flight=Flight("f", key=lambda e: "it"))
    def weigh(event: Event[Asked], ctx: Context) -> Later[Heard]:
        seen.append([piece.id for piece in ctx.evidence()])
        return later(Heard(), 500)

    stage = Stage(app, settings=Settings(observation_bytes=1_000))
    for number in range(4):
        stage.now += 1
        event = stage.event(Asked(text="x" * 200), id=str(number), source=f"//{number}.example.com")
        stage.deliver(app.codec.encode(event))
    assert seen[-1] == ["2", "3"]
