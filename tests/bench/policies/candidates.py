"""The policies that are compared: settings of Crosswind, and what people use today.

Each setting differs from the first one in what its name says, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from bench.policies.alarms import Alarm, AlarmFailover
from bench.policies.fleet import PLACES, fleet
from bench.policies.healthchecks import DnsFailover

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.sim import Accounts, World


class Steering(Protocol):
    """Whatever steers a world without an engine."""

    def next(self) -> float:
        """When it does something next, in seconds since the beginning."""
        ...

    def act(self) -> None:
        """Do what is due by now."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """Crosswind under a policy, played on the real engine.

    Args:
        vantages, failover, probes, shift, kinds: see `fleet`.
        answer_after: seconds after which a person approves what is proposed.
    """

    name: str
    vantages: int = 2
    failover: Mapping[str, Any] = field(default_factory=dict)
    probes: Mapping[str, Any] = field(default_factory=dict)
    shift: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    answer_after: float | None = None

    @property
    def fleet(self) -> Fleet:
        """The fleet under this policy."""
        return fleet(
            vantages=self.vantages,
            failover=self.failover,
            probes=self.probes,
            shift=self.shift,
            kinds=self.kinds,
        )


@dataclass(frozen=True, slots=True)
class Peer:
    """What people use today.

    Args:
        steer: makes it, for a world that has been well up to a moment.
    """

    name: str
    steer: Callable[[World, Accounts, float], Steering]

    @property
    def fleet(self) -> Fleet:
        """The same fleet, with observers in all places."""
        return fleet(vantages=len(PLACES))


Candidate = Setting | Peer

AS_IT_COMES: Final = "as it comes, two vantages"

_USERS: Final[Mapping[str, Any]] = {"quorum": 3, "weights": {"telemetry": 2}}
_SOON: Final[Mapping[str, Any]] = {
    "burn": [
        {"long": 600, "short": 60, "factor": 10},
        {"long": 3600, "short": 300, "factor": 14.4},
        {"long": 21_600, "short": 1800, "factor": 6, "weight": 0.5},
    ]
}

SETTINGS: Final = (
    Setting(AS_IT_COMES),
    Setting("one vantage", vantages=1),
    Setting("three vantages, quorum 2", vantages=3),
    Setting("three vantages, quorum 3", vantages=3, failover={"quorum": 3}),
    Setting("quorum 3: both vantages and the traffic", failover={"quorum": 3}),
    Setting("the traffic and a vantage", failover=_USERS),
    Setting("probes every 10 s", probes={"every": 10}),
    Setting("probes every 60 s", probes={"every": 60}),
    Setting("rounds spread (jitter 1)", probes={"jitter": 1.0}),
    Setting("probes every 10 s, spread", probes={"every": 10, "jitter": 1.0}),
    Setting(
        "three vantages, quorum 3, spread",
        vantages=3,
        failover={"quorum": 3},
        probes={"jitter": 1.0},
    ),
    Setting("evidence has to last 20 s", failover={"hold": 20}),
    Setting("evidence has to last 60 s", failover={"hold": 60}),
    Setting("probes every 10 s, to last 60 s", failover={"hold": 60}, probes={"every": 10}),
    Setting(
        "probes every 10 s, to last 60 s, one step",
        failover={"hold": 60},
        probes={"every": 10},
        shift={"steps": 1},
    ),
    Setting("one failed probe of three", probes={"threshold": 0.3}),
    Setting("three failed probes of three", probes={"threshold": 1.0}),
    Setting("half-life 30 s", failover={"half_life": 30}),
    Setting("a pair of 10 min and 1 min", failover=_SOON),
    Setting("soak 2 min", failover={"soak": 120}),
    Setting("soak 30 min", failover={"soak": 1800}),
    Setting("all moved in one step", shift={"steps": 1}),
    Setting("a person approves, 5 min", kinds={"register.accept": "propose"}, answer_after=300),
)
"""Crosswind's settings, the one that all others differ from first."""

PEERS: Final = (
    Peer("DNS, three failures at 30 s", DnsFailover),
    Peer("DNS, three failures at 10 s", partial(DnsFailover, every=10.0)),
    Peer(
        "DNS, one checker, three at 30 s",
        partial(DnsFailover, places=PLACES[:1], each=1),
    ),
    Peer("alarm, 1 of 1 over 60 s", partial(AlarmFailover, alarm=Alarm(1, 1))),
    Peer("alarm, 3 of 3 over 60 s", partial(AlarmFailover, alarm=Alarm(3, 3))),
)
"""What they are held against, on the same faults."""

CANDIDATES: Final[Mapping[str, Candidate]] = {one.name: one for one in (*SETTINGS, *PEERS)}
