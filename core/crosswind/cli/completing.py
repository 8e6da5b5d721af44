"""Values that the shell completes: event types, and chains that are recorded."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

_MOST = 50


def complete_type(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Event types of the built-in catalogue, by their short names."""
    from crosswind.graph.model import short
    from crosswind_events import CATALOGUE

    names = [short(data.event_type) for data in CATALOGUE]
    full = [data.event_type for data in CATALOGUE]
    return [name for name in (*names, *full) if name.startswith(incomplete)][:_MOST]


def complete_chain(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Chains of the last week, the newest first, each with what it is about."""
    import time

    from crosswind.cli.data import DATA
    from crosswind.embedded.sqlite_store import SqliteStore
    from crosswind.errors import CrosswindError
    from crosswind.graph.model import short
    from crosswind.journal.listing import list_chains
    from crosswind.records.ledger import Ledger

    data = Path(str(ctx.params.get("data") or os.environ.get("CROSSWIND_DATA") or DATA))
    if not data.is_file():  # nor is a deployed stack, which is not asked while somebody types
        return []
    try:
        with SqliteStore(data) as store:
            listed = list_chains(Ledger(store, time.time), time.time(), 7 * 86_400.0, ticks=False)
    except CrosswindError:
        return []  # a completion that cannot be made is no reason to say anything
    return [
        CompletionItem(one.chain, help=f"{short(one.type)} {one.subject or ''}".strip())
        for one in listed
        if one.chain.startswith(incomplete)
    ][:_MOST]
