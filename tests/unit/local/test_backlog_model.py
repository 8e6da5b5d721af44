"""The backlog against a plain model: leases, order, attempts, back-off, dead letters, retention
and seek.

The model keeps one record for each message and looks through all of them whenever it is asked,
which is slow and plain. The machine checks every delivery against it, and in the end drains the
backlog: nothing is lost, and nothing comes after it was acknowledged.
"""

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crosswind_local.memory import Memory
from crosswind_local.pubsub.backlog import Backlog
from crosswind_local.pubsub.deliveries import Consumer, Entry, Lease
from crosswind_local.pubsub.messages import Draft, Message, accept
from crosswind_local.pubsub.policies import Policy, Retry
from unit.local.model_steps import model_settings

ACK_DEADLINE = 10
MAX_ATTEMPTS = 2
RETENTION = 300


@dataclass
class Record:
    message: Message
    failures: int = 0
    done: bool = False
    """Acknowledged, forwarded or too old."""
    kept: bool = False
    """Done, and retained so that a seek can bring it back."""
    lease: Lease | None = None
    deadline: float = 0
    noted: int = 0
    due: float = 0


@dataclass
class Model:
    policy: Policy
    records: dict[int, Record] = field(default_factory=dict)
    dead: list[int] = field(default_factory=list)
    notes: int = 0

    def lane(self, record: Record) -> list[Record]:
        key = record.message.ordering_key
        if not self.policy.ordered or not key:
            return [record]
        return [
            other
            for other in self.records.values()
            if other.message.ordering_key == key and not other.done
        ]

    def may_have(self, record: Record, consumer: Consumer, now: float) -> bool:
        if record.done or record.lease is not None or now < record.due:
            return False
        lane = self.lane(record)
        out = [other for other in lane if other.lease is not None]
        if any(other.lease is not None and other.lease.consumer is not consumer for other in out):
            return False
        number = record.message.number
        earlier = [other for other in lane if other.message.number < number]
        return all(other.lease is not None for other in earlier)

    def fail(self, record: Record, now: float) -> None:
        record.lease = None
        record.failures += 1
        if self.policy.dead_letter_topic and record.failures >= MAX_ATTEMPTS:
            self.settle(record)
            self.dead.append(record.message.number)
            return
        for other in self.lane(record):
            if other.message.number > record.message.number:
                other.lease = None
        if self.policy.retry is not None:
            retry = self.policy.retry
            record.due = now + min(retry.most, retry.least * 2 ** (record.failures - 1))

    def settle(self, record: Record) -> None:
        record.done, record.lease = True, None
        record.kept = self.policy.retain_acked

    def expire(self, now: float) -> None:
        while True:
            late = [r for r in self.records.values() if r.lease is not None and r.deadline <= now]
            if not late:
                break
            self.fail(min(late, key=lambda r: (r.deadline, r.noted)), now)
        for record in self.records.values():
            if record.message.published / 1e9 + RETENTION <= now:
                record.done, record.kept, record.lease = True, False, None

    def seek(self, published: int) -> None:
        for record in self.records.values():
            record.lease, record.due = None, 0
            if record.message.published < published:
                if not record.done:
                    self.settle(record)
            elif record.kept:
                record.done, record.kept, record.failures = False, False, 0

    def note(self, record: Record, deadline: float) -> None:
        self.notes += 1
        record.deadline, record.noted = deadline, self.notes


class BacklogMachine(RuleBasedStateMachine):
    @initialize(
        ordered=st.booleans(), retry=st.booleans(), dead=st.booleans(), retain=st.booleans()
    )
    def begin(self, ordered: bool, retry: bool, dead: bool, retain: bool) -> None:
        policy = Policy(
            ack_deadline=ACK_DEADLINE,
            ordered=ordered,
            retry=Retry(4, 20) if retry else None,
            dead_letter_topic="dead" if dead else None,
            max_attempts=MAX_ATTEMPTS,
            retention=RETENTION,
            retain_acked=retain,
        )
        self.now = 1e6
        self.number = 0
        self.dead: list[int] = []
        self.memory = Memory()
        self.backlog = Backlog(policy, self.memory, self.forward)
        self.model = Model(policy)
        self.consumers: list[Consumer] = []
        self.seen: list[Lease] = []
        self.join()

    def forward(self, message: Message, attempts: int) -> bool:
        assert attempts == MAX_ATTEMPTS
        self.dead.append(message.number)
        return True

    @rule()
    def join(self) -> None:
        consumer = Consumer()
        self.backlog.admit(consumer)
        self.consumers.append(consumer)

    @rule(which=st.integers(0, 9))
    def leave(self, which: int) -> None:
        if len(self.consumers) > 1:
            self.backlog.leave(self.consumers.pop(which % len(self.consumers)))

    @rule(keys=st.lists(st.sampled_from(["", "k", "l"]), min_size=1, max_size=4))
    def publish(self, keys: list[str]) -> None:
        for key in keys:
            self.number += 1
            message = accept(Draft(b"x", {}, key), self.number, int(self.now * 1e9))
            self.model.records[self.number] = Record(message)
            self.backlog.add(message)

    @rule(which=st.integers(0, 9), most=st.integers(1, 4))
    def take(self, which: int, most: int) -> None:
        consumer = self.consumers[which % len(self.consumers)]
        self.model.expire(self.now)
        leases = self.backlog.take(consumer, self.now, most=most, most_bytes=10_000)
        for lease in leases:
            record = self.model.records[lease.entry.number]
            assert self.model.may_have(record, consumer, self.now)
            assert lease.attempt == record.failures + 1
            record.lease = lease
            self.model.note(record, self.now + ACK_DEADLINE)
            self.seen.append(lease)
        if len(leases) < most:
            left = self.model.records.values()
            assert not any(self.model.may_have(record, consumer, self.now) for record in left)

    def chosen(self, which: list[int]) -> list[Lease]:
        """Leases that are out, and now and then one that was."""
        out = [lease for lease in self.seen if lease.open] or self.seen
        picked = [(out if index % 4 else self.seen)[index // 4 :][:1] for index in which]
        return list({lease.ack_id: lease for leases in picked for lease in leases}.values())

    def still_out(self, lease: Lease) -> Record | None:
        record = self.model.records[lease.entry.number]
        return record if record.lease is lease else None

    @rule(which=st.lists(st.integers(0, 99), max_size=3))
    def acknowledge(self, which: list[int]) -> None:
        self.acknowledge_all(self.chosen(which))

    def acknowledge_all(self, leases: list[Lease]) -> None:
        self.model.expire(self.now)
        invalid = self.backlog.acknowledge([lease.ack_id for lease in leases], self.now)
        expected = []
        for lease in leases:
            record = self.still_out(lease)
            if record is None:
                expected.append(lease.ack_id)
            else:
                self.model.settle(record)
        assert invalid == expected

    @rule(
        which=st.lists(st.integers(0, 99), max_size=3), seconds=st.sampled_from([0, 0, 5, 30, 600])
    )
    def extend(self, which: list[int], seconds: int) -> None:
        self.model.expire(self.now)
        leases = self.chosen(which)
        invalid = self.backlog.extend([lease.ack_id for lease in leases], seconds, self.now)
        expected = []
        for lease in leases:
            record = self.still_out(lease)
            if record is None:
                expected.append(lease.ack_id)
            elif seconds:
                self.model.note(record, self.now + seconds)
            else:
                self.model.fail(record, self.now)
        assert invalid == expected

    @rule(seconds=st.sampled_from([0, 3, 20, 100, 300]))
    def seek(self, seconds: int) -> None:
        published = int((self.now - seconds) * 1e9)
        self.model.expire(self.now)
        self.backlog.seek(published, (), self.now)
        self.model.seek(published)

    @rule(seconds=st.sampled_from([0.5, 0.5, 3, 11, 40, 150]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        due = self.backlog.next_due()
        if self.now >= (due if due is not None else float("inf")):
            self.backlog.run(self.now)
        self.model.expire(self.now)

    @invariant()
    def the_counts_agree(self) -> None:
        if not hasattr(self, "model"):
            return
        self.backlog.run(self.now)
        self.model.expire(self.now)
        records = self.model.records.values()
        left = [record for record in records if not record.done]
        kept = [record for record in records if record.kept]
        counts = self.backlog.counts()
        assert counts["acked"] == len(kept)
        assert sum(counts.values()) == len(left) + len(kept)
        assert counts["out"] == sum(record.lease is not None for record in left)
        assert counts["held"] == sum(
            record.lease is None and record.due > self.now for record in left
        )
        assert self.dead == self.model.dead
        assert self.memory.used == sum(Entry(record.message).cost for record in left + kept)

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        for _ in range(MAX_ATTEMPTS + 2):
            self.pass_time(40)
            self.take(0, 1_000)
            self.acknowledge_all([lease for lease in self.seen if lease.open])
        assert all(record.done for record in self.model.records.values())
        self.pass_time(RETENTION)
        self.the_counts_agree()
        assert self.memory.used == 0


TestBacklogMachine = BacklogMachine.TestCase
TestBacklogMachine.settings = model_settings(examples=120, steps=40)
