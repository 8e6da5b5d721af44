"""What people do meanwhile, through calls that may fail as those of workers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crosswind.engine.approvals import Approvals, NoSuchProposal
from crosswind.engine.dispatch import Engine
from crosswind.engine.redrive import NotRedrivable, Redrive
from crosswind.errors import CrosswindError
from crosswind.gate.brakes import BrakeLever
from integration.proof.plans import WAITS

if TYPE_CHECKING:
    from integration.proof.director import Director

PERSON: Final = "pat"


def intervene(director: Director, kind: str, pick: int) -> None:
    """Freeze or thaw, answer a proposal, redrive a run that has failed, or insist on that."""
    engine, fleet = director.engine(director.person), director.scenario.fleet
    try:
        match kind:
            case "freeze" | "thaw" if fleet is not None:
                lever = BrakeLever(engine.ledger, fleet.name, engine.clock)
                if kind == "freeze":
                    lever.freeze(PERSON, "trouble", WAITS[pick % len(WAITS)])
                else:
                    lever.thaw()
            case "approve" | "reject":
                _answer(director, engine, kind, pick)
            case "redrive":
                _redrive(director, engine, pick, {"failed", "redriven"})
            case "insist":
                _redrive(director, engine, pick, {"redriven"})
    except (NotRedrivable, NoSuchProposal) as refused:
        director.tell(f"{PERSON} is told: {refused}")
    except CrosswindError as error:
        director.tell(f"{PERSON} is told to try again: {error}")


def _answer(director: Director, engine: Engine, kind: str, pick: int) -> None:
    approvals = Approvals(engine.app, engine.runtime, engine.outbox.bus)
    chains = sorted({record.chain for _, record in director.witness.records()})
    waiting = [proposal for chain in chains for proposal in approvals.waiting(chain)]
    if waiting:
        one = waiting[pick % len(waiting)]
        outcome = approvals.answer(
            one.chain, one.approval, "granted" if kind == "approve" else "rejected", PERSON
        )
        director.tell(f"{PERSON} answers a proposal: {outcome.outcome}")


def _redrive(director: Director, engine: Engine, pick: int, states: set[str]) -> None:
    failed = sorted(
        (record.chain, record.run)
        for _, record in director.witness.records()
        if record.state in states
    )
    if failed:
        chain, run = failed[pick % len(failed)]
        director.tell(f"{PERSON} redrives run {run}")
        bus = engine.outbox.bus
        Redrive(engine.app, engine.runtime, bus, engine.runs.flights).run(chain, run)
