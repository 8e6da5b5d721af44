"""`crosswind trace`: one chain, step by step, with evidence and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crosswind.cli.completing import complete_chain
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.journal.chain import Chain


@click.command(
    cls=Teaching,
    examples=[
        ("The latest chain", "crosswind trace"),
        ("Another one, by the beginning of its id", "crosswind trace CHAIN"),
        ("With everything that was seen, in full", "crosswind trace CHAIN --full"),
        ("For programs", "crosswind trace --json"),
    ],
)
@click.argument("chain", required=False, shell_complete=complete_chain)
@click.option("--full", is_flag=True, help="Show all that was observed, and nothing shortened.")
@works_with("app", "data")
def trace(session: Session, chain: str | None, full: bool) -> None:
    """Show a chain as a tree of causes: what came in, who worked it, what they saw, did and said.

    Without CHAIN the latest. Times count from when the chain was opened. Each run shows what it
    observed, each action with its mode, its stable key and its result, each decision with the
    alternatives that were weighed and why they were not chosen.
    """
    from crosswind.cli.traceview import view
    from crosswind.journal.trace import trace as build

    found = build(read(session, chain), session.app, session.clock())
    session.output.document(found.as_json())
    session.output.show(*view(found, session.app, full=full))


def read(session: Session, chain: str | None) -> Chain:
    """The chain whose id begins like this; the latest for None."""
    from crosswind.journal.chain import read_chain
    from crosswind.journal.listing import NoSuchChain, find_chain, latest

    now = session.clock()
    ledger = session.ledger
    name = latest(ledger, now) if chain is None else find_chain(ledger, chain, now)
    found = read_chain(session.ledger, name)
    if found is None:
        raise NoSuchChain(f"chain {name} is listed, and its first run has not been written yet")
    return found
