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

from crosswind.cli.data import DATA, Data, DeployedData, on_this_machine
from crosswind.cli.faults import NOTHING, Failure

if TYPE_CHECKING:
    from crosswind.actions import Performer
    from crosswind.app import App
    from crosswind.cli.output import Output
    from crosswind.embedded.sqlite_bus import SqliteBus
    from crosswind.embedded.sqlite_store import SqliteStore
    from crosswind.engine.dispatch import Engine
    from crosswind.fleet.declaration import Fleet
    from crosswind.ports import Bus, Store
    from crosswind.records.ledger import Ledger
    from crosswind.stacks.desk import Desk

FLEET: Final = Path("fleet.yaml")
APP: Final = "crosswind.chains.failover:app"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a person says that things are; `typed` names what stood on the command line."""

    app: str | None = None
    data: Data = DATA
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
        found = load_app(self.sources.app or APP)
        if self.desk is not None and self.desk.about.app != found.name:
            self.output.notice(
                f"{self.desk.about.place} runs app {self.desk.about.app}, and this is app "
                f"{found.name}; name it with --app, so that its own handlers are known."
            )
        return found

    @property
    def declared_path(self) -> Path | None:
        """The file of the fleet: the one that is named, or that of the working folder."""
        if self.sources.fleet is None and FLEET.is_file():
            return FLEET
        return self.sources.fleet

    @cached_property
    def declared(self) -> Declared:
        """The fleet that is declared, that of the stack, or the demonstration."""
        from crosswind.fleet.load import load_fleet

        path = self.declared_path
        if path is not None:
            return Declared(load_fleet(path), path)
        if self.desk is not None:
            return Declared(self.ruling, None)
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

    @cached_property
    def ruling(self) -> Fleet:
        """The fleet by whose rules people answer: the one declared here, or that of the stack.

        Of a stack it is read from its own table, so that nobody answers by rules of their own.

        Raises:
            Failure: there is none, or it cannot be had.
        """
        if self.desk is None:
            return self.own_fleet
        name = self.ruled
        if self._deployed_fleet is not None:
            return self._deployed_fleet
        path = self.declared_path
        here = "" if path is None else f", and {path} says something else"
        raise Failure(
            f"nothing was decided yet under the fleet {name} that is deployed as "
            f"{self.desk.about.place}{here}; name the file that was packaged with --fleet"
        )

    @cached_property
    def _deployed_fleet(self) -> Fleet | None:
        """The fleet of the stack, from its table, or from a file here that says the very same."""
        from crosswind.fleet.history import read_declaration
        from crosswind.fleet.load import load_fleet

        if self.desk is None or self.desk.about.fleet is None or not self.desk.about.declared:
            return None
        digest = self.desk.about.declared
        kept = read_declaration(self.store, self.desk.about.fleet, digest)
        if kept is not None:
            return kept
        path = self.declared_path
        own = None if path is None else load_fleet(path)
        return own if own is not None and own.digest == digest else None

    @property
    def ruled(self) -> str:
        """The name of that fleet, which a stack says of itself.

        Raises:
            Failure: there is none.
        """
        if self.desk is None:
            return self.own_fleet.name
        if self.desk.about.fleet is None:
            raise Failure(
                f"{self.desk.about.place} was deployed without a fleet, so that it only observes; "
                "package it with one"
            )
        return self.desk.about.fleet

    # -- what is stored -------------------------------------------------------------------------

    @cached_property
    def desk(self) -> Desk | None:
        """The deployed app whose data it is; None where that is a file of this machine."""
        data = self.sources.data
        return data.open() if isinstance(data, DeployedData) else None

    @property
    def recorded(self) -> bool:
        """Whether anything may be recorded where the data is."""
        data = self.sources.data
        return isinstance(data, DeployedData) or data.is_file()

    @cached_property
    def store(self) -> Store:
        """The store.

        Raises:
            Failure: there is none and the command does not create one.
        """
        return self._database if self.desk is None else self.desk.store

    @cached_property
    def bus(self) -> Bus:
        """The bus, of the same file or stack.

        Raises:
            Failure: another app is deployed there than is named.
        """
        if self.desk is None:
            return self.queue
        about = self.desk.about
        if self.app.name != about.app:
            raise Failure(
                f"{about.place} runs app {about.app}, and this is app {self.app.name}; name the "
                "app that is deployed with --app MODULE:ATTR"
            )
        return self.desk.bus(self.app, self.clock)

    @cached_property
    def queue(self) -> SqliteBus:
        """The embedded bus, of which this machine can receive."""
        from crosswind.embedded.sqlite_bus import SqliteBus

        return self._open.enter_context(SqliteBus(self._database, clock=self.clock))

    @cached_property
    def _database(self) -> SqliteStore:
        from crosswind.embedded.sqlite_store import SqliteStore

        return self._open.enter_context(SqliteStore(self._file()))

    def partitions(self, prefix: str) -> list[str]:
        """Names of the partitions of this kind: all in the file, or that of the stack's fleet."""
        if self.desk is not None:
            fleet = self.desk.about.fleet
            return [] if fleet is None else [prefix + fleet]
        found: list[str] = []
        while page := self._database.partitions(prefix, found[-1] if found else ""):
            found += page
        return found

    def beside(self, name: str) -> Path:
        """A file beside the data file; where data is a stack's, beside the default one."""
        data = self.sources.data
        return (DATA if isinstance(data, DeployedData) else data).with_name(name)

    @cached_property
    def operator(self) -> str:
        """Who answers: whom the stack's cloud knows these credentials to be, or the user here."""
        from crosswind.cli.identity import operator

        return operator() if self.desk is None else self.desk.caller

    @cached_property
    def ledger(self) -> Ledger:
        """The store as the engine sees it."""
        from crosswind.records.ledger import Ledger

        return Ledger(self.store, self.clock)

    def _file(self) -> Path:
        data = on_this_machine(self.sources.data, "this command", "name a file with --data")
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
        if not found and self.desk is None and self.declared.path is None:
            from crosswind.cli.demonstration import DeclaredWorld

            found.append(DeclaredWorld(self.fleet))
        return tuple(found)

    @cached_property
    def performers(self) -> tuple[Performer, ...]:
        """Who reaches the world, and our own performers for what they cannot do.

        Nobody for a stack: its functions perform, and have performers of their own.
        """
        if self.desk is not None:
            return ()
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
            fleet=self.fleet if self.desk is None else self._deployed_fleet,
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
