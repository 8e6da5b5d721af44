"""Drills: an outage, or days of random ones, played on a simulated world of one's own fleet.

    drill = FailoverDrill(fleet, "aws/us-east-1", seconds=2400)
    drilled = drill.play()                    # drilled.steps, drilled.verdict, drilled.report
    played = GameDay(fleet, seed=7, days=30).play()
    season = Season((played, ...))            # season.detection, season.saved, season.violations
    Comparison("today", season, "patient", other).measures

Nothing outside is touched: the store is in memory, and every action meets the simulated world.

| module     | what is in it                                                          |
|------------|------------------------------------------------------------------------|
| staff      | who is assumed to answer proposals, and how soon                       |
| watching   | a simulation with all that listens to it: rules, accounts, proposals   |
| narration  | what happened, step by step, in words                                  |
| failover   | one outage of one region                                               |
| gameday    | days of overlapping faults under one seed                              |
| season     | many game days together                                                |
| comparison | the same game days under two policies                                  |
| pages      | all of it as Markdown                                                  |
"""

from __future__ import annotations

from crosswind.drills.comparison import Comparison, Measure
from crosswind.drills.failover import FAILURES, Drilled, FailoverDrill, Failure, acting
from crosswind.drills.gameday import GameDay, Played
from crosswind.drills.season import Season
from crosswind.drills.staff import Staff
from crosswind.drills.watching import Met, Proposal, Watched

__all__ = [
    "FAILURES",
    "Comparison",
    "Drilled",
    "FailoverDrill",
    "Failure",
    "GameDay",
    "Measure",
    "Met",
    "Played",
    "Proposal",
    "Season",
    "Staff",
    "Watched",
    "acting",
]
