"""Where an event is worked: in its own chain, or in the one that it has joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crosswind.engine.flights import Role
from crosswind.records.identity import CHAIN_ID, RUN, chain_id, chain_partition, run_key, safe
from crosswind.records.ledger import Ledger
from crosswind.records.record import Record

if TYPE_CHECKING:
    from crosswind.handlers import Handler
    from crosswind_events import Event


def chain_of(ledger: Ledger, event: Event[Any], handler: Handler | None = None) -> str:
    """The chain in which an event is worked by a handler, as far as that is decided."""
    joined = event.extensions.get("correlationid")
    if "hop" in event.extensions and isinstance(joined, str) and CHAIN_ID.fullmatch(joined):
        return joined
    own = chain_id(event.source, event.id)
    if handler is not None and handler.flight is not None:
        item = ledger.read(chain_partition(own), "role:" + safe(handler.flight.name))
        role = None if item is None else Role.decode(item.value)
        if role is not None and role.joined is not None:
            return role.joined
    return own


def run_of(ledger: Ledger, event: Event[Any], handler: Handler) -> Record | None:
    """The run of a handler for an event, where it is written."""
    chain = chain_of(ledger, event, handler)
    return read_run(ledger, chain, run_key(handler.key_name, event.source, event.id))


def read_run(ledger: Ledger, chain: str, run: str) -> Record | None:
    """One run of a chain."""
    if not CHAIN_ID.fullmatch(chain):
        return None
    item = ledger.read(chain_partition(chain), RUN + run)
    return None if item is None else Record.decode(item.value)
