"""What every performer of a kind promises; inherited by one test class per service.

A test class supplies the performer, an eye that sees the service itself and past the performer, and
a hand that makes the answer to the next change get lost. Where a service cannot keep an epoch, what
is promised instead is tested with that service.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import pytest

from crosswind.actions import Call, Pending, Performer
from crosswind.errors import CrosswindError
from crosswind.operations.endpoints import EndpointStatus, Scaled, ScaleEndpoint
from crosswind.operations.notification import Notified, Notify
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet

T = TypeVar("T")

TIMEOUT = 20.0
"""Seconds that a performer is given here."""

TURNS = 20
"""How often a pending action is asked for again."""


def call(key: str | None = None, attempt: int = 1, *, checking: bool = False) -> Call:
    """A call with a key of its own unless one is given."""
    return Call(key or uuid4().hex, TIMEOUT, attempt, checking)


def performed(performer: Performer, action: Any, given: Call) -> Any:
    """What an action leads to at once."""
    answer = performer.perform(action, given)
    assert not isinstance(answer, Pending), answer.note
    return answer


def finished(performer: Performer, action: Any, given: Call) -> Any:
    """What an action leads to, asked for again while it is pending."""
    for attempt in range(1, TURNS):
        answer = performer.perform(
            action, Call(given.key, given.timeout, attempt, checking=attempt > 1)
        )
        if not isinstance(answer, Pending):
            return answer
    raise AssertionError(f"{action.kind} is still pending: {answer.note}")


def retried(performer: Performer, action: Any, given: Call) -> Any:
    """What an action leads to when it is asked for again after a failure, as the engine does."""
    try:
        return finished(performer, action, given)
    except (CrosswindError, OSError):
        return finished(performer, action, Call(given.key, given.timeout, given.attempt + 1))


class Eye(Protocol):
    """Sees a service past its performer."""

    def changes(self) -> int:
        """How many changes the service has taken so far."""
        ...


class PerformerContract:
    """What holds for every performer."""

    def test_it_says_which_kinds_are_its_own(self, performer: Performer) -> None:
        for kind in (*performer.performs, *performer.answers):
            assert kind.kind

    def test_it_says_how_it_recognises_a_repeated_key(self, performer: Performer) -> None:
        if performer.performs:
            assert "repeated key" in (type(performer).__doc__ or "")

    @pytest.fixture
    @abstractmethod
    def performer(self) -> Performer:
        """The performer under test."""


class TrafficContract(PerformerContract):
    """Specification of performers of `traffic.*`.

    Attributes:
        workload: one that the performer knows.
        regions: two regions of it, which share its traffic evenly at first.
    """

    workload = "chat"
    regions = ("aws/us-east-1", "aws/eu-west-1")

    @abstractmethod
    def shares(self) -> Mapping[str, float]:
        """The shares that the service itself gives each region."""

    @abstractmethod
    def changes(self) -> int:
        """How many changes of the shares reached the service."""

    @abstractmethod
    def lose_answer(self) -> None:
        """Let the answer to the next change be lost, after it was made."""

    def weights(self, share: float, epoch: int) -> SetWeights:
        """The first region gets this share, the second the rest."""
        first, second = self.regions
        given = {first: share, second: 1.0 - share}
        return SetWeights(workload=self.workload, weights=given, epoch=epoch)

    def test_weights_are_set_and_read_back(self, performer: Performer) -> None:
        wanted = self.weights(0.0, 3)

        done = performed(performer, wanted, call())

        assert done == WeightsSet(applied=True, epoch=3, weights=wanted.weights)
        assert self.shares() == pytest.approx(wanted.weights, abs=0.005)
        seen = performer.answer(CurrentWeights(workload=self.workload), TIMEOUT)
        assert seen.weights == wanted.weights

    def test_the_same_key_twice_is_one_change_with_the_same_answer(
        self, performer: Performer
    ) -> None:
        wanted, given = self.weights(1.0, 1), call()
        first = performed(performer, wanted, given)
        before = self.changes()

        second = performed(performer, wanted, given)

        assert second == first
        assert self.changes() == before

    def test_an_answer_that_was_lost_is_found_by_the_retry(self, performer: Performer) -> None:
        wanted, given = self.weights(1.0, 1), call()
        before = self.changes()
        self.lose_answer()

        done = retried(performer, wanted, given)

        assert done == WeightsSet(applied=True, epoch=1, weights=wanted.weights)
        assert self.changes() == before + 1
        assert self.shares() == pytest.approx(wanted.weights, abs=0.005)

    def test_the_same_epoch_may_be_asserted_again(self, performer: Performer) -> None:
        performed(performer, self.weights(1.0, 4), call())

        again = performed(performer, self.weights(0.0, 4), call())

        assert again.applied
        assert self.shares()[self.regions[0]] == 0.0

    def test_a_region_that_nobody_declared_gets_no_traffic(self, performer: Performer) -> None:
        before = dict(self.shares())
        stray = SetWeights(workload=self.workload, weights={"aws/sa-east-1": 1.0}, epoch=1)

        with pytest.raises(CrosswindError, match="aws/sa-east-1"):
            performed(performer, stray, call())

        assert self.shares() == before

    def test_a_workload_that_nobody_declared_is_not_found(self, performer: Performer) -> None:
        with pytest.raises(CrosswindError, match="nothing-here"):
            performer.answer(CurrentWeights(workload="nothing-here"), TIMEOUT)


class EpochTrafficContract(TrafficContract):
    """The same where the service holds an epoch."""

    def test_the_epoch_is_read_back_with_the_weights(self, performer: Performer) -> None:
        performed(performer, self.weights(0.0, 3), call())
        assert performer.answer(CurrentWeights(workload=self.workload), TIMEOUT).epoch == 3

    def test_a_lower_epoch_is_refused_with_the_newer_weights(self, performer: Performer) -> None:
        newer = performed(performer, self.weights(1.0, 8), call())
        before = self.changes()

        late = performed(performer, self.weights(0.0, 7), call())

        assert not late.applied
        assert (late.epoch, late.weights) == (8, newer.weights)
        assert "8" in late.reason
        assert self.changes() == before


class EndpointContract(PerformerContract):
    """Specification of performers of `endpoint.*`.

    Attributes:
        workload: one that the performer knows, with 2 replicas in its region.
        region: where.
    """

    workload = "chat"
    region = "aws/us-east-1"

    @abstractmethod
    def ordered(self) -> int:
        """How many replicas the service itself is asked for."""

    @abstractmethod
    def changes(self) -> int:
        """How many orders reached the service."""

    @abstractmethod
    def lose_answer(self) -> None:
        """Let the answer to the next order be lost, after it was taken."""

    def scale(self, replicas: int, epoch: int = 1, plan: str | None = None) -> ScaleEndpoint:
        """An order for so many replicas."""
        return ScaleEndpoint(
            workload=self.workload, region=self.region, replicas=replicas, epoch=epoch, plan=plan
        )

    def test_replicas_are_requested_granted_and_ready(self, performer: Performer) -> None:
        done = finished(performer, self.scale(5), call())

        assert done == Scaled(requested=5, granted=5, ready=5)
        assert self.ordered() == 5

    def test_replicas_are_given_back(self, performer: Performer) -> None:
        finished(performer, self.scale(4), call())

        done = finished(performer, self.scale(1, epoch=2), call())

        assert (done.requested, done.granted) == (1, 1)
        assert self.ordered() == 1

    def test_the_same_key_twice_is_one_order_with_the_same_answer(
        self, performer: Performer
    ) -> None:
        given = call()
        first = finished(performer, self.scale(4), given)
        before = self.changes()

        second = finished(performer, self.scale(4), given)

        assert second == first
        assert self.changes() == before

    def test_an_answer_that_was_lost_is_found_by_the_retry(self, performer: Performer) -> None:
        before = self.changes()
        self.lose_answer()

        done = retried(performer, self.scale(4), call())

        assert done == Scaled(requested=4, granted=4, ready=4)
        assert self.changes() == before + 1

    def test_a_repeated_key_undoes_nothing_that_came_after_it(self, performer: Performer) -> None:
        late = call()
        finished(performer, self.scale(6, epoch=1), late)
        finished(performer, self.scale(3, epoch=2), call())
        before = self.changes()

        again = finished(performer, self.scale(6, epoch=1), late)

        assert self.ordered() == 3
        assert self.changes() == before
        assert again.granted == 3
        assert again.reason

    def test_a_lower_epoch_is_refused_with_what_is_in_force(self, performer: Performer) -> None:
        finished(performer, self.scale(4, epoch=9), call())
        before = self.changes()

        late = finished(performer, self.scale(7, epoch=8), call())

        assert (late.requested, late.granted) == (7, 4)
        assert "9" in late.reason
        assert self.changes() == before

    def test_its_state_tells_the_replicas_of_each_region(self, performer: Performer) -> None:
        finished(performer, self.scale(3), call())
        asked = EndpointStatus(workload=self.workload, regions=(self.region, "gcp/us-central1"))

        states = performer.answer(asked, TIMEOUT).states

        here = states[self.region]
        assert (here.reachable, here.ready, here.starting) == (True, 3, 0)
        assert not states["gcp/us-central1"].reachable

    def test_an_endpoint_that_nobody_declared_is_not_found(self, performer: Performer) -> None:
        asked = EndpointStatus(workload=self.workload, regions=("aws/sa-east-1",))

        with pytest.raises(CrosswindError, match="aws/sa-east-1"):
            performer.answer(asked, TIMEOUT)


class NoticeContract(PerformerContract):
    """Specification of performers of `notify.*`."""

    @abstractmethod
    def heard(self) -> list[str]:
        """The titles of the notices that people got."""

    @abstractmethod
    def lose_answer(self) -> None:
        """Let the answer to the next notice be lost, after it was sent."""

    def notice(self, title: str = "aws/us-east-1 is left") -> Notify:
        """A notice to the default channel."""
        return Notify(title=title, text="because its probes fail")

    def test_people_are_told(self, performer: Performer) -> None:
        done = performed(performer, self.notice("a region was left"), call())

        assert isinstance(done, Notified)
        assert self.heard() == ["a region was left"]

    def test_the_same_key_twice_is_told_once_with_the_same_answer(
        self, performer: Performer
    ) -> None:
        given = call()
        first = performed(performer, self.notice(), given)

        second = performed(performer, self.notice(), given)

        assert second == first
        assert len(self.heard()) == 1

    def test_other_notices_in_the_same_words_are_told_as_well(self, performer: Performer) -> None:
        performed(performer, self.notice(), call())
        performed(performer, self.notice(), call())

        assert len(self.heard()) == 2

    def test_an_answer_that_was_lost_is_found_by_the_retry(self, performer: Performer) -> None:
        self.lose_answer()

        retried(performer, self.notice(), call())

        assert len(self.heard()) == 1

    def test_a_channel_that_nobody_declared_is_not_found(self, performer: Performer) -> None:
        with pytest.raises(CrosswindError, match="nowhere"):
            performed(performer, Notify(channel="nowhere", title="hello"), call())
