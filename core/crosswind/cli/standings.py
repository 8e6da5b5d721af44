"""A fleet as it stands: what is declared, what the register holds, what the world has.

Only read: nothing is performed, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crosswind.actions import Query
    from crosswind.cli.session import Session
    from crosswind.fleet.applications import Entry
    from crosswind.fleet.comparison import Seen
    from crosswind.fleet.declaration import Fleet
    from crosswind.fleet.differences import Row
    from crosswind.fleet.state import RegionState, WorkloadState

PATIENCE: Final = 5.0
"""Seconds that one query may take."""


class Standing:
    """A fleet's declaration beside its register and its world, each read once.

    Args:
        session: names the declaration, the data and who answers for the world.

    Attributes:
        silent: why the world could not be read, by workload.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.fleet = session.fleet
        self.silent: dict[str, str] = {}

    @cached_property
    def stored(self) -> Mapping[str, bytes]:
        """The items of the register; empty where nothing is recorded."""
        from crosswind.fleet import keys

        if not self.session.recorded:
            return {}
        partition = keys.partition(self.fleet.name)
        found = (
            item
            for prefix in ("workload:", "region:")
            for item in self.session.ledger.scan(partition, prefix)
        )
        return {item.key: item.value for item in found}

    @cached_property
    def register(self) -> Mapping[str, WorkloadState]:
        """What is recorded of workloads, without what is known from the declaration alone."""
        from crosswind.fleet import keys
        from crosswind.fleet.state import WorkloadState

        prefix = keys.workload("")
        return {
            key.removeprefix(prefix): WorkloadState.model_validate_json(value)
            for key, value in self.stored.items()
            if key.startswith(prefix)
        }

    @cached_property
    def regions(self) -> Mapping[str, RegionState]:
        """The states of the declared regions."""
        from crosswind.fleet import keys
        from crosswind.fleet.state import region_state

        return {
            name: region_state(self.stored.get(keys.region(name))) for name in self.fleet.regions
        }

    @cached_property
    def history(self) -> tuple[Entry, ...]:
        """The applications of declarations, the first one first."""
        from crosswind.fleet.history import read_history

        if not self.session.recorded:
            return ()
        return tuple(read_history(self.session.store, self.fleet.name))

    @cached_property
    def last(self) -> Entry | None:
        """The application that was begun last."""
        return self.history[-1] if self.history else None

    @cached_property
    def applied(self) -> Fleet | None:
        """The declaration that was applied last with success."""
        done = [entry.digest for entry in self.history if entry.outcome == "applied"]
        return self.declaration(done[-1]) if done else None

    def declaration(self, digest: str) -> Fleet | None:
        """A declaration that is kept."""
        from crosswind.fleet.history import read_declaration

        return read_declaration(self.session.store, self.fleet.name, digest)

    @cached_property
    def world(self) -> Mapping[str, Seen]:
        """What the world has of each workload, as far as somebody answers."""
        with self.session.output.progress("looking at the world"):
            seen = ((name, self._seen(name)) for name in self.fleet.workloads)
            return {name: one for name, one in seen if one is not None}

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every workload in each of its regions, in three columns."""
        from crosswind.fleet.differences import rows

        return tuple(rows(self.fleet, self.register, self.regions, self.world, self.applied))

    def _seen(self, workload: str) -> Seen | None:
        from crosswind.fleet.comparison import Seen
        from crosswind.operations.endpoints import EndpointStatus
        from crosswind.operations.traffic import CurrentWeights

        state = self.register.get(workload)
        places = {*self.fleet.workloads[workload].regions}
        if state is not None:
            places |= {*state.weights, *state.capacity}
        regions = tuple(sorted(places & self.fleet.regions.keys()))
        traffic = self._ask(CurrentWeights(workload=workload), workload)
        status = self._ask(EndpointStatus(workload=workload, regions=regions), workload)
        if traffic is None and status is None:
            return None
        states = {} if status is None else status.states
        return Seen(
            weights=None if traffic is None else traffic.weights,
            epoch=0 if traffic is None else traffic.epoch,
            replicas={r: one.ready + one.starting for r, one in states.items() if one.reachable},
        )

    def _ask(self, query: Query[Any], workload: str) -> Any:
        """An answer of the world; None where there is none, and then why is noted."""
        performer = next((p for p in self.session.worldly if type(query) in p.answers), None)
        if performer is None:
            self.silent[workload] = f"nobody answers {query.kind}; name --world or --performers"
            return None
        try:
            return performer.answer(query, PATIENCE)
        except Exception as error:  # noqa: BLE001 - of the user's own code; it is told, by workload
            self.silent[workload] = f"{query.kind}: {type(error).__name__}: {error}"
            return None


def different(rows: Iterable[Row]) -> list[Row]:
    """Those of which declaration, register and world do not agree."""
    return [row for row in rows if row.kinds]
