"""Faults: what goes wrong in a simulated world, when and how badly, as frozen data.

A plan of faults is all that distinguishes one run from another of the same fleet and seed. It goes
to JSON and back, so that what was found once can be played again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from pydantic import TypeAdapter

from crosswind.errors import CrosswindError

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

Kind = Literal[
    # what is served
    "outage",
    "brown-out",
    "slow",
    "flapping",
    "crash",
    "preemption",
    "surge",
    # what can be had
    "stockout",
    "quota",
    "slow-start",
    "price",
    # what is seen
    "false-alarm",
    "blind-probe",
    "stale-telemetry",
    "late-telemetry",
    "missing-telemetry",
    "wrong-telemetry",
    "notice",
    "alarm",
    # what is done
    "control-plane",
    "call-fails",
    "call-unanswered",
    "call-late",
    "call-hangs",
    "slow-bus",
]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Size(NamedTuple):
    """What the size of a kind of fault means; None as default where it has none."""

    default: float | None
    low: float
    high: float
    meaning: str


SIZES: Final[dict[Kind, Size]] = {
    "outage": Size(None, 0, 0, "everything in the region fails, and it does not answer"),
    "brown-out": Size(0.3, 0, 1, "share of requests that fail"),
    "slow": Size(5.0, 1, 1000, "factor on latency"),
    "flapping": Size(0.5, 0.01, 0.99, "share of each period in which the region is down"),
    "crash": Size(0.5, 0, 1, "share of replicas that stop; they start again when it is over"),
    "preemption": Size(1.0, 0, 1, "share of spot replicas that the cloud takes back"),
    "surge": Size(2.0, 0, 1000, "factor on what users send"),
    "stockout": Size(0.0, 0, 1, "share that is granted of replicas asked for beyond those held"),
    "quota": Size(0.5, 0, 1, "factor on the quotas of the region"),
    "slow-start": Size(10.0, 1, 10_000, "factor on the time that new replicas take to start"),
    "price": Size(2.0, 0, 1000, "factor on prices"),
    "false-alarm": Size(1.0, 0, 1, "share of probes that fail though all is well"),
    "blind-probe": Size(None, 0, 0, "probes are answered well whatever is the matter"),
    "stale-telemetry": Size(None, 0, 0, "telemetry shows what it showed when this began"),
    "late-telemetry": Size(120.0, 0, 86_400, "seconds by which telemetry lags behind"),
    "missing-telemetry": Size(None, 0, 0, "telemetry has nothing of the region"),
    "wrong-telemetry": Size(0.0, 0, 1, "error rate that telemetry shows instead of the true one"),
    "notice": Size(None, 0, 0, "the provider says that it fails, and at the end that it is well"),
    "alarm": Size(None, 0, 0, "an alarm of yours of this name fires, and clears at the end"),
    "control-plane": Size(None, 0, 0, "the region serves, but takes no orders"),
    "call-fails": Size(1.0, 0, 1, "share of action calls that are refused"),
    "call-unanswered": Size(1.0, 0, 1, "share of action calls that are done and not answered"),
    "call-late": Size(60.0, 0, 86_400, "seconds after which a call that was not answered lands"),
    "call-hangs": Size(None, 0, 0, "action calls are under way until this is over"),
    "slow-bus": Size(5.0, 0, 86_400, "seconds that every message takes longer"),
}
"""Default, bounds and meaning of `Fault.size` for each kind."""

_ANYWHERE: Final[frozenset[Kind]] = frozenset({"surge", "slow-bus"})
"""Kinds that have no place."""

_CALLS: Final[frozenset[Kind]] = frozenset(
    {"call-fails", "call-unanswered", "call-late", "call-hangs"}
)
_PROBES: Final[frozenset[Kind]] = frozenset({"false-alarm", "blind-probe"})


class InvalidFaults(CrosswindError, ValueError):
    """A fault that cannot be, or that the fleet does not know; the message lists all of it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong for a time.

    Its place is a region, all regions of a failing domain, all of a cloud, or, where none of these
    is given, everywhere.

    Args:
        begins, ends: seconds since the beginning of the simulation.
        region, domain, cloud: where; at most one of them.
        workload: which one it concerns; all unless given.
        vantage: the observer whose probes it concerns; all unless given.
        size: how badly, see `SIZES`; the default of its kind unless given.
        every: seconds of one period, of a region that flaps.
        action: glob over the kinds of action whose calls it concerns.
        name: of the alarm.
        note: for whoever reads the plan.

    Raises:
        InvalidFaults: lists all that is wrong with it.
    """

    kind: Kind
    begins: float
    ends: float
    region: str | None = None
    domain: str | None = None
    cloud: Literal["aws", "gcp", "azure"] | None = None
    workload: str | None = None
    vantage: str | None = None
    size: float | None = None
    every: float = 120.0
    action: str = "*"
    name: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in SIZES:
            raise InvalidFaults(f"there is no fault {self.kind!r}; take one of {', '.join(KINDS)}")
        if self.size is None:
            object.__setattr__(self, "size", SIZES[self.kind].default)
        found = list(self._faults())
        if found:
            raise InvalidFaults(f"{self.kind}: {'; '.join(found)}")

    def _faults(self) -> Iterator[str]:
        if not (isfinite(self.ends) and self.begins >= 0):
            yield f"it lasts from {self.begins:g} to {self.ends:g} s, which is no time"
        elif self.ends <= self.begins:
            yield f"it ends at {self.ends:g}, not after it begins at {self.begins:g}"
        places = [name for name in ("region", "domain", "cloud") if getattr(self, name)]
        if len(places) > 1:
            yield f"its place is given as {' and '.join(places)}; give one of them"
        if places and self.kind in _ANYWHERE:
            yield f"{self.kind} has no place; leave out {places[0]}"
        low, high = SIZES[self.kind][1:3]
        if SIZES[self.kind].default is None and self.size is not None:
            yield f"{self.kind} has no size; leave it out"
        elif self.size is not None and not low <= self.size <= high:
            yield f"size is {self.size:g}; of {self.kind} it goes from {low:g} to {high:g}"
        if self.kind == "alarm" and not self.name:
            yield "an alarm has a name; give name="
        if self.vantage is not None and self.kind not in _PROBES:
            yield f"{self.kind} concerns no probe; leave out vantage"
        if self.action != "*" and self.kind not in _CALLS:
            yield f"{self.kind} concerns no action; leave out action"
        if self.every <= 0:
            yield f"a period of {self.every:g} s is no time"
        if self.kind in ("notice", "alarm") and self.region is None:
            yield f"{self.kind} is about one region; give region="

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.ends - self.begins

    def concerns(self, region: str, domains: Iterable[str]) -> bool:
        """Whether a region with these failing domains lies in its place."""
        if self.region is not None:
            return self.region == region
        if self.domain is not None:
            return self.domain in domains
        return self.cloud is None or region.startswith(f"{self.cloud}/")

    def regions(self, fleet: Fleet) -> tuple[str, ...]:
        """The regions of a fleet that lie in its place."""
        return tuple(
            name
            for name, spec in fleet.regions.items()
            if self.concerns(name, spec.failing_domains)
        )

    def __str__(self) -> str:
        place = self.region or self.domain or self.cloud or "everywhere"
        size = "" if self.size is None else f" {self.size:g}"
        whose = "" if self.workload is None else f" of {self.workload}"
        return f"{self.kind}{size}{whose} in {place}, {self.begins:.0f} to {self.ends:.0f} s"


_PLAN: Final = TypeAdapter(tuple[Fault, ...])


class Faults:
    """A plan of faults, in the order in which they begin.

    Args:
        faults: in any order.
    """

    __slots__ = ("_faults",)

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = tuple(sorted(faults, key=lambda one: (one.begins, one.ends, repr(one))))

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def __len__(self) -> int:
        return len(self._faults)

    def __add__(self, others: Iterable[Fault]) -> Faults:
        return Faults((*self._faults, *others))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Faults) and self._faults == other._faults

    def __hash__(self) -> int:
        return hash(self._faults)

    def __repr__(self) -> str:
        return f"Faults([{', '.join(f'<{fault}>' for fault in self._faults)}])"

    def to_json(self) -> str:
        """The plan as JSON, without what is as it is by default."""
        return _PLAN.dump_json(self._faults, exclude_defaults=True).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Faults:
        """The plan that `to_json` gave.

        Raises:
            pydantic.ValidationError: lists every fault of it.
        """
        return cls(_PLAN.validate_json(text))

    def check(self, fleet: Fleet) -> None:
        """Demand that the fleet declares all that the plan names.

        Raises:
            InvalidFaults: lists all that it does not.
        """
        found = [f"{fault}: {wrong}" for fault in self._faults for wrong in _unknown(fault, fleet)]
        if found:
            raise InvalidFaults("; ".join(found[:20]))


NO_FAULTS: Final = Faults()


def _unknown(fault: Fault, fleet: Fleet) -> Iterator[str]:
    if not fault.regions(fleet):
        yield f"fleet {fleet.name} has no such region"
    if fault.workload is not None and fault.workload not in fleet.workloads:
        yield f"fleet {fleet.name} has no such workload"
    if fault.vantage is not None and fault.vantage not in fleet.probes.vantages:
        yield f"{fault.vantage} is no vantage of fleet {fleet.name}"
