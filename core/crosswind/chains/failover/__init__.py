"""The failover chain: a region is left when enough independent evidence says that it fails.

    region.unhealthy -> confirmed -> for each workload: planned -> accepted -> capacity -> shift
                     -> all moved: failover.completed, with the measured recovery time
    region.recovered -> soak -> for each workload: back in steps -> failback.completed

    from crosswind.chains.failover import failover_app
    app.include(failover_app(probe_every=30.0))

| module                      | what is in it                                             |
|-----------------------------|-----------------------------------------------------------|
| evidence                    | what each piece counts for; whether it suffices (pure)    |
| confirm, hysteresis         | hears evidence, waits for more, looks again               |
| alternatives, plan, failback| what could be done, what is safe, what is best (pure)     |
| planning                    | has a plan accepted by the register                       |
| capacity                    | asks for replicas, plans again with what was granted      |
| steps, shift                | moves traffic step by step, judging each (steps is pure)  |
| sweep, branches, conclusion | one branch a workload, their join, and how it all ends    |
| recovery                    | soak, the way back, relapse                               |
| probes                      | synthetic requests and real traffic as evidence           |
"""

from __future__ import annotations

from crosswind.chains.failover.assembly import failover_app
from crosswind.chains.failover.probes import probes_app

__all__ = ["app", "failover_app", "probes_app"]

app = failover_app()
"""The chain with probes every 30 seconds, as the fleet's `probes.every` has it by default."""
