"""A history, rehearsed: today's policy on past signals, in virtual time, and only observed.

arrivals in the order of time -> the real engine, every mode observe -> chains in a store
     timers, windows and deadlines fall due in virtual time
     what was assumed takes effect in the rehearsal's own register
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from crosswind.fleet.policies import ModePolicy
from crosswind.journal.shadow.account import Account
from crosswind.journal.shadow.assumed import assumed_faults
from crosswind.journal.shadow.following import Following
from crosswind.journal.shadow.history import Arrival, History
from crosswind.records.parking import Parking
from crosswind.sim import Nature, Simulation
from crosswind_events import Event

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.engine.settings import Settings
    from crosswind.fleet.declaration import Fleet
    from crosswind.ports import Store

AFTER: Final = 4 * 86_400.0
"""Seconds for which virtual time goes on after the last arrival: longer than a way back may take,
so that every chain has ended."""

BEFORE: Final = 3_600.0
"""Seconds that lie before the first arrival, in which all is as it is declared."""

NATURE: Final = Nature(message_median=0.001, message_spread=0.0, message_most=0.001, duplicates=0.0)
"""A bus that takes a millisecond for each message and keeps their order."""


def rehearse(
    app: App,
    fleet: Fleet,
    history: History,
    store: Store,
    *,
    file: str,
    settings: Settings | None = None,
) -> Account:
    """Play a history, and keep what came of it in a store.

    Args:
        app: the reactions; their schedules are left out, as there is nothing to look at.
        fleet: today's policy; all of its modes are taken as observe.
        store: an empty one, of the rehearsal's own.
        file: the history's name, for people.
        settings: bounds and times of the engine; those of the app unless given.
    """
    from crosswind.engine.settings import Settings as Defaults

    begun = time.monotonic()
    settings = settings or app.settings or Defaults()
    observed = only_observed(fleet)
    first = min((arrival.at for arrival in history.arrivals), default=0.0)
    last = max((arrival.at for arrival in history.arrivals), default=0.0)
    start = first - BEFORE
    simulation = Simulation(
        app,
        observed,
        assumed_faults(history.arrivals, observed, start),
        store=store,
        start=start,
        nature=NATURE,
        settings=settings,
    )
    end = last + AFTER
    for schedule in app.schedules:
        simulation.timetable.skip(schedule.name, end + 1.0)
    following = Following(simulation)
    post = _Post(app, simulation)
    for arrival in history.arrivals:
        post.plan(arrival)
    simulation.run(end - start)
    parking = Parking(simulation.engine.ledger, lambda: end, lambda at: at)
    account = Account(
        file=file,
        fleet=fleet.name,
        digest=fleet.digest,
        began=first,
        last=last,
        ended=end,
        took=round(time.monotonic() - begun, 3),
        lines=history.lines,
        events=history.events,
        worked=post.taken,
        untaken=dict(post.untaken),
        parked=sum(1 for _ in parking.list(days=int((end - start) // 86_400) + 2)),
        ignored=dict(history.ignored.most_common()),
        refused=history.unread,
        refusals=tuple(f"line {one.line}: {one.problem}" for one in history.refused),
        repeated=history.repeated,
        delivered=simulation.delivered,
        assumed=dict(following.done),
        declined=dict(following.refused),
    )
    account.keep(simulation.engine.ledger)
    return account


def only_observed(fleet: Fleet) -> Fleet:
    """The same declaration, in which every mode is observe."""
    modes = ModePolicy(default="observe").model_dump(mode="json")
    return type(fleet).model_validate({**fleet.model_dump(mode="json"), "modes": modes})


class _Post:
    """Brings the arrivals in, each at its time."""

    def __init__(self, app: App, simulation: Simulation) -> None:
        self.app = app
        self.simulation = simulation
        self.taken = 0
        self.untaken: Counter[str] = Counter()

    def plan(self, arrival: Arrival) -> None:
        at = arrival.at - self.simulation.start
        self.simulation.at(at, lambda: self._come(arrival))

    def _come(self, arrival: Arrival) -> None:
        wanted = [event for event in arrival.events if self._takes(event)]
        self.simulation.signal(wanted, list)
        self.taken += len(wanted)

    def _takes(self, event: Event[Any]) -> bool:
        if any(handler.matches(event) for handler in self.app.by_type.get(event.type, ())):
            return True
        self.untaken[event.type] += 1
        return False
