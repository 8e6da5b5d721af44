"""What is played: an app, the events that come to it, its fleet, and what may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from crosswind.actions import Performer
from crosswind.app import App
from crosswind.engine.settings import Settings
from crosswind.fleet.declaration import Fleet
from crosswind_events import Event, EventData
from integration.proof import chains
from integration.proof.plans import EVERYWHERE, Deeds
from integration.proof.plant import Asked, Sick, Well

if TYPE_CHECKING:
    from integration.proof.actors import Actor
    from integration.proof.director import Director

SETTINGS: Final = Settings(
    lease=10.0,
    skew=1.0,
    attempts=3,
    backoff=0.5,
    backoff_limit=4.0,
    deadline=600.0,
    approval=60.0,
    freeze_check=5.0,
    queue_check=3.0,
    wait=2.0,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A first event.

    Attributes:
        after: seconds after the beginning at which it is published.
        ago: seconds before that at which it was observed.
    """

    data: EventData
    id: str = "1"
    source: str = "//a.example.com"
    after: float = 0.0
    ago: float = 0.0

    def event(self, start: float) -> Event[Any]:
        """As it is published."""
        at = datetime.fromtimestamp(start + self.after - self.ago, UTC)
        return Event.of(self.data, id=self.id, source=self.source, time=at)


def _plant(director: Director, actor: Actor) -> Sequence[Performer]:
    return (director.plant,)


@dataclass(frozen=True)
class Scenario:
    """One thing to play.

    Attributes:
        app: makes it, in a version of its code.
        kinds: what may go wrong beside what may go wrong everywhere.
        versions: of the code.
        ends: whether every chain must be closed when all is over.
        drops: what runs may be dropped for, beside the end of their chain.
        varying: types of events in which racing runs may say the same in different words.
        promises: that are to be kept beside those of any play.
    """

    name: str
    app: Callable[[int], App]
    events: tuple[Said, ...]
    fleet: Fleet | None = None
    settings: Settings = SETTINGS
    performers: Callable[[Director, Actor], Sequence[Performer]] = _plant
    kinds: tuple[Deeds, ...] = ()
    versions: int = 1
    ends: bool = True
    drops: tuple[str, ...] = ()
    varying: tuple[str, ...] = ()
    promises: tuple[Callable[[Director], Iterable[str]], ...] = ()

    @property
    def deeds(self) -> tuple[Deeds, ...]:
        """All that may go wrong."""
        return (*EVERYWHERE, *self.kinds)


def fleet(mode: str = "act", **more: Any) -> Fleet:
    """A fleet of one region and one workload."""
    return Fleet.model_validate(
        {
            "name": "test",
            "regions": {"aws/us-east-1": {"jurisdiction": "US"}},
            "workloads": {
                "chat": {
                    "regions": {"aws/us-east-1": {"weight": 1.0, "replicas": 4, "quota": 8}},
                    "rate": 10.0,
                    "per_replica": 10.0,
                }
            },
            "modes": {"default": mode},
            **more,
        }
    )


def _sick(number: int, **how: Any) -> Said:
    return Said(Sick(), id=str(number), source=f"//{number}.example.com", **how)


_LIMITED: Final = fleet(limits=[{"limit": "replicas-removed", "most": 4, "per": 1000}])

SCENARIOS: Final = (
    Scenario("relay", chains.relay, (Said(Asked(text="well?")),), kinds=("upgrade",), versions=2),
    Scenario(
        "valves",
        chains.valves,
        (Said(Asked()),),
        fleet(),
        kinds=("upgrade", "freeze", "thaw"),
        versions=2,
    ),
    Scenario("observed", chains.valves, (Said(Asked()),), fleet("observe"), versions=2),
    Scenario("slow", chains.slow, (Said(Asked()),), fleet(), kinds=("freeze", "thaw")),
    Scenario("fickle", chains.fickle, (Said(Asked()),), fleet(), kinds=("upgrade",), versions=2),
    Scenario("fan", chains.fan, (Said(Asked()),), fleet()),
    Scenario("bad fan", lambda v: chains.fan(v, bad="b"), (Said(Asked()),), fleet()),
    Scenario("ask", chains.ask, (Said(Asked()),)),
    Scenario(
        "ward",
        lambda v: chains.ward("join"),
        (_sick(1), _sick(2, after=0.01), _sick(3, after=20.0)),
        fleet(),
    ),
    Scenario(
        "taken back",
        lambda v: chains.ward("join"),
        (Said(Sick(), id="1", ago=9.0), Said(Well(), id="2", ago=1.0), _sick(3)),
        fleet(),
        drops=("has said",),
    ),
    Scenario(
        "supersede",
        lambda v: chains.ward("supersede", quorum=1),
        (_sick(1, ago=2.0), _sick(2, after=0.01), _sick(3, after=0.5)),
        fleet(),
        drops=("works a newer event",),
    ),
    Scenario(
        "queue",
        lambda v: chains.ward("queue", quorum=1),
        (_sick(1), _sick(2, after=0.01), _sick(3, after=0.02)),
        fleet(),
    ),
    Scenario("calm", chains.calm, (_sick(1), _sick(2, after=0.01)), fleet()),
    Scenario(
        "pair",
        chains.pair,
        (_sick(1), _sick(2, after=0.01)),
        fleet(),
        drops=("its chain was closed before it could be worked",),
    ),
    Scenario(
        "endless",
        chains.endless,
        (Said(Asked()), Said(Asked(text="silence"), id="2")),
        fleet(),
    ),
    Scenario("broken", chains.broken, (Said(Asked()),), fleet(), kinds=("mend", "redrive")),
    Scenario(
        "broken flight",
        chains.broken_flight,
        (_sick(1), _sick(2, after=45.0)),
        fleet(),
        kinds=("mend", "redrive", "redrive"),
        drops=("works a newer event",),
    ),
    Scenario(
        "braked",
        chains.braked,
        tuple(Said(Asked(text=text), id=str(n)) for n, text in enumerate(("blast", "", ""))),
        _LIMITED,
        kinds=("freeze", "thaw", "approve", "approve", "reject"),
    ),
)
