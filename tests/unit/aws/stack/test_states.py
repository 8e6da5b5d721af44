"""What each state of a stack means, whoever asks: plan, status and removal have one table."""

from __future__ import annotations

import pytest

from crosswind.stacks.driver import Busy, Stuck
from crosswind_aws.stack import states

BUSY = [
    "CREATE_IN_PROGRESS",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
]


@pytest.mark.parametrize("state", BUSY)
def test_a_stack_that_is_being_changed_is_neither_changed_nor_removed(state: str) -> None:
    with pytest.raises(Busy, match="try again later"):
        states.changeable("crosswind-ops", state)
    with pytest.raises(Busy, match="remove it when that has ended"):
        states.removable("crosswind-ops", state)


def test_a_removal_goes_on_where_one_was_begun() -> None:
    states.removable("crosswind-ops", "DELETE_IN_PROGRESS")
    with pytest.raises(Busy):
        states.changeable("crosswind-ops", "DELETE_IN_PROGRESS")


@pytest.mark.parametrize("state", sorted(states.STUCK))
def test_a_stack_that_is_stuck_can_be_removed_and_a_change_says_what_to_do(state: str) -> None:
    states.removable("crosswind-ops", state)
    with pytest.raises(Stuck, match=r"crosswind stack remove|--stack-name crosswind-ops"):
        states.changeable("crosswind-ops", state)


@pytest.mark.parametrize("state", sorted(states.EMPTY))
def test_a_stack_that_never_was_stands_in_nobodys_way(state: str) -> None:
    assert not states.is_changing(state)
    states.changeable("crosswind-ops", state)
    states.removable("crosswind-ops", state)


@pytest.mark.parametrize("state", ["UPDATE_ROLLBACK_COMPLETE", "CREATE_COMPLETE"])
def test_a_stack_whose_change_was_taken_back_stands_as_well_as_one_that_was_made(
    state: str,
) -> None:
    assert states.is_well(state)
    states.changeable("crosswind-ops", state)


def test_every_end_is_of_one_kind() -> None:
    kinds = [states.MADE, states.TAKEN_BACK, set(states.STUCK)]
    assert sum(map(len, kinds)) == len(states.ENDS)
