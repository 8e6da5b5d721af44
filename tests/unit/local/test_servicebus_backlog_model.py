"""The backlog of Service Bus against a plain model: locks, counts, order, expiry, dead letters.

The model keeps one record for each message and looks through all of them whenever it is asked,
which is slow and plain. The machine checks every delivery against it, and in the end drains the
backlog: nothing is lost, and nothing comes after it was completed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crosswind_local.memory import Memory
from crosswind_local.servicebus.amqp import sections
from crosswind_local.servicebus.amqp.encoding import encode, list_of, section
from crosswind_local.servicebus.amqp.values import UInt
from crosswind_local.servicebus.backlog import Backlog, DeadLetter
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.entries import Entry, Lock, SessionLock, State
from crosswind_local.servicebus.messages import Message, read
from crosswind_local.servicebus.settings import SubscriptionSettings
from unit.local.model_steps import model_settings

LOCK = 10
MOST = 3
SESSIONS = ("", "a", "b")


def message(name: int, session: str = "", ttl: int | None = None) -> Message:
    """A message that carries its name as its id, as a client would send it."""
    fields = [encode(str(name))] + [b"\x40"] * 9 + [encode(session or None)]
    return read(
        section(sections.HEADER, encode([None, None, None if ttl is None else UInt(ttl * 1000)]))
        + section(sections.PROPERTIES, list_of(fields))
        + section(sections.DATA, encode(b"x"))
    )


@dataclass
class Record:
    name: int
    session: str
    number: int
    ttl: float
    state: str = "active"  # scheduled, active, locked, deferred, done, dead
    deferred: bool = False
    expires: float = math.inf
    due: float = 0
    failures: int = 0
    until: float = 0
    token: bytes | None = None


@dataclass
class Held:
    """The model's view of a session lock."""

    id: str
    until: float
    open: bool = True


@dataclass
class Model:
    by_session: bool
    buries_expired: bool
    records: list[Record] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    dead: list[tuple[int, str | None]] = field(default_factory=list)

    def waiting(self, session: str, now: float) -> list[Record]:
        """What may be delivered, in order."""
        found = [
            record
            for record in self.records
            if record.state == "active" and (not self.by_session or record.session == session)
        ]
        return sorted(found, key=lambda record: record.number)

    def fail(self, record: Record, now: float) -> None:
        record.failures += 1
        if record.failures >= MOST:
            self.bury(record, "MaxDeliveryCountExceeded")
        else:
            self.give_back(record, now)

    def give_back(self, record: Record, now: float) -> None:
        record.token = None
        record.state = "deferred" if record.deferred else "active"
        if record.state == "active" and record.expires <= now:
            self.expire(record)

    def expire(self, record: Record) -> None:
        if self.buries_expired:
            self.bury(record, "TTLExpiredException")
        else:
            record.state = "done"

    def bury(self, record: Record, reason: str | None) -> None:
        record.state, record.token = "dead", None
        self.dead.append((record.name, reason))

    def moments(self, now: float) -> list[float]:
        times = [r.until for r in self.records if r.state == "locked" and not self.by_session]
        times += [r.expires for r in self.records if r.state == "active"]
        times += [r.due for r in self.records if r.state == "scheduled"]
        times += [held.until for held in self.held.values()]
        return sorted(time for time in times if time <= now)

    def run(self, now: float, number: Callable[[Record], int]) -> None:
        while moments := self.moments(now):
            moment = moments[0]
            late = [r for r in self.records if r.state == "locked" and r.until <= moment]
            if not self.by_session:
                for record in sorted(late, key=lambda r: r.until):
                    self.fail(record, moment)
            for held in [held for held in self.held.values() if held.until <= moment]:
                self.end(held, moment, failed=True)
            for record in self.records:
                if record.state == "active" and record.expires <= moment:
                    self.expire(record)
            ahead = [r for r in self.records if r.state == "scheduled" and r.due <= moment]
            for record in sorted(ahead, key=lambda r: (r.due, r.number)):
                record.state, record.expires = "active", moment + record.ttl
                record.number = number(record)

    def end(self, held: Held, now: float, *, failed: bool) -> None:
        held.open = False
        del self.held[held.id]
        for record in self.records:
            if record.state == "locked" and record.session == held.id:
                if failed:
                    self.fail(record, now)
                else:
                    self.give_back(record, now)


class BacklogMachine(RuleBasedStateMachine):
    @initialize(by_session=st.booleans(), buries_expired=st.booleans())
    def begin(self, by_session: bool, buries_expired: bool) -> None:
        self.now = 1000.0
        self.names = 0
        self.tokens = 0
        self.memory = Memory()
        self.dead: list[tuple[int, str | None]] = []
        self.seen: list[Lock] = []
        self.locks: list[tuple[SessionLock, Held]] = []
        self.model = Model(by_session, buries_expired)
        self.backlog = Backlog(
            SubscriptionSettings(
                lock_duration=LOCK,
                max_delivery_count=MOST,
                requires_session=by_session,
                dead_letter_on_expiration=buries_expired,
            ),
            self.memory,
            self.bury,
            token=self.next_token,
        )

    def next_token(self) -> bytes:
        self.tokens += 1
        return self.tokens.to_bytes(16, "big")

    def bury(self, dead: DeadLetter) -> None:
        self.dead.append((int(dead.entry.message.message_id or 0), dead.reason))

    def catch_up(self) -> None:
        self.model.run(self.now, self.number_of)

    def number_of(self, record: Record) -> int:
        """The number that the backlog has given a message which has become active.

        It must be the last of all, which the peek at the end of each step shows.
        """
        self.backlog.run(self.now)
        for entry in self.backlog.peek(1, 1000):
            if entry.message.message_id == str(record.name):
                assert entry.state is not State.SCHEDULED
                assert entry.number != record.number
                return entry.number
        # It has expired within the same step; then its number is of no interest.
        return record.number

    def record(self, entry: Entry) -> Record:
        name = int(entry.message.message_id or 0)
        return next(record for record in self.model.records if record.name == name)

    @rule(
        session=st.sampled_from(SESSIONS),
        ttl=st.sampled_from([None, None, 4, 25]),
        wait=st.sampled_from([0, 0, 0, 7]),
    )
    def send(self, session: str, ttl: int | None, wait: int) -> None:
        self.catch_up()
        self.backlog.run(self.now)
        self.names += 1
        record = Record(self.names, session, 0, math.inf if ttl is None else ttl)
        sent = message(self.names, session, ttl)
        if wait:
            record.state, record.due = "scheduled", self.now + wait
            record.number = self.backlog.schedule(sent, record.due, self.now)
        else:
            record.expires = self.now + record.ttl
            record.number = self.backlog.add(sent, self.now)
        assert record.number > max((r.number for r in self.model.records), default=0)
        self.model.records.append(record)

    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        self.catch_up()
        self.backlog.run(self.now)
        if not self.model.records:
            return
        record = self.model.records[which % len(self.model.records)]
        if record.state == "scheduled":
            self.backlog.cancel([record.number])
            record.state = "done"
        else:
            with pytest.raises(Refused, match="message-not-found"):
                self.backlog.cancel([record.number])

    @rule(session=st.sampled_from([None, *SESSIONS]))
    def accept(self, session: str | None) -> None:
        if not self.model.by_session:
            return
        self.catch_up()
        self.backlog.run(self.now)
        if session is not None and session in self.model.held:
            with pytest.raises(Refused, match="session-cannot-be-locked"):
                self.backlog.sessions.accept(session, self.now, lambda: None)
            return
        free = {r.session for r in self.model.records if r.state == "active"} - set(self.model.held)
        lock = self.backlog.sessions.accept(session, self.now, lambda: None)
        if session is None and not free:
            assert lock is None
            return
        assert lock is not None
        assert lock.id == session if session is not None else lock.id in free
        held = Held(lock.id, self.now + LOCK)
        self.model.held[lock.id] = held
        self.locks.append((lock, held))

    @rule(which=st.integers(0, 9))
    def give_session_back(self, which: int) -> None:
        if not self.locks:
            return
        self.catch_up()
        self.backlog.run(self.now)
        lock, held = self.locks[which % len(self.locks)]
        assert lock.open is held.open
        self.backlog.sessions.give_back(lock, self.now)
        if held.open:
            self.model.end(held, self.now, failed=False)

    @rule(which=st.integers(0, 9))
    def renew_session(self, which: int) -> None:
        if not self.locks:
            return
        self.catch_up()
        self.backlog.run(self.now)
        lock, held = self.locks[which % len(self.locks)]
        if held.open:
            assert self.backlog.sessions.renew(lock, self.now) == self.now + LOCK
            held.until = self.now + LOCK
        else:
            with pytest.raises(Refused, match="session-lock-lost"):
                self.backlog.sessions.renew(lock, self.now)

    def a_session(self, which: int) -> SessionLock | None:
        if not self.model.by_session or not self.locks:
            return None
        return self.locks[which % len(self.locks)][0]

    @rule(which=st.integers(0, 9), deletes=st.sampled_from([False, False, True]))
    def take(self, which: int, deletes: bool) -> None:
        session = self.a_session(which)
        self.catch_up()
        expected = self.model.waiting("" if session is None else session.id, self.now)
        if self.model.by_session and (session is None or not session.open):
            expected = []
        if deletes:
            entry = self.backlog.take_away(self.now, session)
            lock = None
        else:
            lock = self.backlog.take(self.now, session)
            entry = None if lock is None else lock.entry
        if not expected:
            assert entry is None
            return
        assert entry is not None
        record = self.record(entry)
        assert record is expected[0]
        assert entry.number == record.number
        assert entry.failures == record.failures
        if lock is None:
            record.state = "done"
        else:
            self.lock(record, lock)

    def lock(self, record: Record, lock: Lock) -> None:
        record.state, record.token, record.until = "locked", lock.token, self.now + LOCK
        self.seen.append(lock)

    @rule(which=st.integers(0, 50), session=st.integers(0, 9), deletes=st.booleans())
    def receive_deferred(self, which: int, session: int, deletes: bool) -> None:
        self.catch_up()
        self.backlog.run(self.now)
        if not self.model.records:
            return
        record = self.model.records[which % len(self.model.records)]
        held = self.a_session(session)
        own = not self.model.by_session or (held is not None and record.session == held.id)
        if record.state != "deferred" or not own:
            with pytest.raises(Refused, match="message-not-found"):
                self.backlog.receive_deferred([record.number], self.now, held)
        elif deletes:
            (entry,) = self.backlog.take_deferred([record.number], held)
            assert self.record(entry) is record
            record.state = "done"
        elif held is None or held.open:
            (lock,) = self.backlog.receive_deferred([record.number], self.now, held)
            assert self.record(lock.entry) is record
            assert lock.entry.failures == record.failures
            self.lock(record, lock)

    @rule(
        which=st.integers(0, 50),
        how=st.sampled_from(["complete", "abandon", "release", "defer", "dead_letter", "renew"]),
    )
    def settle(self, which: int, how: str) -> None:
        if not self.seen:
            return
        self.catch_up()
        lock = self.seen[which % len(self.seen)]
        record = next((r for r in self.model.records if r.token == lock.token), None)
        if record is None or record.state != "locked":
            lost = "session-lock-lost" if self.model.by_session else "message-lock-lost"
            with pytest.raises(Refused, match=lost):
                self.carry_out(how, lock.token)
            return
        self.carry_out(how, lock.token)
        match how:
            case "complete":
                record.state, record.token = "done", None
            case "abandon":
                self.model.fail(record, self.now)
            case "release":
                self.model.give_back(record, self.now)
            case "defer":
                record.state, record.token, record.deferred = "deferred", None, True
            case "dead_letter":
                self.model.bury(record, "mine")
            case "renew":
                record.until = self.now + LOCK

    def carry_out(self, how: str, token: bytes) -> None:
        backlog, now = self.backlog, self.now
        actions: dict[str, Callable[[], object]] = {
            "complete": lambda: backlog.complete(token, now),
            "abandon": lambda: backlog.abandon(token, now, {"tried": True}),
            "release": lambda: backlog.release(token, now),
            "defer": lambda: backlog.defer(token, now),
            "dead_letter": lambda: backlog.dead_letter(token, now, "mine", "by hand"),
            "renew": lambda: backlog.renew([token], now),
        }
        actions[how]()

    @rule(start=st.integers(0, 60), most=st.integers(1, 5), session=st.sampled_from([None, "a"]))
    def peek(self, start: int, most: int, session: str | None) -> None:
        self.catch_up()
        self.backlog.run(self.now)
        expected = sorted(
            record.number
            for record in self.model.records
            if record.state not in {"done", "dead"}
            and record.number >= start
            and session in {None, record.session}
        )
        peeked = self.backlog.peek(start, most, session)
        assert [entry.number for entry in peeked] == expected[:most]

    @rule(seconds=st.sampled_from([0.5, 3, 11, 30]), runs=st.booleans())
    def pass_time(self, seconds: float, runs: bool) -> None:
        self.now += seconds
        if runs:
            self.backlog.run(self.now)

    @invariant()
    def all_is_accounted_for(self) -> None:
        if not hasattr(self, "model"):
            return
        self.backlog.run(self.now)
        self.catch_up()
        states = [record.state for record in self.model.records]
        assert self.backlog.counts() == {
            state: states.count(state) for state in ("active", "locked", "deferred", "scheduled")
        }
        assert sorted(map(str, self.dead)) == sorted(map(str, self.model.dead))
        there = [record for record in self.model.records if record.state not in {"done", "dead"}]
        peeked = self.backlog.peek(1, 1000)
        assert [(entry.number, entry.failures) for entry in peeked] == sorted(
            (record.number, record.failures) for record in there
        )
        due = self.backlog.next_due()
        assert due is None or due > self.now
        assert (self.memory.used > 0) is bool(there)
        assert (self.backlog.size > 0) is bool(there)

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        self.pass_time(40, True)
        self.catch_up()
        for record in self.model.records:
            if record.state == "deferred":
                held = None
                if self.model.by_session:
                    held = self.backlog.sessions.accept(record.session, self.now, lambda: None)
                self.backlog.take_deferred([record.number], held)
                if held is not None:
                    self.backlog.sessions.give_back(held, self.now)
                record.state = "done"
        for session in SESSIONS if self.model.by_session else (None,):
            held = None
            if session is not None:
                held = self.backlog.sessions.accept(session, self.now, lambda: None)
            order = []
            while (entry := self.backlog.take_away(self.now, held)) is not None:
                record = self.record(entry)
                assert record.state == "active"
                record.state = "done"
                order.append(entry.number)
            assert order == sorted(order)
        assert {record.state for record in self.model.records} <= {"done", "dead"}
        assert self.memory.used == 0
        assert self.backlog.size == 0


TestBacklogMachine = BacklogMachine.TestCase
TestBacklogMachine.settings = model_settings(examples=120, steps=40)
