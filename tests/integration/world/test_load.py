"""Callers at a constant rate, as a real process."""

from __future__ import annotations

import os
import signal
from itertools import pairwise

import pytest

from crosswind.world import answers
from crosswind.world.processes import World
from integration.world.conftest import CENTRAL, EAST, EASTUS2
from integration.world.waiting import until


def test_slow_answers_do_not_slow_the_callers(lasting_world: World) -> None:
    for region in (EAST, CENTRAL, EASTUS2):
        lasting_world.fault(region, "slow", ms=250)
    log = lasting_world.start_load("chat", rate=100, seconds=0.4)
    until(lambda: sum(1 for _ in answers.read(log)) == 40)
    seen = sorted(answers.read(log))
    assert all(answer.good for answer in seen)
    assert min(answer.ms for answer in seen) >= 250
    assert seen[-1].at - seen[0].at == pytest.approx(0.39, abs=0.001)


def test_every_request_is_answered_and_shares_follow_the_weights(lasting_world: World) -> None:
    log = lasting_world.start_load("chat", rate=200, seconds=0.45)
    until(lambda: sum(1 for _ in answers.read(log)) == 90)
    seen = list(answers.read(log))
    assert all(answer.good for answer in seen)
    counted = {region: its.requests for region, its in answers.traffic(seen).items()}
    assert counted == {EAST: 30, CENTRAL: 30, EASTUS2: 30}


def test_answers_can_be_read_while_callers_go_on(lasting_world: World) -> None:
    log = lasting_world.start_load("chat", rate=50, seconds=60)
    until(lambda: sum(1 for _ in answers.read(log)) >= 5)
    earlier = sum(1 for _ in answers.read(log))
    until(lambda: sum(1 for _ in answers.read(log)) > earlier)


def test_stopped_callers_leave_no_request_unrecorded(lasting_world: World) -> None:
    for region in (EAST, CENTRAL, EASTUS2):
        lasting_world.fault(region, "slow", ms=200)
    log = lasting_world.start_load("chat", rate=100, seconds=60)
    until(lambda: sum(1 for _ in answers.read(log)) >= 10)
    lasting_world.stop_load()
    due = sorted(answer.at for answer in answers.read(log))
    gaps = [after - before for before, after in pairwise(due)]
    assert max(gaps) == pytest.approx(0.01, abs=0.001)
    assert all(answer.good for answer in answers.read(log))


def test_without_a_proxy_there_is_no_answer_and_that_is_recorded(world: World) -> None:
    log = world.start_load("chat", rate=50, seconds=60)
    until(lambda: sum(1 for _ in answers.read(log)) >= 5)
    os.kill(world.addresses.proxy.pid, signal.SIGKILL)
    until(lambda: any(a.status == 0 and a.region is None for a in answers.read(log)))
