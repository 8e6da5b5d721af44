"""Incidents kept in a store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from crosswind.actions import Action, Call, Query
from crosswind.chains.incidents import kept
from crosswind.chains.incidents.gathering import gather
from crosswind.chains.incidents.kept import KEEP, Kept, Telling, current_key, past_key
from crosswind.chains.incidents.operations import (
    SEVERITIES,
    Incidents,
    Opened,
    OpenIncident,
    OpenIncidents,
    Resolved,
    ResolveIncident,
)
from crosswind.errors import Conflict, Unreachable
from crosswind.ports import ABSENT, Item, Put, Store

_TURNS: Final = 12
_SHOWN: Final = 100
_CAUSE: Final = 500


class IncidentPerformer:
    """Keeps the incidents of a fleet in partition `incidents:<fleet>`; see `kept`.

    A repeated key: the item holds the keys of the actions that told of it and of the one that
    resolved it, so that whoever asks again is given the first answer.

    Args:
        store: where they are kept; what led to one is gathered from the journal in it.
        fleet: the fleet's name.
        clock: seconds since the epoch.
    """

    performs: tuple[type[Action[Any]], ...] = (OpenIncident, ResolveIncident)
    answers: tuple[type[Query[Any]], ...] = (OpenIncidents,)

    def __init__(self, store: Store, fleet: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._fleet = fleet
        self._partition = kept.partition(fleet)
        self._clock = clock

    def perform(self, action: OpenIncident | ResolveIncident, call: Call) -> Opened | Resolved:
        """Open or resolve one.

        Raises:
            Throttled, Unreachable: ask again with the same key.
            Conflict: too many others write the same incident at the same time.
        """
        for turn in range(_TURNS):
            try:
                return self._try(action, call.key)
            except (Conflict, Unreachable):
                # What stands there now tells whether this very action has landed.
                if turn == _TURNS - 1:
                    raise
        raise AssertionError("unreachable")

    def answer(self, query: OpenIncidents, timeout: float) -> Incidents:
        """Those that are open."""
        found = [
            one.incident
            for one in kept.current(self._store, self._fleet)
            if one.open and (not query.prefix or _within(one.name, query.prefix))
        ]
        ordered = sorted(found, key=lambda one: (one.since, one.incident))
        return Incidents(incidents=tuple(ordered[:_SHOWN]))

    def _try(self, action: OpenIncident | ResolveIncident, key: str) -> Opened | Resolved:
        name = current_key(action.incident)
        item = self._store.read(self._partition, name)
        stands = None if item is None else Kept.decode(item.value)
        if isinstance(action, OpenIncident):
            return self._open(action, name, item, stands, key)
        return self._resolve(action, name, item, stands, key)

    def _open(
        self, action: OpenIncident, name: str, item: Item | None, stands: Kept | None, key: str
    ) -> Opened:
        told = None if stands is None else stands.telling(key)
        if stands is not None and told is not None:
            return Opened(
                incident=stands.incident,
                new=stands.told[0].key == key,
                raised=told.raised,
                findings=told.findings,
            )
        if stands is not None and not stands.open:
            stands = None
        told = Telling(
            key=key,
            at=self._clock(),
            title=action.title,
            cause=action.cause[:_CAUSE],
            severity=action.severity,
            chain=action.chain,
            workload=action.workload,
            raised=stands is not None and _gravity(action.severity) > _gravity(stands.severity),
            findings=gather(self._store, action.chain),
        )
        if stands is None:
            now = Kept.begun(action.incident, action.region, told)
        else:
            now = stands.met(told)
        self._put([Put(name, now.encode(), _version(item))], key)
        return Opened(
            incident=now.incident, new=stands is None, raised=told.raised, findings=told.findings
        )

    def _resolve(
        self, action: ResolveIncident, name: str, item: Item | None, stands: Kept | None, key: str
    ) -> Resolved:
        if stands is None or not stands.open:
            return Resolved(was_open=stands is not None and stands.resolved_by == key)
        over = stands.over(key, self._clock(), action.because, action.by).encode()
        expires = self._clock() + KEEP
        self._put(
            [
                Put(name, over, _version(item), expires),
                Put(past_key(stands), over, ABSENT, expires),
            ],
            key,
        )
        return Resolved(was_open=True)

    def _put(self, puts: list[Put], token: str) -> None:
        self._store.write(self._partition, puts, token)


def _within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}:")


def _gravity(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


def _version(item: Item | None) -> str:
    return ABSENT if item is None else item.version
