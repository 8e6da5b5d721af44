"""Apply: the world and the register converge to a declaration, through the gate.

    fleet.apply_requested -> one question to whoever has to approve; noted in the history
    round by round, for each workload:
        what is there is adopted, where the register holds nothing of it yet
        a plan is accepted, replicas come first, traffic moves in steps, each of them judged
        a step that harms is taken back, and so is all that it needed
    all rounds done -> fleet.applied; a workload that failed ends it with its round

What a failover has in hand stays as it is; see `crosswind.fleet.convergence`.

| module     | what is in it                                                    |
|------------|------------------------------------------------------------------|
| chain      | the app, and the names that its handlers share                   |
| admission  | the question, and the end where it is refused                    |
| rounds     | one branch a workload, their join, the next round, the end       |
| converging | a plan for one workload, accepted, and its replicas              |
| steps      | the shares of each step, and the judgement on it (pure)          |
| stepping   | moves traffic step by step, or takes it back                     |
"""

from __future__ import annotations

from crosswind.chains.apply.assembly import apply_app

__all__ = ["app", "apply_app"]

app = apply_app()
"""The chain, with incidents."""
