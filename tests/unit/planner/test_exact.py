"""The exact solution, and how near the heuristic comes to it."""

from __future__ import annotations

import sys
from random import Random

import pytest

from bench.outages import outage
from crosswind.errors import CrosswindError
from crosswind.planner.checking import broken
from crosswind.planner.exact import SolverMissing, solve
from crosswind.planner.gap import gap
from crosswind.planner.heuristic import plan
from crosswind.planner.problem import Problem
from crosswind.planner.survey import survey
from unit.planner.problems import best_of_all, need, option, pools
from unit.planner.test_heuristic import small


def random_problem(seed: int, regions: int = 6, workloads: int = 8) -> Problem:
    case = outage(seed, regions, workloads, Random(seed).choice((0.05, 0.1, 0.3, None)))
    return survey(case.fleet, case.states, case.known, case.left)


def test_without_the_library_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(SolverMissing, match=r"pip install 'crosswind\[planner\]'") as raised:
        solve(Problem([], []))
    assert isinstance(raised.value, CrosswindError | ImportError)


class TestWithTheSolver:
    """Needs `crosswind[planner]`."""

    @pytest.fixture(autouse=True)
    def _solver(self) -> None:
        pytest.importorskip("highspy", reason="the exact planner is an extra")

    def test_it_finds_what_trying_every_plan_finds(self) -> None:
        for seed in range(60):
            problem = small(Random(seed))
            found, best = solve(problem), best_of_all(problem)
            assert found.proven
            assert found.score.stranded == best.stranded
            assert found.score.damage == pytest.approx(best.damage, abs=1e-3)
            assert found.score.money == pytest.approx(best.money, abs=0.05)

    def test_it_solves_the_heuristic_s_problem_with_wishes_and_budgets(self) -> None:
        options = [
            option("a", price=1, carry=1.0, soaking=True),
            option("b", 2, price=2, carry=0.1),
            option("c", price=4, carry=0.1, pool=0),
        ]
        problem = Problem([need("w", 50, options, budget=20.0, max_share=30.0)], pools(c=1))
        assert gap(problem, plan(problem).score, solve(problem).score).money == pytest.approx(0)
        assert not list(broken(problem, solve(problem).divisions))

    def test_no_plan_is_left_out_where_one_exists_and_none_is_far_from_the_best(self) -> None:
        damages, costs = [], []
        for seed in range(250):
            problem = random_problem(seed)
            found, best = plan(problem), solve(problem)
            assert not list(broken(problem, found.divisions)), seed
            assert not list(broken(problem, best.divisions)), seed
            missed = gap(problem, found.score, best.score)
            if not any(best.score.stranded):
                assert not any(found.score.stranded), seed
            damages.append(missed.damage or 0.0)
            costs.append(missed.money or 0.0)
        for gaps in (sorted(damages), sorted(costs)):
            assert gaps[len(gaps) // 2] <= 0.01
            assert gaps[int(len(gaps) * 0.99)] <= 0.05
