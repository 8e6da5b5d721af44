"""What a command works with: the app, the fleet, the store, the bus, the performers, the engine.

Each is opened when it is asked for first, so that a command which only reads opens no bus and
needs no fleet.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from crosswind.cli.faults import NOTHING, Failure

if TYPE_CHECKING:
    from crosswind.actions import Performer
    from crosswind.app import App
    from crosswind.cli.output import Output
    from crosswind.embedded.sqlite_bus import SqliteBus
    from crosswind.embedded.sqlite_store import SqliteStore
    from crosswind.engine.dispatch import Engine
    from crosswind.fleet.declaration import Fleet
    from crosswind.records.ledger import Ledger

DATA: Final = Path(".crosswind/crosswind.sqlite")
FLEET: Final = Path("fleet.yaml")
APP: Final = "crosswind.chains.failover:app"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a person says that things are; `typed` names what stood on the command line."""

    app: str | None = None
    data: Path = DATA
    fleet: Path | None = None
    world: Path | None = None
    performers: str | None = None
    typed: frozenset[str] = frozenset()


class Declared(NamedTuple):
    """The fleet, and where it is declared; `path` is None for the demonstration."""

    fleet: Fleet
    path: Path | None


class Session:
    """Opens what a command asks for, and closes it at its end.

    Args:
        creates: whether the data file may be created.

    Attributes:
        timed: the built-in app looks at regions as often as the fleet says. For who sends the
            ticks of its schedules; all others need no fleet to know its handlers.
    """

    def __init__(self, sources: Sources, output: Output, *, creates: bool = False) -> None:
        self.sources = sources
        self.output = output
        self.creates = creates
        self.timed = False
        self.clock = time.time
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    # -- what is declared -----------------------------------------------------------------------

    @cached_property
    def app(self) -> App:
        """The user's app, or the built-in one."""
        from crosswind.cli.loading import load_app

        if self.timed and self.sources.app is None:
            from crosswind.chains.failover import failover_app

            return failover_app(probe_every=self.fleet.probes.every)
        return load_app(self.sources.app or APP)

    @property
    def declared_path(self) -> Path | None:
        """The file of the fleet: the one that is named, or that of the working folder."""
        if self.sources.fleet is None and FLEET.is_file():
            return FLEET
        return self.sources.fleet

    @cached_property
    def declared(self) -> Declared:
        """The fleet that is declared, or the demonstration."""
        from crosswind.fleet.load import load_fleet

        path = self.declared_path
        if path is not None:
            return Declared(load_fleet(path), path)
        from crosswind.cli.demonstration import demonstration_fleet

        self.output.notice(
            "No fleet is declared: this is the demonstration fleet, and actions are only observed. "
            f"Write {FLEET}, or name a file with --fleet."
        )
        return Declared(demonstration_fleet(), None)

    @property
    def fleet(self) -> Fleet:
        """The fleet that is declared, or the demonstration."""
        return self.declared.fleet

    @property
    def own_fleet(self) -> Fleet:
        """The fleet that is declared, for commands that make no sense on the demonstration.

        Raises:
            Failure: none is declared.
        """
        if self.declared_path is None:
            raise Failure(
                f"no fleet is declared here; name its file with --fleet, or write {FLEET}"
            )
        return self.declared.fleet

    # -- what is stored -------------------------------------------------------------------------

    @cached_property
    def store(self) -> SqliteStore:
        """The store.

        Raises:
            Failure: there is none and the command does not create one.
        """
        from crosswind.embedded.sqlite_store import SqliteStore

        return self._open.enter_context(SqliteStore(self._file()))

    @cached_property
    def bus(self) -> SqliteBus:
        """The bus, in the same file."""
        from crosswind.embedded.sqlite_bus import SqliteBus

        return self._open.enter_context(SqliteBus(self.store, clock=self.clock))

    @cached_property
    def ledger(self) -> Ledger:
        """The store as the engine sees it."""
        from crosswind.records.ledger import Ledger

        return Ledger(self.store, self.clock)

    def _file(self) -> Path:
        data = self.sources.data
        if data.is_file():
            return data
        if not self.creates:
            raise Failure(
                f"nothing is recorded in {data} yet; publish an event first (crosswind publish "
                "--help), or name another file with --data",
                NOTHING,
            )
        data.parent.mkdir(parents=True, exist_ok=True)
        return data

    # -- what works -----------------------------------------------------------------------------

    @cached_property
    def worldly(self) -> tuple[Performer, ...]:
        """Who reaches the world: the user's performers, and those of a world of processes.

        Where neither is named and no fleet is declared, all is as in the demonstration.
        """
        found: list[Performer] = []
        if self.sources.performers is not None:
            from crosswind.cli.loading import load_performers

            found += load_performers(self.sources.performers)
        if self.sources.world is not None:
            from crosswind.world.addresses import Addresses
            from crosswind.world.performers import performers

            Addresses.read(self.sources.world)  # says at once where no world runs
            found += performers(self.sources.world)
        if not found and self.declared.path is None:
            from crosswind.cli.demonstration import DeclaredWorld

            found.append(DeclaredWorld(self.fleet))
        return tuple(found)

    @cached_property
    def performers(self) -> tuple[Performer, ...]:
        """Who reaches the world, and our own performers for what they cannot do."""
        from crosswind.chains.incidents.performer import IncidentPerformer
        from crosswind.cli.notices import Notices
        from crosswind.fleet.register import RegisterPerformer

        own: list[Performer] = [
            RegisterPerformer(self.store, self.fleet, clock=self.clock),
            IncidentPerformer(self.store, self.fleet.name, self.clock),
            Notices(self.ledger, self.fleet.name, self.output),
        ]
        taken = _kinds(self.worldly)
        return (*self.worldly, *(one for one in own if not taken & _kinds([one])))

    @cached_property
    def engine(self) -> Engine:
        """The engine."""
        from crosswind.engine.dispatch import Engine

        return Engine(
            self.app,
            self.store,
            self.bus,
            fleet=self.fleet,
            performers=self.performers,
            clock=self.clock,
        )

    # -- what a person does next ----------------------------------------------------------------

    def hint(self, command: str) -> str:
        """A command line that works with the same app and data as this one."""
        given = {"app": self.sources.app, "data": self.sources.data}
        typed = [(f"--{name}", str(given[name])) for name in given if name in self.sources.typed]
        options = [shlex.quote(word) for option in typed for word in option]
        return " ".join(["crosswind", command, *options])


def _kinds(performers: Sequence[Performer]) -> set[type[Any]]:
    return {kind for one in performers for kind in (*one.performs, *one.answers)}
