"""The clock of local services."""

import threading
import time
from functools import partial

import pytest

from crosswind_local.clock import ManualClock, SystemClock


def test_manual_time_stands_still_until_it_is_advanced() -> None:
    clock = ManualClock(100)
    assert clock.now() == 100
    clock.advance(2.5)
    assert clock.now() == 102.5


def test_each_alarm_rings_at_its_own_moment_in_order() -> None:
    clock, rung = ManualClock(0), []
    for when in (3, 1, 2):
        clock.call_at(when, partial(lambda when: rung.append((when, clock.now())), when))
    clock.advance(2)
    assert rung == [(1, 1), (2, 2)]
    clock.advance(1)
    assert rung[-1] == (3, 3)


def test_an_alarm_set_by_an_alarm_rings_within_the_same_advance() -> None:
    clock, rung = ManualClock(0), []

    def again() -> None:
        clock.call_at(2, lambda: rung.append(clock.now()))

    clock.call_at(1, again)
    clock.advance(5)
    assert rung == [2]
    assert clock.now() == 5


def test_a_cancelled_alarm_does_not_ring() -> None:
    clock, rung = ManualClock(0), []
    clock.call_at(1, lambda: rung.append("one")).cancel()
    clock.advance(5)
    assert rung == []


def test_time_is_not_turned_back() -> None:
    with pytest.raises(ValueError, match="does not run backwards"):
        ManualClock().advance(-1)


def test_real_alarms_ring_in_order_and_a_faulty_one_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, rung, done = SystemClock(), [], threading.Event()

    def fault() -> None:
        raise RuntimeError("broken alarm")

    start = clock.now()
    clock.call_at(start + 0.06, done.set)
    clock.call_at(start + 0.02, lambda: rung.append(1))
    clock.call_at(start + 0.03, fault)
    clock.call_at(start + 0.04, lambda: rung.append(2))
    assert done.wait(2)
    assert rung == [1, 2]
    assert "alarm of the local clock failed" in caplog.text
    assert clock.now() - start >= 0.06
    clock.close()


def test_a_closed_clock_owes_nothing() -> None:
    clock, rung = SystemClock(), []
    clock.call_at(clock.now() + 0.02, lambda: rung.append(1))
    clock.close()
    clock.call_at(clock.now(), lambda: rung.append(2))
    time.sleep(0.05)
    assert rung == []
