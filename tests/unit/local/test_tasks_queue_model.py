"""A queue of tasks against a plain model: nothing is lost, nothing is sent once it is gone.

The model keeps one record for each task and looks through all of them whenever it is asked, which
is slow and plain. Attempts end in any order and in any way, tasks are run by hand, deleted and
purged meanwhile; in the end everything succeeds, and then everything must be gone.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crosswind_local.memory import Memory
from crosswind_local.tasks import limits
from crosswind_local.tasks.queue import Policy, TaskQueue
from crosswind_local.tasks.retry import Retry
from crosswind_local.tasks.tasks import Attempt, Outcome, Task
from unit.local.model_steps import model_settings

SIZE = 1_000
LIMITS = [
    Retry(3, 0, 1, 8, 2),
    Retry(-1, 60, 1, 8, 2),
    Retry(2, 30, 0, 8, 2),
    Retry(-1, 0, 2, 9, 9),
]


def backoff(retry: Retry, failures: int) -> float:
    """Step by step, as the documentation tells it."""
    wait, step, doublings = retry.min_backoff, retry.min_backoff, 0
    for _ in range(failures - 1):
        if doublings < retry.max_doublings:
            wait, doublings = wait * 2, doublings + 1
            step = wait
        else:
            wait += step
    return min(wait, retry.max_backoff)


@dataclass
class Record:
    task: Task
    due: float
    created: float
    out: list[Attempt] = field(default_factory=list)
    sent: int = 0
    failed: int = 0
    answered: int = 0
    executions: int = 0
    previous: int | None = None
    first: float | None = None
    why: str = ""

    @property
    def gone(self) -> bool:
        return bool(self.why)


class QueueMachine(RuleBasedStateMachine):
    @initialize(retry=st.sampled_from(LIMITS), concurrent=st.sampled_from([1, 3, 50]))
    def begin(self, retry: Retry, concurrent: int) -> None:
        self.now = 1_000_000.0
        self.memory = Memory()
        self.policy = Policy(rate=0.5, burst=4, concurrent=concurrent, retry=retry)
        self.queue = TaskQueue(self.policy, self.memory, self.now)
        self.records: dict[str, Record] = {}
        self.attempts: list[Attempt] = []
        self.tokens, self.filled = 4.0, self.now
        self.pace = 1.0

    # What the model knows

    def fill(self) -> None:
        passed = self.now - self.filled
        self.tokens = min(4.0, self.tokens + passed * 0.5 * self.pace)
        self.filled = self.now

    def under_way(self) -> int:
        return sum(len(record.out) for record in self.records.values() if not record.gone)

    def may_go(self, record: Record) -> bool:
        self.fill()
        return (
            not record.gone
            and not record.out
            and record.due <= self.now
            and not self.queue.paused
            and self.under_way() < self.policy.concurrent
            and self.tokens >= 0.999
        )

    def sent(self, attempt: Attempt) -> Record:
        record = self.records[attempt.task.name]
        assert not record.gone
        assert attempt.number == record.sent
        assert (attempt.executions, attempt.previous) == (record.executions, record.previous)
        record.sent += 1
        record.out.append(attempt)
        record.first = self.now if record.first is None else record.first
        self.attempts.append(attempt)
        return record

    def end(self, record: Record, why: str) -> None:
        record.why = why
        record.out.clear()

    # What happens

    @rule(delay=st.sampled_from([0, 0, 0, 5, 100]), own=st.booleans())
    def create(self, delay: float, own: bool) -> None:
        name = f"t{len(self.records)}"
        retry = Retry(1, 0, 1, 1, 0) if own else None
        task = Task(name, None, self.now, self.now + delay, retry=retry, size=SIZE, chosen=True)
        self.queue.add(task, self.now)
        self.records[name] = Record(task, self.now + delay, self.now)

    @rule(most=st.integers(1, 5))
    def dispatch(self, most: int = 1) -> None:
        for _ in range(most):
            self.dispatch_one()

    def dispatch_one(self) -> None:
        attempt = self.queue.begin(self.now)
        ready = [record for record in self.records.values() if self.may_go(record)]
        if attempt is None:
            assert not ready
            return
        record = self.records[attempt.task.name]
        assert self.may_go(record)
        assert record.due == min(each.due for each in ready)
        self.tokens -= 1
        self.sent(attempt)

    @rule(which=st.integers(0, 99), chance=st.integers(0, 2))
    def run_by_hand(self, which: int, chance: int) -> None:
        there = [record for record in self.records.values() if not record.gone]
        if there and chance == 2:
            record = there[which % len(there)]
            self.sent(self.queue.run(record.task, self.now))
            record.due = self.now

    @rule(
        which=st.integers(0, 99),
        status=st.sampled_from([500, 404, 429, 503, 504, 200, 404]),
        after=st.sampled_from([None, None, 20]),
        late=st.booleans(),
    )
    def answer(self, which: int, status: int, after: float | None, late: bool = False) -> None:
        live = [each for record in self.records.values() for each in record.out]
        attempts = self.attempts if late else live
        if attempts:
            self.answer_one(attempts[which % len(attempts)], status, after)

    @rule(status=st.sampled_from([500, 404, 429, 503, 504]), seconds=st.sampled_from([1, 8, 30]))
    def everything_fails_and_time_passes(self, status: int, seconds: float) -> None:
        for record in list(self.records.values()):
            for attempt in list(record.out):
                self.answer_one(attempt, status, None)
        self.pass_time(seconds)
        self.dispatch(5)

    def answer_one(self, attempt: Attempt, status: int, after: float | None) -> None:
        record = self.records[attempt.task.name]
        outcome = Outcome(status, answered=status != 504, retry_after=after)
        self.queue.end(attempt, outcome, self.now)
        if record.gone or attempt not in record.out:
            return
        record.out.remove(attempt)
        self.fill()
        record.answered += status != 504
        record.executions += status < 500
        record.previous = status
        if status in (429, 503):
            self.pace = max(1 / 32, self.pace / 2)
        if 200 <= status < 300:
            self.pace = min(1.0, self.pace * 2)
            self.end(record, "done")
            return
        record.failed += 1
        if record.out:
            return
        retry = record.task.retry or self.policy.retry
        assert record.first is not None
        enough = retry.max_attempts < 1 or record.sent >= retry.max_attempts
        long = not retry.max_duration or self.now - record.first >= retry.max_duration
        if enough and long and (retry.max_attempts > 0 or retry.max_duration):
            self.end(record, "given up")
            return
        base = attempt.dispatched if attempt.by_hand else self.now
        record.due = base + max(backoff(retry, record.failed), after or 0)

    @rule(which=st.integers(0, 99), chance=st.integers(0, 3))
    def delete(self, which: int, chance: int) -> None:
        there = [record for record in self.records.values() if not record.gone]
        if there and chance == 3:
            record = there[which % len(there)]
            self.queue.delete(record.task, self.now)
            self.end(record, "deleted")

    @rule(chance=st.integers(0, 9))
    def purge(self, chance: int) -> None:
        if chance == 9:
            self.queue.purge(self.now)
            for record in self.records.values():
                if not record.gone:
                    self.end(record, "purged")

    @rule(paused=st.sampled_from([False, False, True]))
    def pause_or_resume(self, paused: bool) -> None:
        self.queue.paused = paused

    @rule(seconds=st.sampled_from([0.5, 2, 7, 40]))
    def pass_time(self, seconds: float) -> None:
        self.fill()
        self.now += seconds
        for record in self.records.values():
            if not record.gone and self.now >= record.created + limits.RETENTION_SECONDS:
                self.end(record, "too old")

    @rule(chance=st.integers(0, 19))
    def a_month_passes(self, chance: int) -> None:
        if chance == 19:
            self.pass_time(limits.RETENTION_SECONDS)

    @invariant()
    def it_says_when_it_has_something_to_do(self) -> None:
        if not hasattr(self, "queue"):
            return
        when = self.queue.next_dispatch(self.now)
        self.fill()
        waiting = [r.due for r in self.records.values() if not r.gone and not r.out]
        if self.queue.paused or not waiting or self.under_way() >= self.policy.concurrent:
            assert when is None
            return
        token = self.now + max(0.0, (1 - self.tokens) / (0.5 * self.pace))
        assert when is not None
        assert abs(when - max(min(waiting), token)) < 0.1

    @invariant()
    def the_counts_agree(self) -> None:
        if not hasattr(self, "queue"):
            return
        there = [record for record in self.records.values() if not record.gone]
        assert set(self.queue.tasks(self.now)) == {record.task.name for record in there}
        counts = self.queue.counts(self.now)
        assert counts["running"] == sum(len(record.out) for record in there)
        for why, count in (
            ("done", "succeeded"),
            ("given up", "exhausted"),
            ("too old", "expired"),
        ):
            assert counts[count] == sum(r.why == why for r in self.records.values()), why
        for record in there:
            assert record.task.dispatches == record.sent
            assert record.task.responses == record.answered
        for record in self.records.values():
            if record.gone:
                assert self.queue.get(record.task.name, self.now) is None

    def teardown(self) -> None:
        if not hasattr(self, "queue"):
            return
        self.queue.paused = False
        # By hand a task may have been sent more than once; each round ends one attempt of each.
        while any(not record.gone for record in self.records.values()):
            for attempt in [each for record in self.records.values() for each in record.out]:
                self.answer_one(attempt, 200, None)
            self.pass_time(3_600)
            self.dispatch(5)
        assert all(record.gone for record in self.records.values())
        self.queue.expire(self.now + limits.DEDUPLICATION_SECONDS)
        assert self.memory.used == 0


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = model_settings(examples=120, steps=40)


def live(chance: random.Random) -> None:
    """One queue, from beginning to end."""
    machine = QueueMachine()
    machine.begin(chance.choice(LIMITS), chance.choice([1, 3, 50]))
    steps: list[Callable[[], object]] = [
        lambda: machine.create(chance.choice([0, 0, 0, 5, 100]), chance.random() < 0.2),
        lambda: machine.dispatch(chance.randint(1, 5)),
        lambda: machine.run_by_hand(chance.randrange(99), chance.randint(0, 2)),
        lambda: machine.answer(
            chance.randrange(99),
            chance.choice([500, 404, 429, 503, 504, 200]),
            chance.choice([None, None, 20]),
            chance.random() < 0.2,
        ),
        lambda: machine.everything_fails_and_time_passes(
            chance.choice([500, 404, 503, 504]), chance.choice([1, 8, 30])
        ),
        lambda: machine.delete(chance.randrange(99), chance.randint(0, 3)),
        lambda: machine.purge(chance.randint(0, 9)),
        lambda: machine.pause_or_resume(chance.random() < 0.3),
        lambda: machine.pass_time(chance.choice([0.5, 2, 7, 40])),
        lambda: machine.a_month_passes(chance.randint(0, 19)),
    ]
    for _ in range(100):
        chance.choices(steps, [3, 4, 1, 4, 3, 1, 1, 1, 3, 1])[0]()
        machine.it_says_when_it_has_something_to_do()
        machine.the_counts_agree()
    machine.teardown()


def test_a_hundred_long_lives_go_as_the_model_says() -> None:
    """Ten thousand steps: longer lives than the search above makes, which prefers short ones."""
    for seed in range(100):
        live(random.Random(seed))
