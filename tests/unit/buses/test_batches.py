"""Requests that take few entries, of which a service may accept some."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.buses.batches import Limits, Refused, send

BYTES = 1_000_000
LIMITS = Limits(10, BYTES)


def never(seconds: float) -> None:
    raise AssertionError("there was nothing to wait for")


class Service:
    """Takes entries, but for those that it refuses: how often, and whether for good."""

    def __init__(self, refuses: dict[int, int], final: frozenset[int] = frozenset()) -> None:
        self.refuses = Counter(refuses)
        self.final = final
        self.requests: list[list[int]] = []
        self.taken: list[int] = []

    def __call__(self, part: list[int]) -> list[Refused]:
        self.requests.append(part)
        refused = []
        for n, entry in enumerate(part):
            if self.refuses[entry] > 0:
                self.refuses[entry] -= 1
                refused.append(Refused(n, f"no {entry}", entry in self.final))
            else:
                self.taken.append(entry)
        return refused


def test_all_that_is_taken_is_sent_once() -> None:
    service = Service({})

    assert send(list(range(25)), [1] * 25, LIMITS, service, never) == []
    assert [len(part) for part in service.requests] == [10, 10, 5]
    assert service.taken == list(range(25))


def test_a_request_holds_no_more_bytes_than_allowed() -> None:
    service = Service({})
    sizes = [BYTES, 1, BYTES // 2, BYTES // 2, 1]

    assert send(list(range(5)), sizes, LIMITS, service, never) == []
    assert service.requests == [[0], [1, 2], [3, 4]]


def test_what_was_refused_for_now_alone_is_sent_again() -> None:
    service = Service({3: 1, 12: 2})
    waits: list[float] = []

    assert send(list(range(15)), [1] * 15, LIMITS, service, waits.append) == []
    assert service.requests[2:] == [[3, 12], [12]]
    assert sorted(service.taken) == list(range(15))
    assert len(waits) == 2


def test_what_stays_refused_is_named_and_what_is_refused_for_good_is_given_up_at_once() -> None:
    service = Service({3: 9, 12: 9}, final=frozenset({12}))

    refused = send(list(range(15)), [1] * 15, LIMITS, service, lambda seconds: None)

    assert refused == [Refused(3, "no 3", False), Refused(12, "no 12", True)]
    assert Counter(entry for part in service.requests for entry in part)[12] == 1
    assert Counter(entry for part in service.requests for entry in part)[3] == 3


def test_nothing_at_all_is_no_request() -> None:
    service = Service({})

    assert send([], [], LIMITS, service, never) == []
    assert service.requests == []


@given(
    limits=st.builds(Limits, entries=st.integers(1, 20), bytes=st.integers(1, BYTES)),
    sizes=st.lists(st.integers(0, BYTES), max_size=40),
    refusals=st.dictionaries(st.integers(0, 39), st.integers(1, 5)),
    final=st.frozensets(st.integers(0, 39)),
)
def test_every_entry_is_either_taken_once_or_named_as_refused(
    limits: Limits, sizes: list[int], refusals: dict[int, int], final: frozenset[int]
) -> None:
    service = Service(refusals, final)

    refused = send(list(range(len(sizes))), sizes, limits, service, lambda seconds: None)

    named = [one.position for one in refused]
    assert sorted(service.taken + named) == list(range(len(sizes)))
    assert all(1 <= len(part) <= limits.entries for part in service.requests)
    for part in service.requests:
        assert len(part) == 1 or sum(sizes[n] for n in part) <= limits.bytes
    assert max(Counter(n for part in service.requests for n in part).values(), default=0) <= 3


@pytest.mark.parametrize("size", [BYTES + 1, 3 * BYTES])
def test_what_is_larger_than_a_request_goes_alone_for_the_service_to_refuse(size: int) -> None:
    service = Service({1: 9}, final=frozenset({1}))

    (refused,) = send([0, 1, 2], [1, size, 1], LIMITS, service, never)

    assert refused.position == 1
    assert service.requests == [[0], [1], [2]]
