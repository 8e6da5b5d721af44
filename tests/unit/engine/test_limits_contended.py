"""Limits are counted across chains that meet at the counters, each action once a window."""

from __future__ import annotations

import pytest

from crosswind.errors import Returned
from crosswind.fleet.declaration import Fleet
from crosswind.gate.brakes import fleet_partition
from crosswind.gate.limits import Excess, Limits
from crosswind.records.ledger import Ledger

from .races import MeddledStore
from .world import fleet

PER = 3_600.0
SHARE = {"limit": "traffic-share", "per": PER, "most": 0.5}


class Counters:
    """The limits of a fleet, the store they are counted in, and a clock."""

    def __init__(self, *limits: dict[str, object]) -> None:
        self.now = 1_800_000_000.0
        self.paused: list[float] = []
        self.store = MeddledStore()
        self.fleet: Fleet = fleet(limits=list(limits))
        self.limits = Limits(
            Ledger(self.store, lambda: self.now), lambda: self.now, self.paused.append
        )

    def count(
        self, key: str, share: float, workload: str | None = "chat", *, force: bool = False
    ) -> Excess | None:
        effects = {"traffic-share": share}
        return self.limits.count(self.fleet, workload, effects, key, force=force)


def test_shares_add_up_to_the_limit_and_not_beyond() -> None:
    counters = Counters(SHARE)
    assert [counters.count(str(n), 0.1) for n in range(5)] == [None] * 5
    excess = counters.count("5", 0.1)
    assert excess is not None
    assert str(excess) == "traffic-share: 0.5 of 0.5 in 3600 s are used, 0.1 more asked"


def test_what_would_pass_a_limit_is_not_counted() -> None:
    counters = Counters(SHARE)
    assert counters.count("a", 0.6) is not None
    assert counters.count("b", 0.5) is None


def test_a_repeated_action_finds_its_use() -> None:
    counters = Counters(SHARE)
    assert [counters.count("a", 0.4) for _ in range(3)] == [None] * 3


def test_a_window_begins_anew() -> None:
    counters = Counters(SHARE)
    counters.count("a", 0.5)
    counters.now += PER
    assert counters.count("b", 0.5) is None


def test_what_a_person_has_approved_is_counted_beyond_the_limit() -> None:
    counters = Counters(SHARE)
    assert counters.count("a", 0.9, force=True) is None
    excess = counters.count("b", 0.1)
    assert excess is not None
    assert excess.used == 0.9


def test_a_limit_of_one_workload_is_not_used_by_others() -> None:
    counters = Counters({**SHARE, "workload": "chat"})
    assert counters.count("a", 0.9, "other") is None
    assert counters.count("b", 0.5, "chat") is None
    assert counters.count("c", 0.1, "chat") is not None


def test_an_action_is_held_to_every_limit_that_it_uses_in_one_write() -> None:
    counters = Counters(SHARE, {**SHARE, "per": 60, "most": 0.2})
    assert counters.count("a", 0.2) is None
    assert counters.store.writes == 1
    excess = counters.count("b", 0.2)
    assert excess is not None
    assert excess.per == 60


def test_what_uses_no_limit_costs_nothing() -> None:
    counters = Counters(SHARE)
    assert counters.limits.count(counters.fleet, "chat", {"regions-off": 1.0}, "a") is None
    assert (counters.store.reads, counters.store.writes) == (0, 0)


def test_two_chains_that_meet_at_a_counter_are_both_counted() -> None:
    counters = Counters(SHARE)
    counters.store.meddle("write", "count:", lambda: counters.count("other", 0.3))
    assert counters.count("mine", 0.3) is not None, "the other was first, and both are too much"
    assert counters.count("mine", 0.2) is None


def test_a_counter_that_moved_is_read_again_after_a_pause() -> None:
    counters = Counters(SHARE)
    counters.store.meddle("write", "count:", lambda: counters.count("other", 0.1))
    assert counters.count("mine", 0.1) is None
    (pause,) = counters.paused
    assert 0 <= pause <= 0.01


def test_a_counter_that_is_never_at_rest_returns_the_delivery() -> None:
    counters = Counters(SHARE)
    counters.count("first", 0.01)
    partition = fleet_partition("test")
    (item,) = counters.store.scan(partition, "count:")
    counters.store.meddle(
        "write", "count:", lambda: counters.store.touch(partition, item.key), times=99
    )
    with pytest.raises(Returned, match="the limits are contended"):
        counters.count("mine", 0.1)
    assert counters.store.scan(partition, "use:")[0].key.endswith("first")
