"""The runner: a simulated world, the real engine on a real store, and everything in virtual time.

the world changes by itself  |  what is due first
a schedule ticks             |  happens first,
a message arrives            |  and whoever listens
a person answers, a call     |  is told of it
lands late                   |
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

from crosswind.chains.incidents import kept
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.embedded.memory import MemoryStore
from crosswind.engine.dispatch import Engine
from crosswind.fleet.register import RegisterPerformer
from crosswind.gate.brakes import BrakeLever
from crosswind.records.identity import RUN, chain_partition
from crosswind.records.record import Record
from crosswind.sim.clock import Agenda, Timetable
from crosswind.sim.draws import Draws
from crosswind.sim.faults import NO_FAULTS, Faults
from crosswind.sim.intended import IncidentNames, Intended, OpenChains, Written
from crosswind.sim.nature import NATURE, Nature
from crosswind.sim.people import Nobody, People
from crosswind.sim.performers import SimulatedPerformer
from crosswind.sim.post import SimulatedBus
from crosswind.sim.quiet import Quiet
from crosswind.sim.rehearsal import Rehearsal
from crosswind.sim.trouble import Trouble
from crosswind.sim.voices import SOURCE, Desk, Observers
from crosswind.sim.watching import WatchedPerformer, WatchedStore
from crosswind.sim.world import World
from crosswind.testing.faults import Killed
from crosswind_events import Event, EventData

if TYPE_CHECKING:
    from crosswind.actions import Action, Call, Performer
    from crosswind.app import App
    from crosswind.engine.settings import Settings
    from crosswind.fleet.declaration import Fleet
    from crosswind.ports import Change as StoreChange
    from crosswind.ports import Message, Store
    from crosswind.testing.faults import Faults as PortFaults
    from crosswind.testing.post import Letter

D = TypeVar("D", bound=EventData)

START: Final = 1_800_000_000.0
"""Seconds since the epoch at which a simulation begins unless told otherwise: in January 2027."""

DAY: Final = 86_400.0
_HOUSEKEEPING: Final = DAY
"""Seconds between two removals of what has expired."""

_KEPT: Final = 10_000
"""Messages that are kept, the newest; those of rounds that said nothing are not among them."""

_AT_ONCE: Final = 0.001


class Happening(NamedTuple):
    """Something that has changed.

    Attributes:
        at: seconds since the beginning.
        kind: `world`: a fault began or ended; `message`: one was worked; `order`: one took effect
            in the world; `register`: it was written; `person`: somebody answered; `landing`: a
            call landed late.
        about: what, in a word or two.
        detail: the `Change`, `Letter`, `Order`, `Written` or `Reply` that it is about.
    """

    at: float
    kind: Literal["world", "message", "order", "register", "person", "landing"]
    about: str
    detail: Any = None


Hook = Callable[["Simulation", Happening], None]


class Simulation:
    """Plays an app on a simulated world.

    Args:
        app: the reactions, unchanged.
        fleet: the declaration under which they act.
        faults: what goes wrong in the world.
        seed: of everything that is drawn. The same app, fleet, faults and seed lead to the same.
        store: where the engine keeps its state; in memory unless given.
        people: who answers proposals; nobody unless given.
        start: seconds since the epoch at which it begins.
        nature: the constants of the world.
        settings: bounds and times of the engine; those of the app unless given.
        performers: those of your own kinds of action and query.
        ports: faults that calls of store, bus and performers meet: a `Trouble`, or another one of
            `crosswind.testing`.
        skip: whether rounds of probes that provably say nothing are left out; see `quiet`.

    Attributes:
        world, store, engine: on what it is played.
        intended, chains, troubled: the register, the chains that have to end, and the incidents
            that are open.
        writes: how many were made of anything but chains and their lists.
        quiet: what was left out.
        delivered, kills: how many messages were worked, and how often a worker died of it.

    Raises:
        InvalidFaults: the plan names what the fleet does not declare.
    """

    def __init__(
        self,
        app: App,
        fleet: Fleet,
        faults: Faults = NO_FAULTS,
        seed: int = 0,
        *,
        store: Store | None = None,
        people: People | None = None,
        start: float = START,
        nature: Nature = NATURE,
        settings: Settings | None = None,
        performers: Iterable[Performer] = (),
        ports: PortFaults | None = None,
        skip: bool = True,
    ) -> None:
        self.app = app
        self.fleet = fleet
        self.start = start
        self.seed = seed
        self.delivered = 0
        self.kills = 0
        self._settings = settings
        self._ports = ports
        self._hooks: list[Hook] = []
        self._of_messages: list[Callable[[Message], None]] = []
        self._of_register: list[Callable[[Written], None]] = []
        self._of_calls: list[Callable[[Action[Any], Call], None]] = []
        self._working = False
        self._letter: Letter | None = None
        self._jitter: Random | None = None
        self._messages: deque[Message] = deque(maxlen=_KEPT)
        self.writes = 0
        self.draws = Draws("simulation", seed)
        self.agenda = Agenda(start)
        self.world = World(fleet, faults, seed, nature)
        self.world.on_change(
            lambda change: self.tell(
                "world", f"{change.fault.kind} {'begins' if change.begins else 'ends'}", change
            )
        )
        self.world.on_order(lambda order: self.tell("order", order.workload, order))
        self.intended = Intended(fleet)
        self.chains = OpenChains()
        self.store = WatchedStore(store or MemoryStore(), self._wrote)
        self.bus = SimulatedBus(self, self._deliver, self._published)
        self.incidents = IncidentPerformer(self.store, fleet.name, self.agenda.clock)
        self.troubled = IncidentNames(
            fleet, (one.name for one in kept.current(self.store, fleet.name) if one.open)
        )
        self.performer = SimulatedPerformer(self.world, start, self._later)
        register = RegisterPerformer(
            self.store,
            fleet,
            clock=self.agenda.clock,
            pause=lambda seconds: None,
            draw=self._draw,
        )
        self.performers = (*performers, self.performer, register, self.incidents)
        self.timetable = Timetable(app, self.bus, self.agenda.clock)
        self.engine = self._engine()
        self.observers = Observers(self)
        self.desk = Desk(self, people or Nobody())
        self.quiet = Quiet(self)
        self._skips = skip and ports is None
        if isinstance(ports, Trouble):
            ports.land = self._later
        self.agenda.plan(_HOUSEKEEPING, self._keep_house)

    # -- time -----------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.agenda.now

    @property
    def clock(self) -> float:
        """Seconds since the epoch."""
        return self.agenda.clock()

    def instant(self, moment: float) -> datetime:
        """A moment, in seconds since the beginning, as a date."""
        return datetime.fromtimestamp(round(self.start + moment, 6), UTC)

    def run(self, until: float) -> None:
        """Let time pass up to a moment, in seconds since the beginning, with all that is due."""
        while self._step(until):
            pass
        self._pass_to(max(until, self.now))

    def _step(self, until: float) -> bool:
        """Let the next thing happen, if it is due by the end."""
        tick = max(self.now, self.timetable.next() - self.start)
        world, planned = self.world.next(), self.agenda.next()
        at = min(world, tick, planned)
        if at > until:
            return False
        self._pass_to(at)
        if tick == at < world:
            if not (self._skips and self.quiet.skip(min(world, planned, until))):
                self.timetable.tick()
        elif planned == at < world:
            self.agenda.step()
        if self._skips:
            self.quiet.review()
        return True

    def _pass_to(self, at: float) -> None:
        # Bit by bit, so that whoever is told of a change finds the clock at its moment.
        while (change := self.world.next()) <= at:
            self.agenda.now = max(self.agenda.now, change)
            self.world.advance(change)
        self.agenda.now = max(self.agenda.now, at)
        self.world.advance(at)

    def make_up(self, at: float, work: Callable[[], None]) -> None:
        """Do something as if it were a moment that has passed; it must look at nothing."""
        now, self.agenda.now = self.agenda.now, at
        try:
            work()
        finally:
            self.agenda.now = now

    # -- what is said to it, and done -------------------------------------------------------------

    def at(self, moment: float, happen: Callable[[], object]) -> None:
        """Let something happen at a moment, in seconds since the beginning."""
        self.agenda.plan(moment, happen)

    def say(
        self,
        data: EventData,
        *,
        source: str = SOURCE,
        event_id: str | None = None,
        subject: str | None = None,
        ago: float = 0.0,
    ) -> Event[Any]:
        """Publish a first event, as an observer would.

        Args:
            ago: seconds by which it comes later than what it is about.
        """
        return self.observers.say(data, source, event_id, subject, ago)

    def signal(
        self, payload: object, translate: Callable[[Any], Iterable[Event[Any]]]
    ) -> list[Event[Any]]:
        """Publish what a cloud's notification says.

        Args:
            translate: of the cloud's adapter, such as `crosswind_aws.signals.translate`.
        """
        return self.observers.signal(payload, translate)

    @property
    def brakes(self) -> BrakeLever:
        """The switches by which people freeze everything, or break the glass."""
        return BrakeLever(self.engine.ledger, self.fleet.name, self.agenda.clock)

    # -- what has come of it ----------------------------------------------------------------------

    def said(self, data: type[D]) -> list[Event[D]]:
        """The events of a type that were published, duplicates left out, as far as still kept."""
        kind = data.event_type
        found = {one.id: one.body for one in self._messages if one.attributes["type"] == kind}
        return [self.app.codec.decode(body) for body in found.values()]

    def records(self, chain: str) -> list[Record]:
        """The runs of a chain, in the order in which they began."""
        items = self.store.scan(chain_partition(chain), RUN, "", 10_000)
        return sorted((Record.decode(item.value) for item in items), key=lambda run: run.began)

    def rehearsal(self) -> Rehearsal:
        """A context in which handlers can be run on what they would see now."""
        answering = {query: one for one in self.performers for query in one.answers}
        return Rehearsal(self.instant(self.now), self.fleet, answering)

    # -- who listens ------------------------------------------------------------------------------

    def on_event(self, hook: Hook) -> None:
        """Tell somebody of every change, right after it."""
        self._hooks.append(hook)

    def on_message(self, told: Callable[[Message], None]) -> None:
        """Tell somebody of every message that is published."""
        self._of_messages.append(told)

    def on_register(self, told: Callable[[Written], None]) -> None:
        """Tell somebody of every write that changes the register, right after it."""
        self._of_register.append(told)

    def on_call(self, told: Callable[[Action[Any], Call], None]) -> None:
        """Tell somebody of every call of a performer that may change something, before it."""
        self._of_calls.append(told)

    def tell(
        self,
        kind: Literal["world", "message", "order", "register", "person", "landing"],
        about: str,
        detail: Any = None,
    ) -> None:
        """Tell all hooks of a change."""
        if self._hooks:
            what = Happening(self.now, kind, about, detail)
            for hook in self._hooks:
                hook(self, what)

    # -- what happens -----------------------------------------------------------------------------

    def _deliver(self, letter: Letter) -> None:
        if letter.due < self.now:
            # What a round leads to that is made up for: all that it would have seen said nothing.
            if self.quiet.fans_out(letter):
                self.make_up(letter.due, lambda: self.work(letter))
        elif not (self._skips and self.quiet.says_nothing(letter)):
            self.work(letter)

    def work(self, letter: Letter) -> None:
        """Let the engine work a message."""
        self.delivered += 1
        settings = self.engine.settings
        work = self.engine.bury if letter.dead else self.engine.handle
        self._letter, self._jitter = letter, None
        self._working = True
        try:
            again = work(letter.delivery, letter.group)
        except Killed:
            # Another takes its place at once; what it had in hand comes again when it is free.
            self.kills += 1
            self.engine = self._engine()
            self.bus.again(letter, settings.lease * 1.5 + settings.skew)
        else:
            if again is not None:
                self.bus.again(letter, max(again.after, _AT_ONCE))
        finally:
            self._working = False
        self.tell("message", letter.type, letter)

    def _published(self, message: Message) -> None:
        self._messages.append(message)
        for told in self._of_messages:
            told(message)

    def _later(self, seconds: float, effect: Callable[[], None]) -> None:
        def land() -> None:
            effect()
            self.tell("landing", "a late call")

        self.agenda.plan(self.now + seconds, land)

    def _keep_house(self) -> None:
        purge = getattr(self.store, "purge", None)
        if purge is not None:
            purge(self.clock)
        self.agenda.plan(self.now + _HOUSEKEEPING, self._keep_house)

    def _wrote(self, partition: str, changes: Sequence[StoreChange]) -> None:
        self.chains.hear(partition, changes)
        written = self.intended.hear(partition, changes)
        if not partition.startswith(("chain:", "index:")):
            self.writes += 1
            self.troubled.hear(partition, changes)
        if written is not None:
            for told in self._of_register:
                told(written)
            self.tell("register", ", ".join((*written.workloads, *written.regions)), written)

    def _called(self, action: Action[Any], call: Call) -> None:
        if self._working:  # else it lands late; whether it was to be asked for was looked at then
            for told in self._of_calls:
                told(action, call)

    def _engine(self) -> Engine:
        store: Store = self.store
        bus: Any = self.bus
        performers: list[Performer] = [
            WatchedPerformer(one, self._called) for one in self.performers
        ]
        if self._ports is not None:
            from crosswind.testing.ports import FaultyBus, FaultyPerformer, FaultyStore

            store, bus = FaultyStore(store, self._ports), FaultyBus(bus, self._ports)
            performers = [FaultyPerformer(one, self._ports) for one in performers]
        return Engine(
            self.app,
            store,
            bus,
            fleet=self.fleet,
            performers=performers,
            settings=self._settings,
            clock=self.agenda.clock,
            pause=lambda seconds: None,
            draw=self._draw,
        )

    def _draw(self, low: float, high: float) -> float:
        """The jitter of the engine's waits: by the message that is worked, and nothing else."""
        if self._jitter is None:
            letter, name = self._letter, f"{self.seed}"
            if letter is not None:
                name = f"{name} {letter.id} {letter.group} {letter.receipts}"
            self._jitter = Random(name)  # noqa: S311 - a simulation, no secret
        return self._jitter.uniform(low, high)
