"""The bus over EventBridge and SQS keeps the contract, whatever the delay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract.aws_line import AwsLine
from contract.aws_stack import eventually
from contract.bus_contract import UNHEALTHY, BusContract, ids, message
from contract.lines import Line
from crosswind.buses.routing import Binding
from crosswind_local.aws_sites import AwsSite

HOUR = 3600


def pass_until(line: Line, moment: float) -> None:
    """Let time pass up to a moment; some of it passes by itself, while the test looks around."""
    line.let_pass(max(0.0, moment - line.now()))


class _LongDelays:
    """For a bus whose queues cannot hold a message for long."""

    @pytest.fixture(autouse=True)
    def movable(self, local_aws: AwsSite) -> None:
        if local_aws.emulator is None:
            pytest.skip("hours pass in no time only where the clock can be moved")

    @pytest.mark.parametrize("delay", [901, HOUR + 30, 25 * HOUR + 0.5])
    def test_a_long_delay_ends_when_it_is_due_and_not_before(
        self, bound: Line, delay: float
    ) -> None:
        due = bound.now() + delay
        bound.bus.publish([message("1", due=due)])

        while bound.now() < due - 900:
            bound.let_pass(600)
            assert bound.receive("ops") == []
        pass_until(bound, due - 15)
        assert bound.receive("ops") == []
        pass_until(bound, due + 1.5)
        assert eventually(lambda: ids(bound.receive("ops", 2)) == ["1"])

    def test_a_long_delay_reaches_each_group_that_wants_the_event(self, bound: Line) -> None:
        bound.bind("audit", Binding(UNHEALTHY))
        due = bound.now() + 1000
        bound.bus.publish([message("1", due=due)])

        for moment in (due - 500, due - 50):
            pass_until(bound, moment)
            assert bound.receive("ops") + bound.receive("audit") == []
        pass_until(bound, due + 1.5)

        assert ids(bound.receive("ops", 2)) == ["1"]
        assert ids(bound.receive("audit", 2)) == ["1"]


class TestEventBridgeBus(BusContract, _LongDelays):
    @pytest.fixture
    def line(self, local_aws: AwsSite, aws_account: str) -> Iterator[Line]:
        line = AwsLine(local_aws, aws_account)
        yield line
        line.close()

    def test_a_long_delay_that_is_published_twice_is_scheduled_once(self, bound: Line) -> None:
        later = message("1", due=bound.now() + 1000)

        bound.bus.publish([later])
        bound.bus.publish([later])

        assert isinstance(bound, AwsLine)
        assert len(bound.scheduler.list_schedules()["Schedules"]) == 1
        bound.let_pass(950)
        bound.receive("ops")
        assert bound.scheduler.list_schedules()["Schedules"] == []


class TestEventBridgeBusWithoutSchedules(_LongDelays):
    @pytest.fixture
    def bound(self, local_aws: AwsSite, aws_account: str) -> Iterator[Line]:
        line = AwsLine(local_aws, aws_account, relayed=True)
        line.bind("ops", Binding(UNHEALTHY))
        yield line
        line.close()
