"""The backlog of a subscription, rule by rule. Time is a number that the test chooses."""

from crosswind_local.memory import Memory
from crosswind_local.pubsub.backlog import Backlog
from crosswind_local.pubsub.deliveries import Consumer, Lease
from crosswind_local.pubsub.filters import Has
from crosswind_local.pubsub.messages import Draft, Message, accept
from crosswind_local.pubsub.policies import Policy, Retry

MINUTE, DAY = 60.0, 86_400.0


class Bench:
    """A backlog with one consumer, and short names for what tests do to it."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.memory = Memory()
        self.dead: list[tuple[Message, int]] = []
        self.dead_topic_exists = True
        self.backlog = Backlog(policy or Policy(), self.memory, self._dead)
        self.consumer = self.join()
        self.now = 0.0
        self._number = 0

    def _dead(self, message: Message, attempts: int) -> bool:
        if self.dead_topic_exists:
            self.dead.append((message, attempts))
        return self.dead_topic_exists

    def join(self, messages: int = 0, size: int = 0) -> Consumer:
        consumer = Consumer(messages, size)
        self.backlog.admit(consumer)
        return consumer

    def publish(self, *texts: str, key: str = "", **attributes: str) -> None:
        for text in texts:
            self._number += 1
            draft = Draft(text.encode(), attributes, key)
            self.backlog.add(accept(draft, self._number, int(self.now * 1e9)))

    def take(self, most: int = 100, by: Consumer | None = None) -> list[Lease]:
        return self.backlog.take(by or self.consumer, self.now, most=most, most_bytes=1_000_000)

    def ack(self, *leases: Lease) -> list[str]:
        return self.backlog.acknowledge([lease.ack_id for lease in leases], self.now)

    def nack(self, *leases: Lease) -> list[str]:
        return self.backlog.extend([lease.ack_id for lease in leases], 0, self.now)


def texts(leases: list[Lease]) -> list[str]:
    return [lease.entry.message.data.decode() for lease in leases]


def test_an_acknowledged_message_is_not_delivered_again_and_its_memory_is_free() -> None:
    bench = Bench()
    bench.publish("a", "b")
    assert bench.ack(*bench.take()) == []
    bench.now += DAY
    assert bench.take() == []
    assert bench.memory.used == 0


def test_a_message_whose_deadline_passes_is_delivered_again() -> None:
    bench = Bench(Policy(ack_deadline=10))
    bench.publish("a")
    (first,) = bench.take()
    bench.now = 9.9
    assert bench.take() == []
    bench.now = 10
    (second,) = bench.take()
    assert (first.attempt, second.attempt) == (1, 2)
    assert bench.ack(first) == [first.ack_id]
    assert bench.ack(second) == []


def test_an_extended_deadline_counts_from_now() -> None:
    bench = Bench(Policy(ack_deadline=10))
    bench.publish("a")
    (lease,) = bench.take()
    bench.now = 9
    assert bench.backlog.extend([lease.ack_id], 30, bench.now) == []
    bench.now = 38.9
    assert bench.take() == []
    bench.now = 39
    assert texts(bench.take()) == ["a"]


def test_a_consumer_is_given_no_more_than_it_may_hold() -> None:
    bench = Bench()
    bench.publish("aa", "bb", "cc")
    few = bench.join(messages=2)
    held = bench.take(by=few)
    assert texts(held) == ["aa", "bb"]
    assert bench.take(by=few) == []
    bench.ack(held[0])
    assert texts(bench.take(by=few)) == ["cc"]


def test_bytes_are_a_limit_too_but_one_message_always_fits() -> None:
    bench = Bench()
    bench.publish("a" * 100, "b" * 30, "c" * 30)
    small = bench.join(size=50)
    (large,) = bench.take(by=small)
    assert bench.take(by=small) == []
    bench.ack(large)
    assert len(bench.take(by=small)) == 1


def test_the_filter_decides_what_is_taken_in() -> None:
    bench = Bench(Policy(condition=Has("kind")))
    bench.publish("no")
    bench.publish("yes", kind="x")
    assert texts(bench.take()) == ["yes"]


def test_back_off_doubles_between_its_bounds() -> None:
    bench = Bench(Policy(retry=Retry(10, 25)))
    bench.publish("a")
    for delay in (10, 20, 25, 25):
        bench.nack(*bench.take())
        bench.now += delay - 0.1
        assert bench.take() == []
        bench.now += 0.1
    assert texts(bench.take()) == ["a"]


def test_a_message_goes_to_the_dead_letter_topic_after_its_last_attempt() -> None:
    bench = Bench(Policy(dead_letter_topic="dead", max_attempts=5))
    bench.publish("poison")
    for attempt in range(1, 6):
        (lease,) = bench.take()
        assert lease.attempt == attempt
        assert bench.dead == []
        bench.nack(lease)
    assert [(message.data, attempts) for message, attempts in bench.dead] == [(b"poison", 5)]
    assert bench.take() == []
    assert bench.memory.used == 0


def test_without_a_dead_letter_topic_to_go_to_it_is_delivered_on() -> None:
    bench = Bench(Policy(dead_letter_topic="gone", max_attempts=5))
    bench.dead_topic_exists = False
    bench.publish("poison")
    for _ in range(7):
        bench.nack(*bench.take())
    assert bench.take()[0].attempt == 8


def test_one_consumer_may_hold_many_messages_of_a_key_and_another_none() -> None:
    bench = Bench(Policy(ordered=True))
    bench.publish("1", "2", "3", key="k")
    other = bench.join()
    held = bench.take(2)
    assert texts(held) == ["1", "2"]
    assert bench.take(by=other) == []
    assert texts(bench.take()) == ["3"]


def test_a_key_changes_hands_once_all_of_it_is_settled() -> None:
    bench = Bench(Policy(ordered=True))
    bench.publish("1", "2", key="k")
    other = bench.join()
    (first,) = bench.take(1)
    bench.ack(first)
    assert texts(bench.take(by=other)) == ["2"]


def test_a_key_changes_hands_once_its_message_is_a_dead_letter() -> None:
    bench = Bench(Policy(ordered=True, dead_letter_topic="dead", max_attempts=1))
    other = bench.join()
    bench.publish("a", "b", key="k")
    bench.nack(*bench.take(1))
    assert texts(bench.take(by=other)) == ["b"]


def test_what_is_held_longer_than_the_retention_frees_its_key() -> None:
    bench = Bench(Policy(ordered=True, ack_deadline=600, retention=600))
    other = bench.join()
    bench.publish("a", key="k")
    bench.now = 300
    bench.take()
    bench.publish("b", key="k")
    assert bench.take(by=other) == []
    bench.now = 600
    assert texts(bench.take(by=other)) == ["b"]


def test_what_was_acknowledged_begins_anew_after_a_seek() -> None:
    bench = Bench(Policy(retain_acked=True))
    bench.publish("a")
    bench.nack(*bench.take())
    (second,) = bench.take()
    bench.ack(second)
    bench.backlog.seek(0, (), bench.now)
    (again,) = bench.take()
    assert (second.attempt, again.attempt) == (2, 1)


def test_a_failed_message_brings_its_successors_back_in_order() -> None:
    bench = Bench(Policy(ordered=True))
    bench.publish("1", "2", "3", "4", key="k")
    one, two, three = bench.take(3)
    bench.ack(one)
    bench.nack(two)
    assert bench.ack(three) == [three.ack_id]
    again = bench.take()
    assert texts(again) == ["2", "3", "4"]
    assert [lease.attempt for lease in again] == [2, 1, 1]


def test_a_key_in_back_off_holds_its_successors_but_no_other_key() -> None:
    bench = Bench(Policy(ordered=True, retry=Retry(10, 600)))
    bench.publish("1", "2", key="k")
    bench.publish("x", key="other")
    one, *_ = bench.take(1)
    bench.nack(one)
    assert texts(bench.take()) == ["x"]
    bench.now = 10
    assert texts(bench.take()) == ["1", "2"]


def test_what_a_departed_consumer_holds_stays_out_until_it_expires() -> None:
    bench = Bench(Policy(ordered=True, ack_deadline=10))
    bench.publish("1", "2", key="k")
    bench.take(1)
    bench.backlog.leave(bench.consumer)
    other = bench.join()
    assert bench.take(by=other) == []
    bench.now = 10
    assert texts(bench.take(by=other)) == ["1", "2"]


def test_messages_older_than_the_retention_are_dropped() -> None:
    bench = Bench(Policy(retention=10 * MINUTE))
    bench.publish("old")
    bench.now = 5 * MINUTE
    bench.publish("young")
    bench.now = 10 * MINUTE
    assert texts(bench.take()) == ["young"]


def test_seek_to_the_future_purges() -> None:
    bench = Bench()
    bench.publish("a", "b")
    bench.backlog.seek(int(DAY * 1e9), (), bench.now)
    assert bench.take() == []
    assert bench.memory.used == 0


def test_seek_to_the_past_brings_back_what_was_acknowledged_and_retained() -> None:
    bench = Bench(Policy(retain_acked=True))
    bench.publish("a")
    bench.now = 10
    bench.publish("b", "c")
    leases = bench.take()
    bench.ack(*leases[:2])
    assert bench.backlog.counts() == {"ready": 0, "out": 1, "held": 0, "acked": 2}
    bench.backlog.seek(int(10e9), (), bench.now)
    assert bench.ack(leases[2]) == [leases[2].ack_id]
    assert texts(bench.take()) == ["b", "c"]


def test_seek_takes_from_the_topic_what_it_has_not() -> None:
    bench = Bench()
    bench.publish("mine")
    logged = [accept(Draft(b"theirs", {}, ""), 99, 5), accept(Draft(b"older", {}, ""), 98, 1)]
    bench.backlog.seek(5, logged, bench.now)
    assert texts(bench.take()) == ["theirs"]
