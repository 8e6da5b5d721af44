"""The planner: where to move what when regions are lost, for the whole fleet at once.

    problem = survey(fleet, states, known, left={"aws/us-east-1"})
    planned = plan(problem)

Pure functions in plain Python. The failover chain plans with it: see docs/planner.md for the
problem, and docs/adr/0011-a-plan-for-all-travels-as-shares.md for how a plan for all of a region
reaches those who carry it out.

| module              | what is in it                                                       |
|---------------------|---------------------------------------------------------------------|
| problem             | what is planned: needs, options, pools; how plans are compared      |
| survey              | from a fleet, its register and its endpoints to a problem           |
| division            | one workload: how its demand is divided, with how many replicas     |
| wishing, saving     | what is wished of that, and how a budget for egress is kept         |
| packing, aside      | all of them: what they hold together, and how one makes room        |
| heuristic           | the plan for all, in milliseconds                                   |
| exact               | the same by mixed-integer programming; needs `crosswind[planner]`   |
| gap, checking       | how far a plan is from the best; whether it keeps every constraint  |
| sharing, outcome    | what each workload may have; its weights and replicas               |
"""

from __future__ import annotations

from crosswind.planner.heuristic import Planned, plan
from crosswind.planner.problem import Problem, Score
from crosswind.planner.survey import Known, survey

__all__ = ["Known", "Planned", "Problem", "Score", "plan", "survey"]
