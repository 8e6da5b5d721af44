"""A second cloud, which has nothing but what is its own, keeps the contracts of the first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import get_ident
from typing import Any, TypeVar

import pytest

from contract.bus_contract import UNHEALTHY, BusContract, ids, message
from contract.intake_contract import IntakeContract
from contract.landing import GROUP, NOW, LandingBus, Place
from contract.lines import Clock, Line
from contract.second_cloud import (
    LONGEST,
    REQUEST,
    Function,
    Letter,
    Parcel,
    PostBus,
    PostOffice,
    body,
    opener,
    translate,
)
from contract.store_contract import StoreContract
from crosswind import App, Context, Event, later
from crosswind.buses.contents import Content, Neutral
from crosswind.buses.later import Later
from crosswind.buses.routing import Binding, Routes, bindings
from crosswind.embedded.consumer import Received
from crosswind.embedded.memory import MemoryStore
from crosswind.emissions import Later as Timer
from crosswind.engine.dispatch import Engine
from crosswind.errors import NotAccepted
from crosswind.patience import Meaning, persistently
from crosswind.ports import Bus, Change, Delivery, Item, Store
from crosswind.records.identity import RUN, chain_id, chain_partition
from crosswind.records.record import Record as Run
from crosswind.signals import Translated
from crosswind_events import Codec, EventData

T = TypeVar("T")
CODEC = Codec()


class PostLine:
    """A line through the post office, whose time is at our command."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.visibility = 30.0
        self.max_receipts = 3
        self.office = PostOffice(self.clock, self.max_receipts)
        self._bindings: dict[str, tuple[Binding, ...]] = {}
        self._letters: dict[tuple[int, str], Letter] = {}
        self._opens = opener(CODEC)
        self.post = PostBus(self.office, Routes(()))
        self.bus: Bus = self.post

    def bind(self, group: str, *wanted: Binding) -> None:
        self._bindings[group] = wanted
        self.post.routes = Routes(
            (name, one) for name, given in self._bindings.items() for one in given
        )

    def receive(self, group: str, count: int = 1) -> list[Received]:
        return self._receive(group, count, dead=False)

    def receive_dead(self, group: str, count: int = 1) -> list[Received]:
        return self._receive(group, count, dead=True)

    def ack(self, *received: Received) -> None:
        for one in received:
            if (letter := self._held(one)) is not None:
                self.office.remove(letter)

    def hand_back(self, received: Received, after: float) -> None:
        if (letter := self._held(received)) is not None:
            self.office.hold(letter, after)

    def now(self) -> float:
        return self.clock.now

    def let_pass(self, seconds: float) -> None:
        self.clock.now += seconds

    def _receive(self, group: str, count: int, *, dead: bool) -> list[Received]:
        found: list[Received] = []
        for letter in self.office.deliver(group, count, self.visibility, dead=dead):
            (content,) = self._opens(letter.body)
            if isinstance(content, Later):
                # As `Intake` does: opened when it is due, else put back for what is left.
                if content.due > self.now():
                    refused = self.post.send_later(group, letter.id, content.event, content.due)
                    assert refused is None
                    self.office.remove(letter)
                    continue
                (content,) = self._opens(content.event.decode())
            assert isinstance(content, Neutral)
            receipt = (letter.receipts, letter.id)
            self._letters[receipt] = letter
            delivery = Delivery(letter.id, content.body, letter.receipts)
            found.append(Received(delivery, receipt))
        return found

    def _held(self, received: Received) -> Letter | None:
        """The letter, where the lease is still this one's."""
        letter = self._letters[received.receipt]
        mine = letter.receipts == received.receipt[0] and letter.due > self.now()
        return letter if mine else None


class TestPostBus(BusContract):
    @pytest.fixture
    def line(self) -> Line:
        return PostLine()

    @pytest.mark.parametrize("delay", [LONGEST + 1, 3 * LONGEST, 1_000.5])
    def test_a_long_delay_is_relayed_and_ends_when_it_is_due_and_not_before(
        self, line: Line, delay: float
    ) -> None:
        line.bind("ops", Binding(UNHEALTHY))
        due = line.now() + delay
        line.bus.publish([message("1", due=due)])

        while line.now() < due - LONGEST:
            line.let_pass(LONGEST)
            if line.now() < due:
                assert line.receive("ops") == []
        line.let_pass(due - line.now() + 1)

        assert ids(line.receive("ops", 2)) == ["1"]

    def test_what_the_office_is_too_busy_for_is_sent_again(self, line: Line) -> None:
        assert isinstance(line, PostLine)
        line.bind("ops", Binding(UNHEALTHY))
        line.office.busy = 2

        line.bus.publish([message(f"{n}") for n in range(7)])

        assert line.office.requests == [3, 3, 1, 2]
        assert sorted(ids(line.receive("ops", 9))) == [f"{n}" for n in range(7)]

    def test_what_an_office_does_not_take_for_good_is_named_at_once(self, line: Line) -> None:
        assert isinstance(line, PostLine)
        line.bind("ops", Binding(UNHEALTHY))
        line.bind("audit", Binding(UNHEALTHY))
        line.office.closed = "closed"
        given = [message("1"), message("")._replace(id=""), message("2")]

        with pytest.raises(NotAccepted, match="a message has no id; closed") as error:
            line.bus.publish(given)

        assert error.value.messages == tuple(given)
        assert line.office.requests == [REQUEST.entries, 1]


class PostShapes:
    """How the post office hands over."""

    def opens(self, body: Any, /) -> list[Content]:
        return opener(CODEC)(body)

    def translate(self, payload: Any, /) -> list[Translated]:
        return translate(payload)

    def holding(self, *bodies: bytes, name: str, receipts: int = 1) -> Letter:
        return self._letter(self._parcel(*bodies), name, receipts)

    def trouble(self, region: str, name: str) -> Letter:
        notice = {"place": region, "state": "down", "id": name, "at": NOW - 5}
        return self._letter(self._notice(notice), name)

    def small_talk(self, name: str) -> Letter:
        return self._letter(self._notice({"state": "new prices"}), name)

    def nonsense(self, name: str) -> Letter:
        return self._letter(self._notice({}), name)

    def _letter(self, parcel: Parcel, name: str, receipts: int = 1) -> Letter:
        return Letter(name, parcel, GROUP, NOW, str(receipts - 1))

    def _notice(self, notice: Mapping[str, Any]) -> Parcel:
        # Half of this cloud's mail goes through a forwarder, which wraps it as text.
        return Parcel({}, json.dumps({"parcel": json.dumps({"notice": notice})}).encode())

    def _parcel(self, *bodies: bytes) -> Parcel:
        if len(bodies) > 1 or b"specversion" not in bodies[0][:20]:
            return Parcel({}, bodies[0] if len(bodies) == 1 else b"[%b]" % b",".join(bodies))
        attributes = json.loads(bodies[0])
        data = json.dumps(attributes.pop("data")).encode()
        media = attributes.pop("datacontenttype")
        headers = {f"ce-{name}": str(value) for name, value in attributes.items()}
        return Parcel({**headers, "content-type": media}, data)


class WatchedPostBus(PostBus):
    """The bus of the second cloud, into which a test can look."""

    def refuse(self, reason: str) -> None:
        self.office.closed = reason

    def waiting(self) -> list[Any]:
        return [self._said(one) for one in self.office.letters if one.due <= NOW]

    def delayed(self) -> list[tuple[float, Any]]:
        return [(one.due, self._said(one)) for one in self.office.letters if one.due > NOW]

    def _said(self, letter: Letter) -> Any:
        (content,) = opener(CODEC)(letter.body)
        assert isinstance(content, Neutral)
        return json.loads(content.body)


class TestIntakeOfTheSecondCloud(IntakeContract):
    @pytest.fixture
    def place(self) -> Place:
        def bus(app: App) -> LandingBus:
            return WatchedPostBus(PostOffice(lambda: NOW), Routes(bindings(app)))

        return Place(PostShapes(), bus)

    def test_a_letter_goes_back_as_it_came(self, place: Place) -> None:
        letter = place.shapes.trouble("aws/us-east-1", "a")
        outcomes = place.intake.take([letter], NOW)

        assert place.intake.put_back(outcomes, body) == []

        assert isinstance(place.bus, WatchedPostBus)
        (sent,) = place.bus.office.letters
        assert sent.body == letter.body

    def test_an_event_with_faults_is_parked_before_it_is_worked(self, place: Place) -> None:
        parcel = Parcel({"ce-specversion": "1.0", "ce-type": "x", "ce-id": ""}, b"\xff")

        (outcome,) = place.intake.take([Letter("a", parcel, GROUP, NOW, "0")], None)

        assert outcome.what == "rejected"
        assert "source" in place.parked()["a"]


class Busy(Exception):
    """The vault of the second cloud asks for patience."""


class Silence(Exception):
    """It does not answer."""


class Vault:
    """A store of the second cloud: every third request is refused for now, every fifth is lost.

    Each thread is counted for itself, so that however they take turns none meets two in a row.

    What is lost here was a question; what a store does about a lost write is its own affair.
    """

    def __init__(self) -> None:
        self._inside = MemoryStore()
        self._calls: Counter[tuple[str, int]] = Counter()

    def read(self, partition: str, key: str) -> Item | None:
        return self._ask("read", lambda: self._inside.read(partition, key))

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        return self._ask("scan", lambda: self._inside.scan(partition, prefix, after, limit))

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        return self._ask("write", lambda: self._inside.write(partition, changes, token))

    def _ask(self, method: str, call: Callable[[], T]) -> T:
        asked = method, get_ident()

        def request() -> T:
            self._calls[asked] += 1
            if self._calls[asked] % 3 == 0:
                raise Busy
            if method != "write" and self._calls[asked] % 5 == 0:
                raise Silence
            return call()

        return persistently(request, self._meaning, "the vault", lambda seconds: None)

    def _meaning(self, error: Exception) -> Meaning | None:
        if isinstance(error, Busy):
            return "throttled"
        return "lost" if isinstance(error, Silence) else None


class TestVault(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return Vault()


class Asked(EventData, type="com.example.asked.v1"):
    text: str


class Reminded(EventData, type="com.example.reminded.v1"):
    text: str


class Answered(EventData, type="com.example.answered.v1"):
    text: str


def test_a_chain_with_a_long_timer_goes_through_the_second_cloud_from_end_to_end() -> None:
    app, clock, answers = App("ops"), Clock(NOW), list[str]()

    @app.on(name="ask")
    def ask(event: Event[Asked], ctx: Context) -> Iterator[Timer[Reminded]]:
        yield later(Reminded(text=event.data.text), 150)

    @app.on(name="remind")
    def remind(event: Event[Reminded], ctx: Context) -> Answered:
        return Answered(text=event.data.text)

    @app.on(name="answer")
    def answer(event: Event[Answered], ctx: Context) -> None:
        answers.append(event.data.text)

    names: list[str] = []

    @contextmanager
    def around(delivery: Delivery) -> Iterator[None]:
        names.append(json.loads(delivery.body)["type"])
        yield

    office = PostOffice(clock)
    bus = PostBus(office, Routes(bindings(app)))
    store = Vault()
    function = Function(Engine(app, store, bus, clock=clock), bus, GROUP, around)
    at = datetime.fromtimestamp(NOW, UTC)
    function.intake.publish([Event.of(Asked(text="a"), id="1", source="//x", time=at)])
    whats: Counter[str] = Counter()

    for _ in range(60):
        letters = office.deliver(GROUP, 10, 90.0)
        whats.update(outcome.what for outcome in function(letters, 600.0))
        if not letters:
            assert answers == [] or not office.letters
            clock.now += 5

    assert answers == ["a"]
    assert office.letters == []
    assert names == [Asked.event_type, Reminded.event_type, Answered.event_type]
    # 150 seconds are three legs of at most 60, the last of which the office holds by itself.
    assert whats == {"worked": 3, "relayed": 2}
    runs = store.scan(chain_partition(chain_id("//x", "1")), RUN)
    assert [Run.decode(item.value).state for item in runs] == ["committed"] * 3


def test_a_letter_that_dies_is_buried_and_one_without_time_stays() -> None:
    app = App("ops")

    @app.on(name="ask")
    def ask(event: Event[Asked], ctx: Context) -> None:
        raise AssertionError("it has no time, and is dead then")

    clock = Clock(NOW)
    office = PostOffice(clock, most=1)
    bus = PostBus(office, Routes(bindings(app)))
    function = Function(Engine(app, MemoryStore(), bus, clock=clock), bus, GROUP)
    at = datetime.fromtimestamp(NOW, UTC)
    function.intake.publish([Event.of(Asked(text="a"), id="1", source="//x", time=at)])

    (outcome,) = function(office.deliver(GROUP, 10, 90.0), 0.0)
    assert outcome.what == "returned"

    assert office.deliver(GROUP, 10, 90.0) == []
    (outcome,) = function(office.deliver(GROUP, 10, 90.0, dead=True), 600.0, dead=True)

    assert outcome.what == "buried"
