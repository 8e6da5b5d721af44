"""The worker: receives, lets the engine work, acknowledges, and loses nothing on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.lines import Clock
from crosswind.app import App
from crosswind.embedded import worker as workers
from crosswind.embedded.worker import Worked, Worker, bindings
from crosswind.emissions import Later, later
from crosswind.engine.settings import Settings
from crosswind.errors import CrosswindError, StoreError, Throttled, Unreachable
from crosswind.handlers import Flight, Where
from crosswind.ports import Message
from crosswind.records.identity import HEAD, chain_partition
from crosswind_events import Event, EventData
from crosswind_events.catalogue.deadletter import DeadLettered
from unit.embedded.houses import MAX_RECEIPTS, House, opened


class Asked(EventData, type="com.example.asked.v1"):
    text: str = ""


class Heard(EventData, type="com.example.heard.v1"):
    text: str = ""


class Over(EventData, type="com.example.over.v1", ends="completed"):
    pass


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def house(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[House]:
    with opened(request.param, tmp_path, clock) as house:
        yield house


def relay(delay: float = 0.0) -> App:
    app = App("relay")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Later[Heard]:
        return later(Heard(text=event.data.text), delay)

    @app.on(name="finish", group="other")
    def finish(event: Event[Heard]) -> Over:
        return Over()

    return app


def test_a_chain_runs_to_its_end_over_several_groups(house: House) -> None:
    app = relay()
    told: list[Worked] = []
    worker = house.worker(app, report=told.append)
    chain = house.say(app, Asked())
    assert worker.drain() == 2
    assert [(r.handler, r.state) for r in house.records(chain)] == [
        ("hear", "committed"),
        ("finish", "committed"),
    ]
    assert [(one.group, one.again, one.dead) for one in told] == [
        ("relay", None, False),
        ("other", None, False),
    ]
    assert app.codec.decode(told[0].body).data == Asked()
    assert (house.bus.depth("other"), worker.step()) == (0, 0)


def test_a_worker_works_the_groups_that_it_is_given_and_no_others(house: House) -> None:
    app = relay()
    chain = house.say(app, Asked())
    house.worker(app)
    one = house.worker(app, groups=["relay"])
    house.say(app, Asked())
    one.drain()
    assert [r.handler for r in house.records(chain)] == ["hear"]
    house.worker(app, groups=["other"]).drain()
    assert [r.handler for r in house.records(chain)] == ["hear", "finish"]


def test_a_timer_is_worked_when_it_is_due(house: House, clock: Clock) -> None:
    app = relay(delay=30)
    worker = house.worker(app)
    chain = house.say(app, Asked())
    assert worker.drain() == 1
    clock.now += 31
    assert worker.drain() == 1
    assert len(house.records(chain)) == 2


def test_a_failure_is_retried_by_the_engine_and_not_by_the_bus(house: House, clock: Clock) -> None:
    app, tries = App("flaky"), []

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> None:
        tries.append(event.id)
        if len(tries) < 3:
            raise OSError("not yet")

    worker = house.worker(app)
    chain = house.say(app, Asked())
    for _ in range(5):
        worker.drain()
        clock.now += 20
    assert len(tries) == 3
    assert [len(r.fails) for r in house.records(chain)] == [2]
    assert house.bus.dead_letters("flaky") == []


def test_what_has_to_come_again_is_handed_back_for_as_long(house: House, clock: Clock) -> None:
    app, newer = relay(), App("relay")
    told: list[Worked] = []

    @newer.on(name="extra")
    def extra(event: Event[Over]) -> None:
        pass

    house.bus.bind("relay", bindings(house.engine(newer), "relay"))
    house.say(newer, Over())
    worker = house.worker(app, groups=["relay"], report=told.append)
    assert worker.step() == 1
    assert told[0].again is not None
    assert "is another version deployed?" in told[0].again.reason
    assert worker.step() == 0
    clock.now += told[0].again.after
    assert worker.step() == 1


def test_what_was_received_too_often_is_buried_and_the_chain_ends_as_failed(
    house: House, clock: Clock
) -> None:
    app = relay()
    told: list[Worked] = []
    worker = house.worker(app, report=told.append)
    chain = house.say(app, Asked())
    for _ in range(MAX_RECEIPTS):
        house.bus.receive("relay", 10, worker.visibility)
        clock.now += worker.visibility
    worker.drain()
    (record,) = house.records(chain)
    assert record.state == "failed"
    assert f"gave it up after {MAX_RECEIPTS + 1} deliveries" in record.why
    assert [one.dead for one in told] == [True]
    assert house.bus.dead_letters("relay") == []


def test_a_dead_letter_that_cannot_be_taken_in_is_handed_back(house: House, clock: Clock) -> None:
    told: list[Worked] = []
    app = App("relay")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> None:
        raise OSError("no")

    worker = house.worker(app)
    chain = house.say(app, Asked())
    worker.step()
    assert house.records(chain)[0].state == "retrying"
    clock.now += 100
    for _ in range(MAX_RECEIPTS):
        house.bus.receive("relay", 10, 100)
        clock.now += 100
    without = App("relay")

    @without.on(name="elsewhere")
    def elsewhere(event: Event[Heard]) -> None:
        pass

    worker = house.worker(without, report=told.append)
    worker.step()
    assert told[-1].dead
    assert told[-1].again is not None
    assert "hear is not in this app" in told[-1].again.reason


def test_a_worker_that_dies_loses_nothing(house: House, clock: Clock) -> None:
    app, dies = App("mortal"), [True]

    class Killed(BaseException):
        pass

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Over:
        if dies:
            dies.pop()
            raise Killed
        return Over()

    worker = house.worker(app)
    chain = house.say(app, Asked())
    with pytest.raises(Killed):
        worker.step()
    other = house.worker(app)
    assert other.step() == 0
    clock.now += worker.visibility
    assert other.drain() == 1
    assert [r.state for r in house.records(chain)] == ["committed"]


def test_what_cannot_be_started_while_it_is_still_ours_is_handed_back(
    house: House, clock: Clock
) -> None:
    app, worked = App("slow"), []
    told: list[Worked] = []

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> None:
        worked.append(event.id)
        clock.now += 40

    worker = house.worker(app, report=told.append)
    for id in ("1", "2"):
        house.say(app, Asked(), id)
    assert worker.step() == 2
    assert worked == ["1"]
    assert told[0].again is None
    assert told[1].again is not None
    assert told[1].again.reason == "there was no time left to start it"
    assert worker.step() == 1
    assert worked == ["1", "2"]


def test_batches_are_no_larger_than_told(house: House) -> None:
    app = relay()
    worker = house.worker(app, groups=["relay"], batch=2)
    for number in range(5):
        house.say(app, Asked(), str(number))
    assert [worker.step() for _ in range(4)] == [2, 2, 1, 0]


def test_a_drain_ends_in_its_time(house: House) -> None:
    app = App("endless")

    @app.on(name="again")
    def again(event: Event[Asked]) -> Later[Asked]:
        return later(Asked(), 0)

    worker = house.worker(app)
    house.say(app, Asked())
    assert worker.drain(seconds=0) == 0
    began = time.monotonic()
    assert worker.drain(seconds=0.05) > 1
    assert time.monotonic() - began < 5


def test_a_group_wants_each_type_and_filter_once() -> None:
    app, where = App("wants"), Where(subject="aws/")

    @app.on(name="one", where=where)
    def one(event: Event[Asked | Heard]) -> None:
        pass

    @app.on(name="two", where=where)
    def two(event: Event[Asked]) -> None:
        pass

    @app.on(name="three", group="other")
    def three(event: Event[Over]) -> None:
        pass

    clock = Clock()
    with opened("memory", Path(), clock) as house:
        assert bindings(house.engine(app), "wants") == [
            (Asked.event_type, where),
            (Heard.event_type, where),
        ]


class Running:
    """A worker in a thread, stopped at the end; it has ten seconds for whatever is awaited."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.worker.run(self.stop)
        except CrosswindError as error:
            self.error = error

    def __enter__(self) -> Running:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not true():
            assert time.monotonic() < end, "it did not come to this"
            time.sleep(0.002)


def test_a_running_worker_works_what_comes_and_stops_when_told(house: House) -> None:
    app = relay()
    told: list[Worked] = []
    with Running(house.worker(app, report=told.append)) as running:
        house.say(app, Asked(), "1")
        running.until(lambda: len(told) == 2)
        house.say(app, Asked(), "2")
        running.until(lambda: len(told) == 4)
    assert running.error is None


def broken_for(worker: Worker, *errors: StoreError) -> list[StoreError]:
    """Let the next steps of a worker meet these errors of its file, in turn."""
    left, step = list(errors), worker.step

    def meet() -> int:
        if left:
            raise left.pop(0)
        return step()

    worker.step = meet  # type: ignore[method-assign]  # the file fails at a moment of our choice
    return left


@pytest.mark.parametrize("heard", [True, False])
def test_a_file_that_does_not_answer_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch, heard: bool
) -> None:
    monkeypatch.setattr(workers, "POLL", 0.001)
    app = relay()
    told: list[Worked] = []
    trouble: list[StoreError] = []
    worker = house.worker(app, report=told.append, trouble=trouble.append if heard else None)
    errors = (Throttled("locked"), Unreachable("gone"), Throttled("locked"))
    broken_for(worker, *errors)
    house.say(app, Asked())
    with Running(worker) as running:
        running.until(lambda: len(told) == 2)
    assert trouble == (list(errors) if heard else [])


def test_a_damaged_file_ends_the_worker(house: House) -> None:
    worker = house.worker(relay())
    broken_for(worker, StoreError("the file is damaged"))
    with Running(worker) as running:
        running.thread.join(10)
    assert isinstance(running.error, StoreError)


def short_lived(house: House, told: list[Worked]) -> Worker:
    """A worker whose chains need not be kept for longer than two minutes."""
    engine = house.engine(relay(), settings=Settings(max_age=60, retention=60))
    return Worker(engine, house.bus, report=told.append)


def test_about_once_an_hour_what_has_expired_is_removed(house: House, clock: Clock) -> None:
    told: list[Worked] = []
    worker = short_lived(house, told)
    app = worker.engine.app
    partition = chain_partition(house.say(app, Asked(), "1"))
    worker.drain()
    with Running(worker) as running:
        clock.now += workers.HOUSEKEEPING - 1
        house.say(app, Asked(), "2")
        running.until(lambda: len(told) == 4)
        assert house.store.read(partition, HEAD) is not None
        clock.now += 1
        running.until(lambda: house.store.read(partition, HEAD) is None)


def test_nothing_of_an_expired_chain_is_kept(house: House, clock: Clock) -> None:
    worker = short_lived(house, [])
    chain = house.say(worker.engine.app, Asked())
    worker.drain()
    clock.now += workers.HOUSEKEEPING
    assert house.store.purge(clock.now) > 0
    assert house.records(chain) == []


def test_a_store_that_needs_no_housekeeping_gets_none(house: House) -> None:
    class Plain:
        """Only what the protocol asks."""

        def __init__(self, store: Any) -> None:
            self.read, self.scan, self.write = store.read, store.scan, store.write

    app = relay()
    told: list[Worked] = []
    plain = House(Plain(house.store), house.bus, house.clock)  # type: ignore[arg-type]  # a store as good
    house.clock.now += 2 * workers.HOUSEKEEPING
    worker = plain.worker(app, report=told.append)
    plain.say(app, Asked())
    with Running(worker) as running:
        running.until(lambda: len(told) == 2)


def test_a_worker_looks_again_when_the_next_timer_is_due(house: House, clock: Clock) -> None:
    app = relay(delay=0.02)
    worker = house.worker(app)
    assert worker._pause() == pytest.approx(workers.POLL), "what others publish is not announced"
    house.say(app, Asked())
    worker.drain()
    assert worker._pause() == pytest.approx(0.02, abs=0.005)
    clock.now += 1
    assert worker._pause() == 0.001, "never a busy loop"
    worker.drain()


def test_two_workers_share_the_work_of_one_file(tmp_path: Path) -> None:
    app = relay()
    told: list[Worked] = []
    clock = Clock()
    with opened("sqlite", tmp_path, clock) as house:
        one, two = (house.worker(app, report=told.append) for _ in range(2))
        with Running(one), Running(two) as running:
            for number in range(20):
                house.say(app, Asked(), str(number))
            running.until(lambda: len(told) >= 40)
        assert len({(w.group, w.message) for w in told}) == 40


def test_one_poisonous_event_does_not_stop_the_others(house: House) -> None:
    app, heard = App("poison"), []

    @app.on(name="hear", flight=Flight("f", key=lambda e: {"good": "it"}[e.data.text]))
    def hear(event: Event[Asked]) -> None:
        heard.append(event.data.text)

    worker = house.worker(app)
    house.say(app, Asked(text="bad"), "1")
    house.say(app, Asked(text="good"), "2")
    worker.drain()
    assert heard == ["good"]


def test_a_dead_letter_event_is_worked_like_any_other(house: House, clock: Clock) -> None:
    app, heard = App("grave"), []

    @app.on(name="fail", attempts=1)
    def fail(event: Event[Asked]) -> None:
        raise OSError("no")

    @app.on(name="mourn")
    def mourn(event: Event[DeadLettered]) -> None:
        heard.append(event.data.handler)

    worker = house.worker(app)
    house.say(app, Asked())
    worker.drain()
    assert heard == ["fail"]


def test_what_no_group_wants_goes_nowhere(house: House) -> None:
    app = relay()
    worker = house.worker(app)
    house.bus.publish([Message("x", b"{}", {"type": "com.example.unwanted.v1"})])
    assert worker.drain() == 0
