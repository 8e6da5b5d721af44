"""Replicas, quota and rate of one region."""

from __future__ import annotations

from math import inf

import pytest

from crosswind.world.capacity import LOAD_SECONDS, Bucket, Endpoint, Grant, Replicas, Site


def site(chat: int = 4, search: int = 2, quota: int = 12) -> Site:
    return Site(
        {"chat": chat, "search": search}, quota=quota, rate=10.0, ready_at=0.0, start_seconds=5.0
    )


def test_replicas_serve_only_when_they_have_started() -> None:
    replicas = Replicas(2, ready_at=0.0)
    replicas.resize(5, now=100.0, start_seconds=10.0)
    assert (replicas.ready(109.9), replicas.starting(109.9)) == (2, 3)
    assert (replicas.ready(110.0), replicas.starting(110.0)) == (5, 0)


def test_those_that_still_start_are_taken_away_first() -> None:
    replicas = Replicas(2, ready_at=0.0)
    replicas.resize(5, now=100.0, start_seconds=10.0)
    replicas.resize(3, now=101.0, start_seconds=10.0)
    assert (replicas.ready(102.0), replicas.starting(102.0)) == (2, 1)
    replicas.resize(0, now=103.0, start_seconds=10.0)
    assert len(replicas) == 0


def test_asking_for_what_is_there_starts_nothing() -> None:
    replicas = Replicas(3, ready_at=0.0)
    replicas.resize(3, now=100.0, start_seconds=10.0)
    assert replicas.starting(100.0) == 0


def test_what_the_quota_allows_is_granted_without_a_reason() -> None:
    assert site().decide("chat", 10) == Grant(requested=10, granted=10, reason="")


def test_beyond_the_quota_a_part_is_granted_and_the_reason_said() -> None:
    grant = site().decide("chat", 11)
    assert (grant.requested, grant.granted) == (11, 10)
    assert grant.reason == "the quota is 12 replicas, 2 of them held by other workloads"


def test_a_decision_changes_nothing_until_it_is_applied() -> None:
    region = site()
    region.decide("chat", 10)
    assert len(region.endpoints["chat"].replicas) == 4
    region.resize("chat", 10, now=1.0)
    assert len(region.endpoints["chat"].replicas) == 10
    assert region.decide("search", 5).granted == 2


def test_replicas_given_back_can_be_granted_to_another_workload() -> None:
    region = site()
    region.resize("chat", 0, now=1.0)
    assert region.decide("search", 12).granted == 12


def test_a_region_does_not_begin_beyond_its_quota() -> None:
    with pytest.raises(ValueError, match="6 replicas exceed the quota of 5"):
        site(quota=5)


def test_a_workload_that_is_not_served_has_no_endpoint() -> None:
    with pytest.raises(KeyError):
        site().decide("paint", 1)


def served(endpoint: Endpoint, rate: int, seconds: float, begin: float = 0.0) -> int:
    """Requests served of those that arrive evenly at a rate."""
    count = int(rate * seconds)
    return sum(endpoint.admit(begin + number / rate) for number in range(count))


def test_an_endpoint_serves_replicas_times_rate_and_refuses_the_rest() -> None:
    endpoint = Endpoint(Replicas(4, ready_at=0.0), rate=10.0)
    assert served(endpoint, rate=40, seconds=10) == 400
    assert served(endpoint, rate=80, seconds=10, begin=10.0) == pytest.approx(400, abs=11)


def test_capacity_grows_when_replicas_become_ready() -> None:
    endpoint = Endpoint(Replicas(2, ready_at=0.0), rate=10.0)
    endpoint.replicas.resize(4, now=0.0, start_seconds=10.0)
    assert endpoint.capacity(9.9) == 20
    assert endpoint.capacity(10.0) == 40


def test_an_endpoint_without_ready_replicas_serves_nothing() -> None:
    endpoint = Endpoint(Replicas(4, ready_at=100.0), rate=10.0)
    assert served(endpoint, rate=10, seconds=5) == 0
    assert endpoint.admit(101.0)


def test_idle_time_is_not_saved_up_beyond_a_short_burst() -> None:
    bucket = Bucket()
    bucket.take(40.0, now=0.0)
    assert sum(bucket.take(40.0, now=1000.0) for _ in range(100)) == 10


def test_a_slow_replica_still_serves_one_request_at_a_time() -> None:
    bucket = Bucket()
    assert bucket.take(0.5, now=0.0)
    assert not bucket.take(0.5, now=1.9)
    assert bucket.take(0.5, now=2.0)


def test_the_wait_for_a_token_is_told_exactly() -> None:
    bucket = Bucket()
    bucket.take(0.5, now=0.0)
    bucket.take(0.5, now=0.5)
    assert bucket.wait(0.5) == 1.5
    assert bucket.wait(0.0) == inf


def test_load_counts_what_arrived_lately_refused_or_not() -> None:
    endpoint = Endpoint(Replicas(1, ready_at=0.0), rate=1.0)
    for number in range(100):
        endpoint.admit(number / 100)
    assert endpoint.load(1.0) == pytest.approx(100 / LOAD_SECONDS)
    assert endpoint.load(1.0 + LOAD_SECONDS) == 0
