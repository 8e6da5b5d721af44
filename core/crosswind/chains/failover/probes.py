"""Probes: the first evidence, for where no alarm is set up or its cloud does not answer.

    tick -> one probe.due for each region, and telemetry_due for the workloads
    probe.due -> synthetic requests to every workload there, from every vantage
    telemetry_due -> the error rate of real traffic by region

A run has no memory, and needs none: what is said depends on what is seen and on the register.

| the register says      | failing                                  | all well             |
|------------------------|------------------------------------------|----------------------|
| serving                | region.unhealthy at every tick           | nothing              |
| serving, incident open | region.unhealthy at every tick           | once in a window     |
| evacuated              | unhealthy, if traffic is intended there  | region.recovered     |
| soaking                | region.unhealthy at every tick           | once in a window     |

A word repeated joins the same chain and counts once. A probe that was answered again is found out
before the region is left, by a fresh look (see `hysteresis`). Where all workloads of a region look
the same from one vantage that is said once, of the region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crosswind.app import App
from crosswind.chains.failover.chain import incident_of
from crosswind.chains.failover.steps import ENOUGH_REQUESTS
from crosswind.chains.incidents.operations import OpenIncidents
from crosswind.context import Context
from crosswind.emissions import Start, start
from crosswind.fleet.operations import ReadRegions, ReadRegister
from crosswind.fleet.quantities import TOLERANCE
from crosswind.operations.telemetry import Probed, ProbeEndpoint, ReadTelemetry
from crosswind_events import Event, RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.probe import ProbeDue, TelemetryDue
from crosswind_events.catalogue.schedule import Tick

EVERY: Final = 30.0
"""Seconds between two rounds unless said otherwise: the default of the fleet's `probes.every`."""

_CHUNK: Final = 20
"""Workloads whose traffic one run looks at."""

_REGION_EVENTS: Final = 64
_TELEMETRY_EVENTS: Final = 32
_PROBES: Final = 40
"""Probes of one run, so that it ends well before its lease; the most important workloads."""

_SAID: Final = 20
"""Workloads named one by one."""

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


def tick(event: Event[Tick], ctx: Context) -> Iterator[ProbeDue | TelemetryDue]:
    """One round."""
    fleet = ctx.fleet
    regions = [region for region in sorted(fleet.regions) if fleet.workloads_in(region)]
    for region in regions[:_REGION_EVENTS]:
        yield ProbeDue(region=region)
    names = tuple(sorted(fleet.workloads))
    for first in range(0, min(len(names), _CHUNK * _TELEMETRY_EVENTS), _CHUNK):
        yield TelemetryDue(workloads=names[first : first + _CHUNK])


def probe(
    event: Event[ProbeDue], ctx: Context
) -> Iterator[Start[RegionUnhealthy] | Start[RegionRecovered]]:
    """Send synthetic requests to a region, and say what is worth saying."""
    region, fleet = event.data.region, ctx.fleet
    now = ctx.now()
    if (now - event.time).total_seconds() > 2 * fleet.probes.every:
        return  # a round that comes too late says nothing that the next does not say better
    state = ctx.observe(ReadRegions(regions=(region,))).regions[region].state
    vantages = fleet.probes.vantages
    workloads = fleet.workloads_in(region)[: max(1, _PROBES // len(vantages))]
    for vantage in vantages:
        probed = {
            workload: ctx.observe(
                ProbeEndpoint(
                    workload=workload, region=region, count=fleet.probes.count, vantage=vantage
                )
            )
            for workload in workloads
        }
        failed = [name for name, seen in probed.items() if _failed(seen, fleet.probes.threshold)]
        if failed:
            relevant = [
                name for name in failed if state != "evacuated" or _intended(name, region, ctx)
            ]
            yield from _unhealthy(region, vantage, relevant, workloads, probed)
        elif state == "evacuated" or _worth_saying(region, state, now.timestamp(), ctx):
            said = _recovered(region, vantage, workloads, probed)
            yield start(said, subject=region, observer=observer(said))


def watch(event: Event[TelemetryDue], ctx: Context) -> Iterator[Start[RegionUnhealthy]]:
    """Look at real traffic, and say which regions fail more of it than they may."""
    fleet = ctx.fleet
    seconds = max(fleet.probes.every, _WINDOW)
    states = ctx.observe(ReadRegions()).regions
    for workload in event.data.workloads:
        spec = fleet.workloads.get(workload)
        if spec is None:
            continue  # it was taken out of the fleet since the tick
        most = spec.shift.max_error_rate
        seen = ctx.observe(ReadTelemetry(workload=workload, seconds=seconds))
        for region, traffic in sorted(seen.regions.items()):
            if region not in spec.regions or traffic.requests < ENOUGH_REQUESTS:
                continue
            # What is left in the window of a region's last traffic says nothing new about it.
            left = states[region].state == "evacuated" and not _intended(workload, region, ctx)
            if traffic.error_rate > most and not left:
                said = RegionUnhealthy(
                    region=region,
                    evidence="telemetry",
                    workload=workload,
                    reason=(
                        f"{traffic.errors} of {traffic.requests} requests of {workload} failed "
                        f"in {seen.seconds:g} s, more than {most:.1%}"
                    ),
                    measured={
                        "error_rate": round(traffic.error_rate, 6),
                        "requests": float(traffic.requests),
                    },
                )
                yield start(said, subject=region, observer=observer(said))


def observer(said: RegionUnhealthy | RegionRecovered) -> str:
    """Who says it: a kind of evidence, from a vantage point where it has one.

    Each is a source of its own, so that what one says does not take back what another has said.
    """
    return said.evidence if said.vantage is None else f"{said.evidence}-{said.vantage}"


def _failed(seen: Probed, threshold: float) -> bool:
    return seen.failed >= seen.sent * threshold


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


def _unhealthy(
    region: str,
    vantage: str,
    failed: Sequence[str],
    workloads: Sequence[str],
    probed: dict[str, Probed],
) -> Iterator[Start[RegionUnhealthy]]:
    whole = len(failed) == len(workloads) > 1
    for workload in failed[:1] if whole else failed[:_SAID]:
        seen = probed[workload]
        about = f"all {len(workloads)} workloads" if whole else workload
        error = f": {seen.error}" if seen.error else ""
        said = RegionUnhealthy(
            region=region,
            evidence="probe",
            workload=None if whole else workload,
            vantage=vantage,
            reason=f"{about} failed {seen.failed} of {seen.sent} probes{error}"[:500],
            measured={"sent": float(seen.sent), "failed": float(seen.failed)},
        )
        yield start(said, subject=region, observer=observer(said))


def _recovered(
    region: str, vantage: str, workloads: Sequence[str], probed: dict[str, Probed]
) -> RegionRecovered:
    sent = sum(seen.sent for seen in probed.values())
    failed = sum(seen.failed for seen in probed.values())
    return RegionRecovered(
        region=region,
        evidence="probe",
        workload=workloads[0] if len(workloads) == 1 else None,
        vantage=vantage,
        reason=f"{sent - failed} of {sent} probes to {len(workloads)} workload(s) were answered",
        measured={"sent": float(sent), "failed": float(failed)},
    )
