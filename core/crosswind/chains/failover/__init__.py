"""The failover chain: a region is left when enough independent evidence says that it fails.

    region.unhealthy -> confirmed -> for each workload: planned -> accepted -> capacity -> shift
                     -> all moved: failover.completed, with the measured recovery time
    region.recovered -> soak -> for each workload: back in steps -> failback.completed

    from crosswind.chains.failover import failover_app
    app.include(failover_app(probe_every=30.0))

| module                      | what is in it                                             |
|-----------------------------|-----------------------------------------------------------|
| words, weighing, evidence   | which words stand, what each counts for, whether they     |
|                             | suffice (pure)                                            |
| traffic                     | real traffic held against what was promised (pure)        |
| confirm, hysteresis         | hears evidence, waits for more, looks once more           |
| probes, vantages            | synthetic requests and real traffic as evidence; who sees |
|                             | nothing at all                                            |
| situation, measures         | what a plan is made from, and what it amounts to (pure)   |
| alternatives, plan, failback| what could be done, what is safe, what is best (pure)     |
| reasons                     | what is said of what was chosen and what was not (pure)   |
| planning                    | has a plan accepted by the register                       |
| capacity                    | asks for replicas, plans again with what was granted      |
| steps, shift                | moves traffic step by step, judging each (steps is pure)  |
| sweep, branches, conclusion | one branch a workload, their join, and how it all ends    |
| recovery                    | soak, the way back, relapse                               |
"""

from __future__ import annotations

from crosswind.chains.failover.assembly import failover_app
from crosswind.chains.failover.evidence import Verdict, failing, recovered
from crosswind.chains.failover.probes import probes_app

__all__ = ["Verdict", "app", "failing", "failover_app", "probes_app", "recovered"]

app = failover_app()
"""The chain with probes every 30 seconds, as the fleet's `probes.every` has it by default."""
