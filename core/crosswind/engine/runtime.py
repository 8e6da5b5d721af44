"""What every run needs: the app, the store, the performers, the fleet, the gate, the clock."""

from __future__ import annotations

import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from crosswind.engine.settings import Settings
from crosswind.errors import Conflict, DeclarationError, RunFailed
from crosswind.ports import ABSENT, Put, Store
from crosswind.records.ledger import Ledger

if TYPE_CHECKING:
    from crosswind.actions import Action, Performer, Query
    from crosswind.app import App
    from crosswind.fleet.declaration import Fleet
    from crosswind.gate.brakes import Brakes
    from crosswind.gate.gate import Gate
    from crosswind_events import Event


_HEARD: Final = 128
"""Pieces of evidence that are remembered, the latest; they have some hundreds of bytes each."""


class Heard(NamedTuple):
    """A piece of evidence: the event, and the JSON as which it is recorded."""

    event: Event[Any]
    recorded: Any


class Runtime:
    """Shared by all runs of an engine; holds no state of a run."""

    def __init__(
        self,
        app: App,
        store: Store,
        fleet: Fleet | None,
        performers: Iterable[Performer],
        settings: Settings,
        clock: Callable[[], float],
        pause: Callable[[float], None] = time.sleep,
        draw: Callable[[float, float], float] | None = None,
    ) -> None:
        self.app = app
        self.ledger = Ledger(store, clock)
        self.settings = settings
        self.clock = clock
        self.pause = pause
        self.draw = draw
        self.fleet = fleet
        self._performs: dict[type[Action[Any]], Performer] = {}
        self._answers: dict[type[Query[Any]], Performer] = {}
        self._declared: dict[str, Fleet] = {}
        for performer in performers:
            for action in performer.performs:
                if self._performs.setdefault(action, performer) is not performer:
                    raise DeclarationError(f"two performers carry out {action.kind}")
            for query in performer.answers:
                if self._answers.setdefault(query, performer) is not performer:
                    raise DeclarationError(f"two performers answer {query.kind}")

    @cached_property
    def gate(self) -> Gate:
        """What every action passes; made for the first one, so that a start need not wait."""
        import random

        from crosswind.gate.gate import Gate
        from crosswind.gate.limits import Limits

        return Gate(
            self._brakes,
            Limits(self.ledger, self.clock, self.pause, self.draw or random.uniform),
            self.clock,
            approval=self.settings.approval,
            freeze_check=self.settings.freeze_check,
            skew=self.settings.skew,
        )

    @cached_property
    def heard(self) -> Callable[[bytes], Heard]:
        """Reads a piece of evidence.

        Whoever joins a chain weighs all that was said before, so that the same is read often. An
        event is frozen, and what is recorded is only ever written.
        """
        codec = self.app.codec

        @lru_cache(_HEARD)
        def heard(body: bytes) -> Heard:
            event = codec.decode(body)
            return Heard(event, from_json(codec.encode(event)))

        return heard

    def performer(self, action: Action[Any]) -> Performer:
        """Who carries out an action.

        Raises:
            RunFailed: nobody does.
        """
        found = self._performs.get(type(action))
        if found is None:
            raise RunFailed(f"no performer carries out {action.kind}; give the engine one")
        return found

    def answerer(self, query: Query[Any]) -> Performer:
        """Who answers a query.

        Raises:
            RunFailed: nobody does.
        """
        found = self._answers.get(type(query))
        if found is None:
            raise RunFailed(f"no performer answers {query.kind}; give the engine one")
        return found

    def expires(self, now: float) -> float:
        """Until when the items of a chain must be kept."""
        return now + self.settings.max_age + self.settings.retention

    def declared(self, digest: str | None) -> Fleet:
        """The fleet as it is declared now, or as it was under a recorded digest.

        What is declared now is stored once under its digest, so that a decision can be looked at
        together with the policy under which it was made.

        Raises:
            RunFailed: there is no fleet, or not this one.
        """
        if self.fleet is None:
            raise RunFailed("no fleet is declared; give the engine one")
        if digest is None or digest == self.fleet.digest:
            self._keep(self.fleet)
            return self.fleet
        if digest not in self._declared:
            from crosswind.gate.brakes import fleet_partition

            item = self.ledger.read(fleet_partition(self.fleet.name), f"declared:{digest}")
            if item is None:
                raise RunFailed(f"the fleet declared as {digest:.12} is not in the store")
            text = zlib.decompress(b64decode(from_json(item.value)["zlib"]))
            self._declared[digest] = type(self.fleet).model_validate_json(text)
        return self._declared[digest]

    def _keep(self, fleet: Fleet) -> None:
        if fleet.digest in self._declared:
            return
        from crosswind.gate.brakes import fleet_partition

        packed = b64encode(zlib.compress(fleet.model_dump_json().encode())).decode()
        put = Put(f"declared:{fleet.digest}", to_json({"zlib": packed}), ABSENT)
        try:
            self.ledger.write(fleet_partition(fleet.name), [put])
        except Conflict:
            pass  # another process has stored the same bytes under the same digest
        self._declared[fleet.digest] = fleet

    def _brakes(self) -> Brakes:
        from crosswind.gate.brakes import BrakeLever, Brakes

        if self.fleet is None:
            return Brakes()
        return BrakeLever(self.ledger, self.fleet.name, self.clock).read()
