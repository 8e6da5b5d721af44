"""The director: plays an app with several workers, one call of a port at a time.

Every worker is a thread of its own, but only the one that holds the baton runs. At each call of
a store, a bus or a performer the director looks into the plan: the call may fail, the worker may
be killed or made to wait while others go on. So everything is decided by the plan, and the same
plan plays out the same way.
"""

from __future__ import annotations

import random
import re
import threading
import traceback
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from crosswind.app import App
from crosswind.engine.dispatch import Engine
from crosswind.errors import Unreachable
from crosswind.gate.brakes import BrakeLever
from crosswind.ports import Message
from crosswind.records.ledger import Ledger
from crosswind.testing import (
    Fault,
    FaultyBus,
    FaultyPerformer,
    FaultyStore,
    Killed,
    Letter,
    PortCall,
    Post,
)
from crosswind.testing.faults import meet, unheard
from integration.proof.actors import Actor
from integration.proof.people import PERSON, intervene
from integration.proof.plans import CALLS, PAUSES, STALLS, START, WAITS, Deed, Plan
from integration.proof.plant import Plant
from integration.proof.watch import Watch
from integration.proof.witness import Witness

if TYPE_CHECKING:
    from integration.proof.scenarios import Scenario

TICK: Final = 0.001
"""Seconds that a call of a port takes."""

MOST_INSISTED: Final = 4
"""How often somebody tries again what another has died of."""

WORKERS: Final = ("ada", "bob", "cyd")
MOST_JOBS: Final = 2_000
MOST_CALLS: Final = 20_000
"""Deliveries and calls of ports after which a play counts as one that never comes to rest."""


class Director:
    """Plays one scenario by one plan.

    Args:
        scenario: the app, its events and its fleet.
        plan: what goes wrong.
        store: in place of the witness itself, for proving that a bad store is found out.
        engine: makes an engine, for proving that a bad one is found out.
    """

    def __init__(
        self,
        scenario: Scenario,
        plan: Plan,
        *,
        store: Callable[[Witness], Any] = lambda witness: witness,
        engine: Callable[..., Engine] = Engine,
    ) -> None:
        self.scenario = scenario
        self.plan = plan
        self.now = START
        self.calls = 0
        self.met: list[PortCall] = []
        self.over = False
        self.recovering = False
        self.crashes: list[str] = []
        self.lines: list[str] = []
        self.late: deque[tuple[str, Callable[[], object]]] = deque()
        self.deeds = deque(plan.deeds)
        self.gap = self.deeds[0].gap if self.deeds else 0
        self.shuffle = 0
        self.batch = 1
        self.kills = 0
        self.insisted = 0
        self.baton = threading.Lock()
        self.baton.acquire()
        self.at_work = "nobody"
        self.witness = Witness(lambda: (self.now, self.at_work))
        self.store = store(self.witness)
        self.engine_of = engine
        self.apps: dict[int, App] = {
            version: scenario.app(version) for version in range(1, scenario.versions + 1)
        }
        self.post = Post(
            self.apps.values(), lambda: self.now, max_receipts=scenario.settings.attempts * 4
        )
        self.watch = Watch(self)
        self.plant = Plant(self.watch)
        self.firsts = frozenset(said.data.event_type for said in scenario.events)
        self.worlds: dict[str, Any] = {}
        skew = scenario.settings.skew
        self.workers = [
            Actor(self, name, part * skew) for name, part in zip(WORKERS, plan.skews, strict=True)
        ]
        self.person = Actor(self, PERSON, 0.0)
        self.actors = [*self.workers, self.person]

    # -- the play ---------------------------------------------------------------------------------

    def play(self) -> None:
        """Play until nothing is left to be done, faults have ended and time has passed."""
        state = random.getstate()
        random.seed(20_270_115)
        for each in self.actors:
            each.start()
        try:
            self._publish_first_events()
            jobs = 0
            while True:
                actor = self._next()
                if actor is not None:
                    jobs += 1
                    self._hand_over(actor)
                elif not self._advance():
                    return
                if jobs > MOST_JOBS or self.calls > MOST_CALLS:
                    self.crashes.append(f"after {MOST_JOBS} deliveries it is not at rest")
                    return
        finally:
            self._dismiss()
            random.setstate(state)

    def story(self, most: int = 160) -> str:
        """What happened, with short names for ids."""
        names: dict[str, str] = {}

        def short(match: re.Match[str]) -> str:
            found = match[0]
            return names.setdefault(found, f"{'#' if '-' in found else '~'}{len(names) + 1}")

        lines = self.lines if len(self.lines) <= most else ["...", *self.lines[-most:]]
        text = "\n".join([f"{self.scenario.name} by the plan:", str(self.plan), *lines])
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b", short, text)

    def tell(self, line: str) -> None:
        """Add a line to the story."""
        self.lines.append(f"{self.now - START:9.3f} {line}")

    def crashed(self, actor: Actor, error: BaseException) -> None:
        """Note that an actor's process has ended in a way that nobody had in mind."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{actor.name} has crashed: {type(error).__name__}: {error} ({where.name})"
        self.crashes.append(text)
        self.tell(text)

    def clock(self, actor: Actor) -> Callable[[], float]:
        """The clock of an actor."""
        return lambda: self.now + actor.offset

    def engine(self, actor: Actor) -> Engine:
        """The engine in an actor's process."""
        if actor.engine is None:
            actor.engine = self.engine_of(
                self.apps[actor.version],
                FaultyStore(self.store, actor),
                FaultyBus(self.post, actor),
                fleet=self.scenario.fleet,
                performers=[
                    FaultyPerformer(one, actor) for one in self.scenario.performers(self, actor)
                ],
                settings=self.scenario.settings,
                clock=self.clock(actor),
            )
            actor.engine.runtime.gate.limits.pause = lambda seconds: None
        return actor.engine

    def _publish_first_events(self) -> None:
        for said in self.scenario.events:
            event = said.event(START)
            body = self.apps[1].codec.encode(event)
            attributes: dict[str, str | int | bool] = {
                "id": event.id,
                "source": event.source,
                "type": event.type,
            }
            if event.subject is not None:
                attributes["subject"] = event.subject
            self.post.publish([Message(event.id, body, attributes, START + said.after)])

    def _hand_over(self, actor: Actor) -> None:
        self.at_work = actor.name
        actor.baton.release()
        self.baton.acquire()
        self.at_work = "nobody"

    def _dismiss(self) -> None:
        self.over = True
        for actor in self.actors:
            if actor.paused:
                self._hand_over(actor)
            if actor.is_alive():
                actor.job = None
                actor.baton.release()
                actor.join()

    # -- who goes next ----------------------------------------------------------------------------

    def _next(self) -> Actor | None:
        """Whoever was made to wait goes on first; else an idle worker takes what is due."""
        for actor in self.actors:
            if (actor.paused or actor.job is not None) and actor.wake <= self.now:
                return actor
        due = self.post.due()
        worker = next((one for one in self.workers if one.idle and one.wake <= self.now), None)
        if not due or worker is None:
            return None
        pick, self.shuffle = self.shuffle % len(due), 0
        self._assign(worker, due, pick)
        return worker

    def _assign(self, worker: Actor, due: list[Letter], pick: int) -> None:
        first = due[pick]
        letters = [first]
        if not first.dead:
            alike = [one for one in due if one.group == first.group and one is not first]
            letters += alike[: self.batch - 1]
        self.batch = 1
        visibility = self.scenario.settings.lease * 1.5 + self.scenario.settings.skew
        for letter in letters:
            self.post.take(letter, visibility)
        worker.job = lambda: self._work(worker, letters)
        # The next to be idle takes its turn, so that all clocks come to bear.
        self.workers.remove(worker)
        self.workers.append(worker)

    def _work(self, worker: Actor, letters: list[Letter]) -> None:
        self.tell(f"{worker.name} works {', '.join(map(_named, letters))}")
        engine, settings = self.engine(worker), self.scenario.settings
        again: dict[str, Any] = {}
        live = [letter for letter in letters if not letter.dead]
        for letter in letters:
            if letter.dead:
                outcome = engine.bury(letter.delivery, letter.group)
                if outcome is not None:
                    again[letter.id] = outcome
        if live:
            until = engine.clock() + settings.lease * 0.5 + settings.skew
            deliveries = [letter.delivery for letter in live]
            again.update(engine.handle_batch(deliveries, live[0].group, until))
        for letter in letters:
            self._finish(worker, letter, again.get(letter.id))

    def _finish(self, worker: Actor, letter: Letter, again: Any) -> None:
        if again is not None:
            self.tell(f"{worker.name} returns {_named(letter)}: {again.reason}")

        def finish() -> None:
            if again is None:
                self.post.acknowledge(letter)
            else:
                # Never at once: time would not pass.
                self.post.hand_back(letter, max(again.after, 0.1))

        call = PortCall("bus", "acknowledge", letter.id, changes=True)
        try:
            meet(worker, call, finish, _no_answer, _no_answer)
        except Unreachable:
            pass  # it comes again when its visibility has lapsed

    # -- what goes wrong --------------------------------------------------------------------------

    def meet(self, actor: Actor, call: PortCall) -> Fault:
        """Decide on one call; may hand the baton to others first."""
        self.now += TICK
        self.calls += 1
        if self.calls > MOST_CALLS:
            self.crashes.append(f"after {MOST_CALLS} calls it is not at rest")
            self.deeds.clear()
            raise Killed("it goes round in circles")
        self.met.append(call)
        actor.issued, actor.written = self.now, self.witness.writes
        fault = self._fault(actor)
        if call.port == "store" and not call.changes:
            actor.looked[call.about.partition(" ")[2]] = self.witness.writes
            actor.looked[call.about] = self.witness.writes
        if fault != "none":
            self.tell(f"{actor.name}: {call} is {fault}")
        elif call.changes:
            self.tell(f"{actor.name}: {call}")
        if fault in ("killed", "killed-after"):
            self.kills += 1
        return fault

    def _fault(self, actor: Actor) -> Fault:
        self.gap -= 1
        while self.deeds and self.gap < 0:
            deed = self._take_deed()
            if deed.kind in CALLS:
                actor.outage = (cast("Fault", deed.kind), deed.times)
            elif deed.kind in PAUSES:
                self._let_others_go(actor, deed)
            else:
                self._happen(deed)
        kind, left = actor.outage
        if left <= 0:
            return "none"
        actor.outage = (kind, left - 1)
        return kind

    def _take_deed(self) -> Deed:
        deed = self.deeds.popleft()
        self.gap = self.deeds[0].gap if self.deeds else 0
        return deed

    def _let_others_go(self, actor: Actor, deed: Deed) -> None:
        if deed.kind == "stall":
            actor.wake = self.now + STALLS[deed.pick % len(STALLS)]
            self.tell(f"{actor.name} is stopped until {actor.wake - START:.3f}")
            actor.pause()
            self.tell(f"{actor.name} goes on")
            return
        others = [
            one
            for one in self.actors
            if one is not actor and one.wake <= self.now and (one.paused or one.job is not None)
        ]
        due = self.post.due()
        idle = next((one for one in self.workers if one.idle and one.wake <= self.now), None)
        number = len(others) + (len(due) if idle is not None else 0)
        if not number:
            return
        pick = deed.pick % number
        # To the front of those who are asked first; this one waits until they are done.
        if pick < len(others):
            chosen = others[pick]
        else:
            assert idle is not None
            chosen = idle
            self._assign(idle, due, pick - len(others))
        self.actors.remove(chosen)
        self.actors.insert(0, chosen)
        self.actors.remove(actor)
        self.actors.append(actor)
        self.tell(f"{actor.name} waits, {chosen.name} goes on")
        actor.pause()
        self.tell(f"{actor.name} goes on")

    def _happen(self, deed: Deed) -> None:
        kind, pick = deed.kind, deed.pick
        match kind:
            case "again" if self.post.sent:
                letter = self.post.sent[pick % len(self.post.sent)]
                self.tell(f"the bus delivers {_named(letter)} again")
                self.post.duplicate(letter)
            case "early":
                # What nobody has observed yet cannot be told early.
                waiting = [
                    one
                    for one in self.post.letters
                    if one.due > self.now and (one.receipts or one.type not in self.firsts)
                ]
                if waiting:
                    letter = waiting[pick % len(waiting)]
                    self.tell(f"the bus delivers {_named(letter)} early")
                    letter.due = self.now
            case "shuffle":
                self.shuffle = pick
            case "batch":
                self.batch = pick + 1
            case "give-up":
                if self.post.letters:
                    letter = self.post.letters[pick % len(self.post.letters)]
                    self.tell(f"the bus gives up {_named(letter)}")
                    letter.receipts = self.post.max_receipts
            case "wait":
                self.now += WAITS[pick % len(WAITS)]
                self.tell("time passes")
            case "land" if self.late:
                self.late.rotate(-pick)
                self._land()
            case "upgrade":
                worker = self.workers[pick % len(self.workers)]
                self._upgrade(worker, worker.version % self.scenario.versions + 1)
            case "mend":
                self.plant.broken = not self.plant.broken
                self.tell(f"the plant is {'broken' if self.plant.broken else 'mended'}")
            case "freeze" | "thaw" | "approve" | "reject" | "redrive":
                if self.person.idle:
                    self.person.job = lambda: intervene(self, kind, pick)

    def _upgrade(self, worker: Actor, version: int) -> None:
        if worker.idle and worker.version != version:
            worker.version = version
            worker.engine = None
            self.tell(f"{worker.name} is replaced, with version {worker.version}")

    def _land(self) -> None:
        what, effect = self.late.popleft()
        self.tell(f"late, {what} lands")
        self.at_work = "the past"
        unheard(effect)

    # -- when nobody has anything to do -----------------------------------------------------------

    def _advance(self) -> bool:
        """Bring about the next thing to be done; False when there is none and faults are over."""
        while self.deeds:
            deed = self._take_deed()
            if deed.kind not in CALLS and deed.kind not in PAUSES:
                self._happen(deed)
                return True
        if not self.recovering:
            self._recover()
            return True
        moments = [actor.wake for actor in self.actors if actor.paused]
        due = self.post.next_due()
        if due is not None and any(worker.idle for worker in self.workers):
            moments.append(due)
        if moments:
            self.now = max(self.now, min(moments))
            return True
        if self.late:
            self._land()
            return True
        return self._insist()

    def _insist(self) -> bool:
        """Whoever was to redrive a run and died on the way is followed by one who tries again."""
        if not any(record.state == "redriven" for _, record in self.witness.records()):
            return False
        self.insisted += 1
        self.person.job = lambda: intervene(self, "insist", 0)
        return self.insisted < MOST_INSISTED

    def _recover(self) -> None:
        """Faults are over; what people have stopped goes on."""
        self.recovering = True
        self.tell("faults are over")
        self.plant.broken = False
        for actor in self.actors:
            actor.outage = ("none", 0)
        for worker in self.workers:
            self._upgrade(worker, self.scenario.versions)
        if self.scenario.fleet is not None:
            ledger = Ledger(self.witness, lambda: self.now)
            BrakeLever(ledger, self.scenario.fleet.name, lambda: self.now).thaw()


def _named(letter: Letter) -> str:
    kind = letter.type.removeprefix("com.example.").removeprefix("dev.crosswind.")
    dead = " (dead)" if letter.dead else ""
    return f"{kind} {letter.id}{dead}"


def _no_answer() -> Exception:
    return Unreachable("the bus does not answer")
