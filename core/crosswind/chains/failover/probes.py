"""Probes: the first evidence, for where no alarm is set up or its cloud does not answer.

    tick -> one probe.due for each region -> one for each vantage, each at a moment of its own
         -> telemetry_due for the workloads, likewise
    probe.due -> synthetic requests to every workload there; another one for those that are left
    telemetry_due -> real traffic by region, its last round and its burn rates

A run has no memory, and needs none: what is said depends on what is seen and on the register.

| the register says      | failing                                  | all well             |
|------------------------|------------------------------------------|----------------------|
| serving                | region.unhealthy at every tick           | nothing              |
| serving, incident open | region.unhealthy at every tick           | once in a window     |
| evacuated              | unhealthy, if traffic is intended there  | region.recovered     |
| soaking                | region.unhealthy at every tick           | once in a window     |

A workload that has neither traffic nor a replica in a region, a cold standby, is not expected to
answer there. A word repeated joins the same chain and counts once. A probe that was answered again
is found out before the region is left, by a fresh look (see `hysteresis`). A vantage that sees a
region fail looks at others first, and its word carries what it saw there (see `vantages`). Where
all workloads of a region look the same from one vantage that is said once, of the region.

Rounds of different regions and vantages are shifted against each other by a part of
`probes.jitter`, which derives from their names: always by the same, so that each pair is looked at
in even distances, and not all of them in one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from zlib import crc32

from crosswind.app import App
from crosswind.chains.failover import traffic
from crosswind.chains.failover.chain import incident_of
from crosswind.chains.failover.vantages import Sight, expected, failed, late, sight
from crosswind.chains.incidents.operations import OpenIncidents
from crosswind.context import Context
from crosswind.emissions import Later, Start, later, start
from crosswind.fleet.declaration import Fleet, ProbePolicy
from crosswind.fleet.operations import ReadRegions, ReadRegister
from crosswind.fleet.quantities import TOLERANCE
from crosswind.operations.telemetry import Probed, ProbeEndpoint, ReadTelemetry
from crosswind_events import Event, RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.probe import ProbeDue, TelemetryDue
from crosswind_events.catalogue.schedule import Tick

EVERY: Final = 30.0
"""Seconds between two rounds unless said otherwise: the default of the fleet's `probes.every`."""

_REGIONS: Final = 64
_NAMES: Final = 100
_CHUNKS: Final = 32
"""Regions, workloads of one event, and such events that a tick asks for: all that a fleet has."""

_PROBED: Final = 40
_WATCHED: Final = 20
"""Workloads that one run looks at, the rest being left to another."""

_CELLS: Final = 1200
"""Numbers of one window and region that one run reads, so that its record holds them."""

_PATIENCE: Final = 20.0
"""Seconds after which a run leaves the rest to another, well before its lease ends."""

_ALL_SILENT: Final = 3
"""Workloads after which, where all have failed, one request each says the same of the rest."""

_SAID: Final = 20
_WORDS: Final = 80
"""Workloads named one by one from a vantage, and words of one run about real traffic."""

_WINDOW: Final = 10.0
"""Seconds of real traffic that are looked at, at the least."""


def probes_app(every: float = EVERY) -> App:
    """The app that looks at regions by itself.

    Args:
        every: seconds between two rounds; use the fleet's `probes.every`.
    """
    app = App("probes")
    app.schedule(every=every)(tick)
    app.on(reads=[ReadRegions, ReadRegister, ProbeEndpoint, OpenIncidents])(probe)
    app.on(reads=[ReadRegions, ReadRegister, ReadTelemetry])(watch)
    return app


def shift(policy: ProbePolicy, *ids: str) -> float:
    """Seconds by which the rounds of a region, or of a region and vantage, begin later."""
    return crc32("\0".join(ids).encode()) / 2**32 * policy.jitter * policy.every


def tick(event: Event[Tick], ctx: Context) -> Iterator[ProbeDue | Later[TelemetryDue]]:
    """One round."""
    fleet = ctx.fleet
    regions = [region for region in sorted(fleet.regions) if fleet.workloads_in(region)]
    for region in regions[:_REGIONS]:
        yield ProbeDue(region=region, began=event.time)
    names = tuple(sorted(fleet.workloads))
    for first in range(0, min(len(names), _NAMES * _CHUNKS), _NAMES):
        chunk = names[first : first + _NAMES]
        due = TelemetryDue(workloads=chunk, began=event.time)
        yield later(due, shift(fleet.probes, "telemetry", chunk[0]))


def probe(
    event: Event[ProbeDue], ctx: Context
) -> Iterator[Later[ProbeDue] | ProbeDue | Start[RegionUnhealthy] | Start[RegionRecovered]]:
    """Send synthetic requests to a region from a vantage, and say what is worth saying."""
    due, policy, now = event.data, ctx.fleet.probes, ctx.now()
    began = due.began or event.time
    if _too_late(began, now, policy):
        return
    if due.vantage is None:
        for vantage in policy.vantages:
            its = due.model_copy(update={"vantage": vantage, "began": began})
            yield later(its, shift(policy, due.region, vantage))
    elif due.vantage in policy.vantages:
        yield from _Round(due, began, ctx).look(now)


def watch(
    event: Event[TelemetryDue], ctx: Context
) -> Iterator[TelemetryDue | Start[RegionUnhealthy]]:
    """Look at real traffic, and say which regions break what was promised for it."""
    fleet, now = ctx.fleet, ctx.now()
    began = event.data.began or event.time
    if _too_late(began, now, fleet.probes):
        return
    seconds = max(fleet.probes.every, _WINDOW)
    states = ctx.observe(ReadRegions()).regions
    # Those that were taken out of the fleet since the tick are passed over.
    names = [name for name in event.data.workloads if name in fleet.workloads]
    mine, rest = _divided(names, fleet)
    if rest:
        yield TelemetryDue(workloads=tuple(rest), began=began)
    words = 0
    for workload in mine:
        seen = ctx.observe(traffic.question(workload, fleet, seconds))
        for region in sorted(set(seen.regions) & set(fleet.workloads[workload].regions)):
            since = states[region].since
            found = traffic.failing(seen, region, workload, fleet, now, since)
            if found is None or words == _WORDS:
                continue
            # What is left in the window of a region's last traffic says nothing new about it.
            if states[region].state == "evacuated" and not _intended(workload, region, ctx):
                continue
            words += 1
            said = RegionUnhealthy(
                region=region,
                evidence="telemetry",
                workload=workload,
                reason=found.reason,
                measured=found.measured,
            )
            yield start(said, subject=region, observer=observer(said))


def observer(said: RegionUnhealthy | RegionRecovered) -> str:
    """Who says it: a kind of evidence, from a vantage point where it has one.

    Each is a source of its own, so that what one says does not take back what another has said.
    """
    return said.evidence if said.vantage is None else f"{said.evidence}-{said.vantage}"


class _Round:
    """What one vantage sees of one region, as far as one run gets.

    Attributes:
        lost: how many workloads failed; `failed` are those of them of which that is worth saying.
        absent: how many have nothing there that could answer: a standby without a replica.
        sight: what the vantage sees of other regions, once that was looked at.
    """

    def __init__(self, due: ProbeDue, began: datetime, ctx: Context) -> None:
        self.due, self.began, self.ctx = due, began, ctx
        self.region, self.vantage = due.region, str(due.vantage)
        self.fleet = ctx.fleet
        self.probed: dict[str, Probed] = {}
        self.lost = self.absent = 0
        self.failed: list[str] = []
        self.sight: Sight | None = None

    def look(
        self, now: datetime
    ) -> Iterator[ProbeDue | Start[RegionUnhealthy] | Start[RegionRecovered]]:
        """Probe, and say what is worth saying; the rest is left to another run."""
        ctx, region = self.ctx, self.region
        state = ctx.observe(ReadRegions(regions=(region,))).regions[region].state
        left = self._left()
        for name in left[:_PROBED]:
            if (ctx.now() - now).total_seconds() > _PATIENCE:
                break
            if self._fails(name) and self._matters(name, state):
                if self.sight is None:
                    self.sight = sight(self.vantage, region, name, ctx)
                self.failed.append(name)
                if self.sight.blind:
                    yield self._start(self._blind(name))
                    return
        rest = left[len(self.probed) :]
        if rest:
            yield self._handed_on()
        if self.failed:
            yield from map(self._start, self._unhealthy(last=not rest))
        elif not rest and self._all_well(state, now):
            yield self._start(self._recovered())

    def _left(self) -> Sequence[str]:
        workloads = self.fleet.workloads_in(self.region)
        if self.due.after in workloads:
            return workloads[workloads.index(self.due.after) + 1 :]
        return workloads

    def _fails(self, name: str) -> bool:
        """Probe a workload; once all are silent, one request tells whether another is not."""
        silent = self.lost + self.absent == len(self.probed) >= _ALL_SILENT
        seen = self.ctx.observe(
            ProbeEndpoint(
                workload=name,
                region=self.region,
                count=1 if silent else self.fleet.probes.count,
                vantage=self.vantage,
            )
        )
        self.probed[name] = seen
        return failed(seen, self.fleet, name)

    def _matters(self, name: str, state: str) -> bool:
        """Count a workload that failed; whether that is worth saying."""
        if not expected(name, self.region, self.ctx):
            self.absent += 1
            return False
        self.lost += 1
        return state != "evacuated" or _intended(name, self.region, self.ctx)

    @property
    def asked(self) -> int:
        """How many workloads that have something there were asked, in this run and before."""
        return self.due.asked + len(self.probed) - self.absent

    def _handed_on(self) -> ProbeDue:
        return self.due.model_copy(
            update={
                "began": self.began,
                "after": list(self.probed)[-1],
                "asked": self.asked,
                "failed": self.due.failed + self.lost,
            }
        )

    def _all_well(self, state: str, now: datetime) -> bool:
        """Whether every workload answered in this round, and that is worth saying."""
        if self.due.failed or self.lost or not self.asked:
            return False
        return state == "evacuated" or _worth_saying(self.region, state, now.timestamp(), self.ctx)

    def _unhealthy(self, *, last: bool) -> Iterator[RegionUnhealthy]:
        asked, lost = self.asked, self.due.failed + self.lost
        if last and lost == asked > 1:
            yield self._word(self.failed[0], f"all {asked} workloads", whole=True)
            return
        for name in self.failed[:_SAID]:
            yield self._word(name, name, whole=False)

    def _word(self, name: str, about: str, *, whole: bool) -> RegionUnhealthy:
        seen = self.probed[name]
        if late(seen, self.fleet.workloads[name]) and seen.failed < seen.sent:
            objective = self.fleet.workloads[name].slo.latency_ms or 0.0
            what = f"{about} took {seen.fastest:.0f} ms or more, {objective:g} ms are promised"
        else:
            error = f": {seen.error}" if seen.error else ""
            what = f"{about} failed {seen.failed} of {seen.sent} probes{error}"
        return self._said(None if whole else name, what, seen)

    def _blind(self, name: str) -> RegionUnhealthy:
        asked = self.sight.asked if self.sight is not None else 0
        what = (
            f"{name} failed its probes, and so did each of {asked} other region(s) that were asked "
            f"from {self.vantage}: its own network is broken, or what fails is no matter of regions"
        )
        whole = len(self.fleet.workloads_in(self.region)) > 1
        return self._said(None if whole else name, what, self.probed[name])

    def _said(self, workload: str | None, reason: str, seen: Probed) -> RegionUnhealthy:
        elsewhere: Mapping[str, float] = self.sight.measured if self.sight is not None else {}
        return RegionUnhealthy(
            region=self.region,
            evidence="probe",
            workload=workload,
            vantage=self.vantage,
            reason=reason[:500],
            measured={"sent": float(seen.sent), "failed": float(seen.failed), **elsewhere},
        )

    def _recovered(self) -> RegionRecovered:
        answered = {
            name: seen for name, seen in self.probed.items() if not failed(seen, self.fleet, name)
        }
        sent = sum(seen.sent for seen in answered.values())
        lost = sum(seen.failed for seen in answered.values())
        return RegionRecovered(
            region=self.region,
            evidence="probe",
            workload=next(iter(answered)) if self.asked == 1 else None,
            vantage=self.vantage,
            reason=f"{sent - lost} of {sent} probes to {len(answered)} workload(s) were answered",
            measured={"sent": float(sent), "failed": float(lost)},
        )

    def _start(
        self, said: RegionUnhealthy | RegionRecovered
    ) -> Start[RegionUnhealthy] | Start[RegionRecovered]:
        if isinstance(said, RegionUnhealthy):
            return start(said, subject=self.region, observer=observer(said))
        return start(said, subject=self.region, observer=observer(said))


def _too_late(began: datetime, now: datetime, policy: ProbePolicy) -> bool:
    """Whether a round comes so late that it says nothing that the next does not say better."""
    return (now - began).total_seconds() > (2 + policy.jitter) * policy.every


def _divided(names: Sequence[str], fleet: Fleet) -> tuple[Sequence[str], Sequence[str]]:
    """What one run looks at, and what it leaves to another."""
    windows = 1 + 2 * len(fleet.failover.burn)
    cells, count = 0, 0
    for name in names[:_WATCHED]:
        cells += windows * len(fleet.workloads[name].regions)
        if count and cells > _CELLS:
            break
        count += 1
    return names[:count], names[count:]


def _intended(workload: str, region: str, ctx: Context) -> bool:
    """Whether traffic of a workload is intended to go to a region."""
    state = ctx.observe(ReadRegister(workload=workload)).workload
    return state.weights.get(region, 0.0) > TOLERANCE


def _worth_saying(region: str, state: str, now: float, ctx: Context) -> bool:
    """Whether it is to be said that a region is well which is not evacuated.

    Once in a window is enough to keep a recovery alive, and to begin one whose chain was lost.
    """
    window, every = ctx.fleet.failover.window, ctx.fleet.probes.every
    if window > every and int(now // window) == int((now - every) // window):
        return False
    if state == "soaking":
        return True
    return bool(ctx.observe(OpenIncidents(prefix=incident_of(region))).incidents)
