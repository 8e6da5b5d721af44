"""Keys, epochs and the log of the control plane, apart from HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.world.control import (
    Control,
    ControlLog,
    Effect,
    Order,
    Outcome,
    read_control_log,
)


class Target:
    """Something whose size is ordered; counts how often it was changed."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.size = 0
        self.changes = 0

    def order(self, key: str, epoch: int, size: int, subject: str = "chat") -> Outcome:
        return self.control.carry_out(
            Order("resize", subject, key, epoch, {"size": size}),
            lambda: {"size": size, "before": self.size},
            self._apply,
        )

    def _apply(self, answer: Mapping[str, Any]) -> None:
        self.size = answer["size"]
        self.changes += 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control log.jsonl"


@pytest.fixture
def log(path: Path) -> Iterator[ControlLog]:
    log = ControlLog(path)
    yield log
    log.close()


@pytest.fixture
def target(log: ControlLog) -> Target:
    return Target(Control(log))


def test_an_order_takes_effect(target: Target) -> None:
    outcome = target.order("k1", epoch=3, size=5)
    assert outcome == Outcome(Effect.APPLIED, {"size": 5, "before": 0}, epoch=3)
    assert target.size == 5
    assert target.control.epoch("resize", "chat") == 3


def test_a_repeated_key_gets_the_first_answer_and_changes_nothing(target: Target) -> None:
    first = target.order("k1", epoch=1, size=5)
    target.order("k2", epoch=2, size=9)
    again = target.order("k1", epoch=1, size=5)
    assert again.effect is Effect.REPEATED
    assert again.answer == first.answer
    assert again.epoch == 2
    assert (target.size, target.changes) == (9, 2)


def test_a_lower_epoch_is_refused_with_the_one_in_force(target: Target) -> None:
    target.order("k1", epoch=7, size=5)
    outcome = target.order("k2", epoch=6, size=9)
    assert (outcome.effect, outcome.answer) == (Effect.REFUSED, None)
    assert outcome.stale
    assert outcome.epoch == 7
    assert outcome.reason == "epoch 7 is in force, 6 is older"
    assert target.size == 5


def test_the_same_epoch_may_be_ordered_again_with_another_key(target: Target) -> None:
    target.order("k1", epoch=7, size=5)
    assert target.order("k2", epoch=7, size=9).effect is Effect.APPLIED


def test_a_refused_key_is_not_remembered(target: Target) -> None:
    target.order("k1", epoch=7, size=5)
    assert target.order("k2", epoch=6, size=9).effect is Effect.REFUSED
    assert target.order("k2", epoch=7, size=9).effect is Effect.APPLIED


@pytest.mark.parametrize(
    ("epoch", "size", "subject"), [(1, 6, "chat"), (2, 5, "chat"), (1, 5, "search")]
)
def test_a_key_does_not_name_two_orders(
    target: Target, epoch: int, size: int, subject: str
) -> None:
    target.order("k1", epoch=1, size=5)
    outcome = target.order("k1", epoch=epoch, size=size, subject=subject)
    assert outcome.effect is Effect.REFUSED
    assert not outcome.stale
    assert "'k1' was used before for another order" in outcome.reason
    assert target.changes == 1


def test_each_subject_has_its_own_epoch(target: Target) -> None:
    target.order("k1", epoch=9, size=5, subject="chat")
    assert target.order("k2", epoch=1, size=5, subject="search").effect is Effect.APPLIED


def test_every_call_is_one_line_of_the_log(target: Target, path: Path) -> None:
    target.order("k1", epoch=2, size=5)
    target.order("k1", epoch=2, size=5)
    target.order("k2", epoch=1, size=9)
    lines = list(read_control_log(path))
    assert [(line["call"], line["key"], line["epoch"], line["effect"]) for line in lines] == [
        ("resize", "k1", 2, "applied"),
        ("resize", "k1", 2, "repeated"),
        ("resize", "k2", 1, "refused"),
    ]
    assert lines[0]["detail"] == {
        "subject": "chat",
        "arguments": {"size": 5},
        "answer": {"size": 5, "before": 0},
    }
    assert lines[2]["detail"]["reason"] == "epoch 2 is in force, 1 is older"
    assert lines[0]["at"] <= lines[1]["at"] <= lines[2]["at"]


def test_an_order_is_in_the_log_before_it_takes_effect(log: ControlLog, path: Path) -> None:
    def crash(answer: Mapping[str, Any]) -> None:
        raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError):
        Control(log).carry_out(Order("resize", "chat", "k1", 1, {}), dict, crash)
    assert [line["key"] for line in read_control_log(path)] == ["k1"]


def test_what_cannot_be_carried_out_is_recorded_and_its_key_stays_free(
    target: Target, path: Path
) -> None:
    target.control.refuse(Order("resize", "chat", "k1", 1, {"size": -1}), "no such size")
    assert target.order("k1", epoch=1, size=5).effect is Effect.APPLIED
    lines = list(read_control_log(path))
    assert [line["effect"] for line in lines] == ["refused", "applied"]
    assert lines[0]["detail"]["reason"] == "no such size"


def test_a_decision_that_fails_leaves_no_trace(log: ControlLog, path: Path) -> None:
    def fail() -> Mapping[str, Any]:
        raise RuntimeError("cannot decide")

    control = Control(log)
    with pytest.raises(RuntimeError):
        control.carry_out(Order("resize", "chat", "k1", 1, {}), fail, lambda _: None)
    assert list(read_control_log(path)) == []
    assert control.epoch("resize", "chat") == 0


def test_a_process_started_again_knows_its_keys_and_epochs(target: Target, path: Path) -> None:
    target.order("k1", epoch=2, size=5)
    target.order("k2", epoch=4, size=9)
    target.order("k3", epoch=3, size=1)

    reopened = ControlLog(path)
    control = Control(reopened)
    restored = [(order.key, answer["size"]) for order, answer in control.restore()]
    later = Target(control)
    assert restored == [("k1", 5), ("k2", 9)]
    assert later.order("k1", epoch=2, size=5).effect is Effect.REPEATED
    assert later.order("k9", epoch=3, size=1).epoch == 4
    reopened.close()


@pytest.mark.parametrize("length", [1, 40, 5000])
def test_a_torn_line_was_never_answered_and_is_cut_off(
    target: Target, path: Path, length: int
) -> None:
    target.order("k1", epoch=2, size=5)
    whole = path.read_bytes()
    path.write_bytes(whole + b"{" * length)

    reopened = ControlLog(path)
    assert path.read_bytes() == whole
    reopened.record("fault", Effect.APPLIED, {})
    assert [line["call"] for line in reopened.lines()] == ["resize", "fault"]
    reopened.close()


def test_a_log_of_nothing_but_a_torn_line_is_emptied(path: Path) -> None:
    path.write_bytes(b'{"at":1')
    ControlLog(path).close()
    assert path.read_bytes() == b""


def test_a_line_still_being_written_is_not_read(target: Target, path: Path) -> None:
    target.order("k1", epoch=2, size=5)
    with path.open("ab") as file:
        file.write(b'{"at": 1')
    assert len(list(read_control_log(path))) == 1


def test_a_broken_line_in_the_middle_is_an_error(path: Path) -> None:
    path.write_bytes(b"not json\n")
    with pytest.raises(json.JSONDecodeError):
        list(read_control_log(path))


def test_the_oldest_keys_are_forgotten_first(log: ControlLog) -> None:
    target = Target(Control(log, keys=2))
    for number in (1, 2, 3):
        target.order(f"k{number}", epoch=1, size=number)
    assert target.order("k3", epoch=1, size=3).effect is Effect.REPEATED
    assert target.order("k1", epoch=1, size=1).effect is Effect.APPLIED


ORDERS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=30)


@given(ORDERS)
def test_whatever_arrives_a_key_applies_once_and_epochs_never_fall(
    tmp_path_factory: pytest.TempPathFactory, orders: list[tuple[int, int]]
) -> None:
    log = ControlLog(tmp_path_factory.mktemp("control") / "log.jsonl")
    target = Target(Control(log))
    applied: list[tuple[str, int]] = []
    for number, epoch in orders:
        key = f"k{number}-{epoch}"
        if target.order(key, epoch, size=number).effect is Effect.APPLIED:
            applied.append((key, epoch))
    log.close()
    assert len({key for key, _ in applied}) == len(applied) == target.changes
    assert [epoch for _, epoch in applied] == sorted(epoch for _, epoch in applied)
