"""Where the workloads of a region are intended to be, all of them in one reading.

What is intended for one is most often what is declared, and one answer has to fit in a journal even
where a thousand were moved. So only those that are elsewhere are told, in short.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from crosswind.actions import Answer, Query
from crosswind.fleet import keys
from crosswind.fleet.state import workload_state
from crosswind_events import Region

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.ports import Store

_PAGE: Final = 200
_DIGITS: Final = 9

Row = tuple[int, float, int]
"""The number of a region, the share that is intended for it, and the replicas."""


class Placements(Answer):
    """What is intended for workloads, where it is not what is declared.

    Attributes:
        regions: to which the numbers in the rows refer.
        rows: by workload, each region that is to have a share or replicas of it.
    """

    regions: tuple[Region, ...] = ()
    rows: Mapping[str, tuple[Row, ...]] = {}

    def of(self, fleet: Fleet, workload: str) -> tuple[Mapping[str, float], Mapping[str, int]]:
        """Shares and replicas by region of one workload: as told, or else as declared."""
        rows = self.rows.get(workload)
        if rows is None:
            spec = fleet.workloads[workload]
            return spec.weights, spec.replicas
        weights = {self.regions[number]: share for number, share, _ in rows}
        return weights, {self.regions[number]: replicas for number, _, replicas in rows}


class ReadPlacements(Query[Placements], kind="register.placements"):
    """Which workloads declared in a region are intended to be elsewhere than declared."""

    region: Region


def read_placements(store: Store, partition: str, fleet: Fleet, region: str) -> Placements:
    """Look through all workloads of which the register holds anything.

    Raises:
        Throttled, Unreachable: the store could not be read; try again.
    """
    numbers: dict[str, int] = {}
    rows: dict[str, tuple[Row, ...]] = {}
    declared = frozenset(fleet.workloads_in(region))
    for name, value in _items(store, partition):
        if name not in declared:
            continue
        state, spec = workload_state(fleet, name, value), fleet.workloads[name]
        if state.weights == spec.weights and state.capacity == spec.replicas:
            continue
        rows[name] = tuple(
            (
                numbers.setdefault(one, len(numbers)),
                round(state.weights.get(one, 0.0), _DIGITS),
                state.capacity.get(one, 0),
            )
            for one in sorted({*state.weights, *state.capacity})
            if state.weights.get(one, 0.0) > 0 or state.capacity.get(one, 0) > 0
        )
    return Placements(regions=tuple(numbers), rows=rows)


def _items(store: Store, partition: str) -> Iterator[tuple[str, bytes]]:
    prefix = keys.workload("")
    after = ""
    while True:
        page = store.scan(partition, prefix, after, _PAGE)
        for item in page:
            yield item.key.removeprefix(prefix), item.value
        if len(page) < _PAGE:
            return
        after = page[-1].key
