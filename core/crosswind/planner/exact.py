"""The exact solution of the heuristic's problem, by mixed-integer programming: the yardstick.

It solves the same `Problem` with the same constraints, and compares plans in the same order, the
`Score`: one level after the other is minimised, and held while the next one is. Replicas and
whether a workload is planned are integers; requests per second, and with them the weights, are
continuous, nothing is made discrete. With, for each workload w and option r,

    z_w in {0, 1}               it gets a plan
    a_wr in {0 .. most_wr}      further replicas
    f, y, o >= 0                requests/s that go there: served by replicas that serve now, by
                                those that have to start, by none

    f_wr <= free_wr             y_wr <= idle_wr + unit_w a_wr          a_wr <= most_wr z_w
    sum_r f + y + o = moving_w z_w
    sum_r f + y >= floor_w z_w
    sum_r carry_wr (f + y + o) <= budget_w z_w          where it has one
    sum_wr takes_wrp a_wr <= room_p                     for each pool p

it minimises in turn the stranded workloads `sum (1 - z_w)`, weighed so that one of a tier counts
more than all of the lower tiers; the damage of each tier,
`sum_r soon f + late y + o + moving_w (1 - z_w)`; what goes against wishes, by a variable above each
excess; and the money, `sum price a + carry (f + y + o)`.

Needs `highspy`, the official binding of HiGHS (https://highs.dev, MIT licence), which is loaded
when `solve` is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import inf
from typing import Any, Final

from crosswind.errors import CrosswindError
from crosswind.planner.division import Divider, Work
from crosswind.planner.problem import LATE, TIERS, Division, Need, Problem, Score, score

_SLACK: Final = 1e-6
"""By how much a level may be worse than its best while the next one is minimised, as a share of all
demand: the solver's own tolerance, for it keeps each constraint to about that."""


class SolverMissing(CrosswindError, ImportError):
    """The library of the exact solver is not installed."""


class NotSolved(CrosswindError, RuntimeError):
    """The solver has found no plan in its time."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The best plan.

    Attributes:
        proven: whether every level was solved to its end within the time.
    """

    divisions: Sequence[Division]
    score: Score
    proven: bool


def solve(problem: Problem, seconds: float = 30.0) -> Solved:
    """The best plan for all workloads of a problem.

    Args:
        seconds: that each level of the objective may take.

    Raises:
        SolverMissing: highspy is not installed.
        NotSolved: not even a plan that could be improved was found in the time.
    """
    return _Model(problem, _highs(), seconds).solve()


def _highs() -> Any:
    """The library; any other error of its import passes through."""
    try:
        return import_module("highspy")
    except ModuleNotFoundError as error:
        if error.name != "highspy":
            raise
        raise SolverMissing(
            "the exact planner needs HiGHS; install it with `pip install 'crosswind[planner]'`"
        ) from error


class _Columns:
    """The variables of one workload, by number."""

    def __init__(self, planned: int, replicas: list[int], ways: list[tuple[int, int, int]]) -> None:
        self.planned = planned
        self.replicas = replicas
        self.ways = ways  # by option: served soon, served late, not served


class _Model:
    def __init__(self, problem: Problem, highs: Any, seconds: float) -> None:
        self.problem = problem
        self.kinds = highs
        self.model = highs.Highs()
        self.model.setOptionValue("output_flag", False)
        self.model.setOptionValue("mip_rel_gap", 0.0)
        self.model.setOptionValue("mip_abs_gap", _SLACK)
        self.model.setOptionValue("time_limit", seconds)
        self.model.setOptionValue("threads", 1)
        self.slack = _SLACK * max(1.0, sum(need.rate for need in problem.needs))
        self.count = 0
        self.wishes: dict[int, float] = {}
        self.columns = [self._workload(need) for need in problem.needs]
        self._pools()

    def solve(self) -> Solved:
        proven = True
        values: list[float] = []
        for level in self._levels():
            if level:
                values, best, done = self._minimise(level)
                proven = proven and done
                self._row(level, -inf, best + self.slack)
        divisions = [
            self._division(need, columns, values)
            for need, columns in zip(self.problem.needs, self.columns, strict=True)
        ]
        return Solved(divisions, score(self.problem, divisions), proven)

    def _column(self, upper: float, whole: bool = False) -> int:
        number = self.count
        self.count += 1
        self.model.addVar(0.0, upper)
        if whole:
            self.model.changeColIntegrality(number, self.kinds.HighsVarType.kInteger)
        return number

    def _row(self, terms: Mapping[int, float], lower: float, upper: float) -> None:
        used = {column: factor for column, factor in terms.items() if factor}
        bound = self.kinds.kHighsInf
        self.model.addRow(
            -bound if lower == -inf else lower,
            bound if upper == inf else upper,
            len(used),
            list(used),
            list(used.values()),
        )

    def _workload(self, need: Need) -> _Columns:
        planned = self._column(1, whole=True)
        replicas, ways = [], []
        for one in need.options:
            count = self._column(one.most, whole=True)
            way = (self._column(one.free), self._column(inf), self._column(inf))
            self._row({count: 1.0, planned: -float(one.most)}, -inf, 0.0)
            self._row({way[1]: 1.0, count: -need.unit}, -inf, one.idle)
            replicas.append(count)
            ways.append(way)
        columns = _Columns(planned, replicas, ways)
        everything = {column: 1.0 for way in ways for column in way}
        served = {column: 1.0 for way in ways for column in way[:2]}
        self._row({**everything, planned: -need.moving}, 0.0, 0.0)
        self._row({**served, planned: -need.floor}, 0.0, inf)
        if need.budget is not None:
            sent = {
                column: one.carry
                for one, way in zip(need.options, ways, strict=True)
                for column in way
            }
            self._row({**sent, planned: -need.budget}, -inf, 0.0)
        self._wish(need, columns)
        return columns

    def _wish(self, need: Need, columns: _Columns) -> None:
        """A variable for each excess over what is wished, at the price of one."""
        kept: dict[str, float] = {}
        crowd: dict[str, list[int]] = {}
        for stay in need.stays:
            for domain in stay.domains:
                kept[domain] = kept.get(domain, 0.0) + stay.keep
        for one, way in zip(need.options, columns.ways, strict=True):
            if one.soaking:
                self._excess(way, one.before - one.keep)
            if need.max_share < need.rate:
                self._excess(way, need.max_share - one.keep)
            for domain in one.domains:
                kept[domain] = kept.get(domain, 0.0) + one.keep
                crowd.setdefault(domain, []).extend(way)
        if need.max_domain < need.rate:
            for domain, there in crowd.items():
                self._excess(there, need.max_domain - kept[domain])

    def _excess(self, columns: Iterable[int], limit: float) -> None:
        excess = self._column(inf)
        self.wishes[excess] = 1.0
        self._row({**dict.fromkeys(columns, 1.0), excess: -1.0}, -inf, max(0.0, limit))

    def _pools(self) -> None:
        taken: list[dict[int, float]] = [{} for _ in self.problem.pools]
        for need, columns in zip(self.problem.needs, self.columns, strict=True):
            for one, count in zip(need.options, columns.replicas, strict=True):
                for pool, units in one.pools:
                    taken[pool][count] = float(units)
        for shared, terms in zip(self.problem.pools, taken, strict=True):
            self._row(terms, -inf, shared.room)

    def _levels(self) -> Iterable[dict[int, float]]:
        """What is minimised, one level after the other."""
        stranded: dict[int, float] = {}
        damage: list[dict[int, float]] = [{} for _ in range(TIERS)]
        money: dict[int, float] = {}
        many = len(self.problem.needs) + 1
        for need, columns in zip(self.problem.needs, self.columns, strict=True):
            stranded[columns.planned] = -float(many ** (TIERS - 1 - need.tier))
            harm = damage[need.tier]
            harm[columns.planned] = -need.moving
            for one, count, way in zip(need.options, columns.replicas, columns.ways, strict=True):
                harm[way[0]] = LATE if one.slow else 0.0
                harm[way[1]] = LATE + (1 - LATE) * need.start if one.slow else need.start
                harm[way[2]] = 1.0
                money[count] = one.price
                money.update(dict.fromkeys(way, one.carry))
        return (stranded, *damage, self.wishes, money)

    def _minimise(self, level: Mapping[int, float]) -> tuple[list[float], float, bool]:
        costs = [level.get(column, 0.0) for column in range(self.count)]
        self.model.changeColsCost(self.count, list(range(self.count)), costs)
        self.model.run()
        status = self.model.getModelStatus()
        done = status == self.kinds.HighsModelStatus.kOptimal
        values = list(self.model.getSolution().col_value)
        known = self.model.getInfo().primal_solution_status
        if not done and known != self.kinds.SolutionStatus.kSolutionStatusFeasible:
            raise NotSolved(f"no plan was found: {self.model.modelStatusToString(status)}")
        return values, sum(c * v for c, v in zip(costs, values, strict=True)), done

    def _division(self, need: Need, columns: _Columns, values: Sequence[float]) -> Division:
        divider = Divider(need, Work())
        if values[columns.planned] < 0.5:
            return divider.stranded()
        return divider.weighed(
            [round(values[count]) for count in columns.replicas],
            [values[soon] + values[late] for soon, late, _ in columns.ways],
            [values[over] for _, _, over in columns.ways],
        )
