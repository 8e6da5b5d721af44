"""How long a service is asked that is throttled or does not answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.errors import StoreError, Throttled, Unreachable
from crosswind.patience import Meaning, persistently


class Busy(Exception):
    """Nothing was done."""


class Silence(Exception):
    """Nobody knows."""


class Refused(Exception):
    """For good."""


class Unasked(Exception):
    """It could not be asked at all."""


def meaning(error: Exception) -> Meaning | None:
    if isinstance(error, Unasked):
        raise StoreError("there is nobody to ask") from error
    meanings: dict[type[Exception], Meaning] = {Busy: "throttled", Silence: "lost"}
    return meanings.get(type(error))


class Service:
    """Answers as it is told to, and as it should from then on."""

    def __init__(self, *errors: type[Exception]) -> None:
        self._errors: Iterator[type[Exception]] = iter(errors)
        self.requests = 0
        self.waits: list[float] = []

    def ask(self) -> str:
        return persistently(self._answer, meaning, "the vault", self.waits.append)

    def _answer(self) -> str:
        self.requests += 1
        for error in self._errors:
            raise error("says the test")
        return "done"


def test_a_request_that_is_answered_is_made_once() -> None:
    service = Service()

    assert service.ask() == "done"
    assert (service.requests, service.waits) == (1, [])


def test_a_throttled_request_is_made_four_times_and_never_was_carried_out() -> None:
    assert Service(Busy, Busy, Busy).ask() == "done"
    service = Service(Busy, Busy, Busy, Busy)

    with pytest.raises(Throttled, match="the vault asks for patience: says the test"):
        service.ask()

    assert service.requests == 4


def test_a_request_without_an_answer_is_made_twice_and_may_have_been_carried_out() -> None:
    assert Service(Silence).ask() == "done"
    service = Service(Silence, Silence)

    with pytest.raises(Unreachable, match="the vault did not answer: says the test"):
        service.ask()

    assert service.requests == 2


def test_patience_that_ends_after_a_lost_answer_leaves_doubt() -> None:
    with pytest.raises(Unreachable):
        Service(Silence, Busy, Busy, Busy, Busy).ask()


def test_what_is_refused_for_good_is_passed_on_at_once() -> None:
    service = Service(Refused)

    with pytest.raises(Refused):
        service.ask()

    assert (service.requests, service.waits) == (1, [])


def test_a_meaning_may_say_what_the_caller_is_to_see_instead() -> None:
    with pytest.raises(StoreError, match="nobody to ask"):
        Service(Busy, Unasked).ask()


@given(errors=st.lists(st.sampled_from([Busy, Silence, Refused]), max_size=8))
def test_it_is_asked_a_few_times_at_most_and_doubt_is_never_hidden(
    errors: list[type[Exception]],
) -> None:
    service = Service(*errors)

    try:
        service.ask()
        met = errors
        assert Refused not in met
    except Throttled:
        met = errors[: service.requests]
        assert Silence not in met
    except Unreachable:
        met = errors[: service.requests]
        assert Silence in met
    except Refused:
        met = errors[: service.requests]
        assert met[-1] is Refused

    assert service.requests <= 6
    assert met.count(Silence) <= 2
    assert len(service.waits) == service.requests - 1
    assert all(0 <= wait <= 0.05 * 2 ** (n + 1) for n, wait in enumerate(service.waits))
