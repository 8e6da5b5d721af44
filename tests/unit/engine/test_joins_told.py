"""Joins and questions at their edges: late, repeated, and asked from several sides at once."""

from __future__ import annotations

import pytest

from crosswind.errors import RunFailed
from crosswind.ports import Put
from crosswind.records.identity import chain_partition
from crosswind.records.joins import Joins, failed_member, member_key
from crosswind.records.ledger import Ledger

from .races import MeddledStore

CHAIN = "00000000-0000-5000-8000-000000000000"
MEMBERS = ("a", "b")


class Round:
    """The joins of one chain, and the store they are in."""

    def __init__(self) -> None:
        self.now = 100.0
        self.store = MeddledStore()

    def joins(self) -> Joins:
        return Joins(Ledger(self.store, lambda: self.now), CHAIN, lambda: self.now, None)


def test_a_member_that_is_not_expected_is_an_error() -> None:
    with pytest.raises(RunFailed, match="'c' is not among its members"):
        Round().joins().arrive("j", "c", MEMBERS, None, 1)


def test_the_order_in_which_members_are_named_is_of_no_matter() -> None:
    joins = Round().joins()
    assert joins.arrive("j", "a", ("a", "b"), 1, 1) is None
    assert joins.arrive("j", "b", ("b", "a"), 2, 1) is not None


def test_a_member_that_arrives_twice_counts_as_it_came_first() -> None:
    joins = Round().joins()
    joins.arrive("j", "a", MEMBERS, "first", 1)
    joins.arrive("j", "a", MEMBERS, "second", 1)
    decided = joins.arrive("j", "b", MEMBERS, None, 1)
    assert decided is not None
    assert decided.joined.values == {"a": "first", "b": None}


def test_a_join_that_is_complete_is_complete_for_its_timer_too() -> None:
    joins = Round().joins()
    joins.arrive("j", "a", MEMBERS, 1, 2)
    complete = joins.arrive("j", "b", MEMBERS, 2, 3)
    assert joins.close("j", MEMBERS, 9) == complete
    assert complete is not None
    assert (complete.joined.outcome, complete.hop) == ("complete", 3)


def test_who_comes_after_the_timer_obeys_it() -> None:
    joins = Round().joins()
    joins.arrive("j", "a", MEMBERS, 1, 2)
    closed = joins.close("j", MEMBERS, 5)
    assert closed.joined.missing == ("b",)
    assert joins.arrive("j", "b", MEMBERS, 2, 7) == closed


def test_a_member_that_arrives_while_the_timer_decides_obeys_what_won() -> None:
    game = Round()
    joins = game.joins()
    joins.arrive("j", "a", MEMBERS, 1, 2)
    game.store.meddle("write", ":outcome", lambda: joins.close("j", MEMBERS, 5))
    decided = joins.arrive("j", "b", MEMBERS, 2, 3)
    assert decided is not None
    assert decided.joined.outcome == "complete", "for all had arrived when the timer looked"
    assert decided == joins.close("j", MEMBERS, 5)


def test_a_timer_that_decides_while_the_last_member_arrives_obeys_what_won() -> None:
    game = Round()
    joins = game.joins()
    joins.arrive("j", "a", MEMBERS, 1, 2)
    game.store.meddle("write", ":outcome", lambda: joins.arrive("j", "b", MEMBERS, 2, 3))
    assert joins.close("j", MEMBERS, 5).joined.outcome == "complete"


def test_a_member_may_have_failed() -> None:
    game = Round()
    put = Put(member_key("j", "b"), failed_member("j", "b", 4, "no room"))
    game.store.write(chain_partition(CHAIN), [put], "t")
    decided = game.joins().arrive("j", "a", MEMBERS, 1, 2)
    assert decided is not None
    assert (decided.joined.failed, decided.joined.values) == ({"b": "no room"}, {"a": 1})
    assert decided.hop == 4, "the longest way to the join"


def test_a_join_has_the_time_at_which_it_was_decided() -> None:
    game = Round()
    game.joins().close("j", MEMBERS, 1)
    game.now = 900.0
    assert game.joins().close("j", MEMBERS, 1).at == 100.0


def test_a_question_is_answered_by_who_is_first() -> None:
    game = Round()
    assert game.joins().settled("q") is None
    first = game.joins().settle("q", "yes", 1, by="ada", reason="it is time")
    game.now = 900.0
    assert game.joins().settle("q", "no", 2, by="bob") == first
    assert game.joins().settled("q") == first
    assert (first.outcome, first.by, first.reason, first.at) == ("yes", "ada", "it is time", 100.0)


def test_names_of_joins_do_not_run_into_each_other() -> None:
    joins = Round().joins()
    joins.arrive("plan", "a", MEMBERS, 1, 1)
    joins.arrive("plan:m:1", "a", MEMBERS, 1, 1)
    assert joins.arrive("plan", "b", MEMBERS, 2, 1) is not None
