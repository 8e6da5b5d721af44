"""Draws have names: what is drawn under one does not depend on what was drawn under others."""

from __future__ import annotations

from statistics import fmean, median

from hypothesis import given
from hypothesis import strategies as st

from crosswind.sim import Draws

NAMES = st.lists(st.one_of(st.text(max_size=8), st.integers(), st.floats(allow_nan=False)))


@given(st.integers(), NAMES)
def test_the_same_seed_and_names_give_the_same_number(seed: int, names: list[object]) -> None:
    assert Draws(seed).uniform(*names) == Draws(seed).uniform(*names)


@given(st.integers(), st.integers(), st.text(max_size=8))
def test_another_seed_gives_another_number(one: int, other: int, name: str) -> None:
    assert (Draws(one).uniform(name) == Draws(other).uniform(name)) == (one == other)


def test_what_is_drawn_meanwhile_changes_nothing() -> None:
    draws = Draws(1)
    before = draws.uniform("probe", "a")
    for number in range(100):
        draws.uniform("another", number)
    assert draws.uniform("probe", "a") == before


def test_a_branch_is_a_family_of_its_own() -> None:
    draws = Draws(1)
    assert draws.branch("a").uniform("x") != draws.branch("b").uniform("x")
    assert draws.branch("a").uniform("x") == Draws(1).branch("a").uniform("x")


def test_numbers_are_known_in_advance() -> None:
    # Pinned: plans and results that people have kept must stay reproducible.
    assert Draws("world", 7).uniform("probe", 1.5) == 0.4122131408673907


@given(st.floats(0, 1), st.text(max_size=8))
def test_nothing_happens_at_no_chance_and_everything_at_full_chance(
    share: float, name: str
) -> None:
    draws = Draws(1)
    assert not draws.chance(0.0, name)
    assert draws.chance(1.0, name)
    assert draws.chance(share, name) == draws.chance(share, name)


def test_distributions_have_the_middle_that_they_say() -> None:
    draws = Draws(1)
    many = range(4_000)
    assert 0.48 < fmean(draws.uniform("u", n) for n in many) < 0.52
    assert abs(fmean(draws.normal("n", n) for n in many)) < 0.05
    assert 28 < median(draws.lognormal(30, 1.0, "l", n) for n in many) < 32
    assert 55 < fmean(draws.exponential(60, "e", n) for n in many) < 65
    assert all(2 <= draws.between(2, 3, "b", n) < 3 for n in many)


def test_streams_are_sequences_that_others_do_not_disturb() -> None:
    stream = Draws(1).stream("arrivals")
    again = Draws(1).stream("arrivals")
    Draws(1).stream("others").random()
    assert [stream.random() for _ in range(5)] == [again.random() for _ in range(5)]
