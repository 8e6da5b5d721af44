"""Incidents kept in a store."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from pydantic_core import from_json, to_json

from crosswind.actions import Action, Call, Query
from crosswind.chains.incidents.operations import (
    Incident,
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


class IncidentPerformer:
    """Keeps the incidents of a fleet, one item each, in partition `incidents:<fleet>`.

    A repeated key: the item holds the key of the action that wrote it last, so that whoever asks
    again is given the first answer.

    Args:
        store: where they are kept.
        fleet: the fleet's name.
        clock: seconds since the epoch.
    """

    performs: tuple[type[Action[Any]], ...] = (OpenIncident, ResolveIncident)
    answers: tuple[type[Query[Any]], ...] = (OpenIncidents,)

    def __init__(self, store: Store, fleet: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._partition = f"incidents:{fleet}"
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
        found: list[Incident] = []
        after = ""
        while len(found) < _SHOWN:
            page = self._store.scan(self._partition, "incident:", after)
            for item in page:
                stored = from_json(item.value)
                name = stored["incident"]["incident"]
                fits = name == query.prefix or name.startswith(f"{query.prefix}:")
                if stored["open"] and (fits or not query.prefix):
                    found.append(Incident.model_validate(stored["incident"]))
            if len(page) < _SHOWN:
                break
            after = page[-1].key
        ordered = sorted(found, key=lambda one: (one.since, one.incident))
        return Incidents(incidents=tuple(ordered[:_SHOWN]))

    def _try(self, action: OpenIncident | ResolveIncident, key: str) -> Opened | Resolved:
        name = _key(action.incident)
        item = self._store.read(self._partition, name)
        stored = None if item is None else from_json(item.value)
        if isinstance(action, OpenIncident):
            return self._open(action, name, item, stored, key)
        return self._resolve(name, item, stored, key)

    def _open(
        self,
        action: OpenIncident,
        name: str,
        item: Item | None,
        stored: dict[str, Any] | None,
        key: str,
    ) -> Opened:
        if stored is not None and stored["open"]:
            known = Incident.model_validate(stored["incident"])
            return Opened(incident=known, new=stored["opened_by"] == key)
        incident = Incident(
            incident=action.incident,
            title=action.title,
            severity=action.severity,
            since=self._clock(),
            chain=action.chain,
        )
        value = {"open": True, "incident": incident.model_dump(mode="json"), "opened_by": key}
        self._put(name, value, item, key)
        return Opened(incident=incident, new=True)

    def _resolve(
        self, name: str, item: Item | None, stored: dict[str, Any] | None, key: str
    ) -> Resolved:
        if stored is None or not stored["open"]:
            return Resolved(was_open=stored is not None and stored.get("resolved_by") == key)
        self._put(name, {**stored, "open": False, "resolved_by": key}, item, key)
        return Resolved(was_open=True)

    def _put(self, name: str, value: dict[str, Any], item: Item | None, token: str) -> None:
        version = ABSENT if item is None else item.version
        self._store.write(self._partition, [Put(name, to_json(value), version)], token)


def _key(incident: str) -> str:
    return f"incident:{sha256(incident.encode()).hexdigest()[:40]}"
