"""Fleets as they were declared when something was decided."""

from __future__ import annotations

import zlib
from base64 import b64decode
from collections.abc import Iterable

from pydantic_core import from_json

from crosswind.errors import CrosswindError
from crosswind.fleet.declaration import Fleet
from crosswind.journal.chain import Chain
from crosswind.records.ledger import Ledger


class NoSuchFleet(CrosswindError, LookupError):
    """The declaration of a fleet that a run names is not in the store."""


def digests(chain: Chain) -> frozenset[str]:
    """The digests of the fleets under which the runs of a chain decided."""
    return frozenset(
        str(entry.result)
        for run in chain.runs
        for entry in run.record.log
        if entry.kind == "fleet" and entry.done
    )


def declared_as(ledger: Ledger, digest: str, partitions: Iterable[str]) -> Fleet:
    """The fleet with this digest, from one of these partitions of fleets.

    Raises:
        NoSuchFleet: none of them holds it.
    """
    for partition in partitions:
        item = ledger.read(partition, f"declared:{digest}")
        if item is not None:
            text = zlib.decompress(b64decode(from_json(item.value)["zlib"]))
            return Fleet.model_validate_json(text)
    raise NoSuchFleet(f"the fleet that was declared as {digest:.12} is not in the store")
