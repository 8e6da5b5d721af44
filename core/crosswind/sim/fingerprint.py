"""What was decided in a simulation, in a form in which two of them can be compared.

Left out is what has no meaning: tokens, versions of items, and the rounds of built-in schedules
that said nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from crosswind.chains.drift import detection
from crosswind.chains.failover import probes
from crosswind.records.identity import RUN

if TYPE_CHECKING:
    from crosswind.sim.simulation import Simulation

_ROUNDS: Final = frozenset(
    f"{function.__module__}:{function.__qualname__}"
    for function in (probes.tick, probes.probe, probes.watch, detection.tick, detection.compare)
)
_MEANINGLESS: Final = frozenset({"versions", "owner", "settled", "relies_on", "changed"})
_PAGE: Final = 1_000


def decided(simulation: Simulation) -> dict[str, dict[str, Any]]:
    """All items of all chains by partition and key, as JSON, as far as the store still has them.

    Raises:
        AttributeError: the store cannot list its partitions.
    """
    found: dict[str, dict[str, Any]] = {}
    for partition in _partitions(simulation):
        items = {
            item.key: _meaning(from_json(item.value))
            for item in simulation.store.scan(partition, "", "", 10_000)
        }
        runs = [item for key, item in items.items() if key.startswith(RUN)]
        if any(run["handler"] not in _ROUNDS for run in runs):
            found[partition] = items
    return found


def digest(simulation: Simulation) -> str:
    """SHA-256 of what was decided, in hex: equal where the same was decided at the same moments."""
    text = json.dumps(decided(simulation), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _partitions(simulation: Simulation) -> Iterator[str]:
    after = ""
    while page := simulation.store.partitions("chain:", after, _PAGE):
        yield from page
        after = page[-1]


def _meaning(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _meaning(its) for key, its in value.items() if key not in _MEANINGLESS}
    if isinstance(value, list):
        return [_meaning(its) for its in value]
    return value
