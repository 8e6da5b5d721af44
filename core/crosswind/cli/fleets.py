"""`crosswind fleet`: what is declared, and what is intended now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crosswind.cli.durations import spoken
from crosswind.cli.faults import NO
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Family, Teaching

if TYPE_CHECKING:
    from rich.text import Text

    from crosswind.cli.session import Session
    from crosswind.gate.brakes import Switch


@click.group(cls=Family)
def fleet() -> None:
    """The fleet: its declaration, and the register of what is intended now."""


@fleet.command(
    cls=Teaching,
    examples=[
        ("What is declared, beside what is intended now", "crosswind fleet show"),
        ("For programs", "crosswind fleet show --json"),
    ],
)
@works_with("data", "fleet")
def show(session: Session) -> None:
    """Show each workload and region as declared and as intended, the brakes, and the incidents.

    The register holds what is intended: a failover moves it away from the declaration, and back.
    """
    state = _state(session)
    session.output.document(state)
    output, declared = session.output, session.declared
    where = "the demonstration" if declared.path is None else str(declared.path)
    output.say(f"fleet {declared.fleet.name} ({where}), {declared.fleet.digest[:12]}")
    output.show(_workloads(state), _regions(state))
    for name, switch in state["brakes"].items():
        if switch is not None:
            output.show(_switch(session, name, switch))
    for incident in state["incidents"]:
        output.say(f"open incident {incident['incident']}: {incident['title']}", "bold red")


@fleet.command(
    cls=Teaching, examples=[("Every fault with its line", "crosswind fleet validate fleet.yaml")]
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@works_with()
def validate(session: Session, file: Path) -> None:
    """Check a fleet's declaration, and name every fault with its line and what to write instead.

    Exit code 1 says that it declares no fleet.
    """
    from crosswind.errors import FleetInvalid
    from crosswind.fleet.load import load_fleet

    try:
        found = load_fleet(file)
    except FleetInvalid as invalid:
        session.output.document({"valid": False, "faults": str(invalid).splitlines()[1:]})
        session.output.say(str(invalid), "red")
        raise click.exceptions.Exit(NO) from invalid
    document = {
        "valid": True,
        "name": found.name,
        "digest": found.digest,
        "workloads": len(found.workloads),
        "regions": len(found.regions),
    }
    session.output.document(document)
    session.output.say(
        f"valid: fleet {found.name} with {len(found.workloads)} workload(s) in "
        f"{len(found.regions)} region(s)",
        "green",
    )


def _state(session: Session) -> dict[str, Any]:
    """The declaration beside the register; where nothing is stored, the register is empty."""
    from crosswind.fleet import keys
    from crosswind.fleet.state import region_state, workload_state

    fleet = session.fleet
    stored = _stored(session, keys.partition(fleet.name))
    workloads = {
        name: {
            "declared": {"weights": dict(spec.weights), "replicas": dict(spec.replicas)},
            "intended": workload_state(fleet, name, stored.get(keys.workload(name))).model_dump(
                mode="json"
            ),
        }
        for name, spec in fleet.workloads.items()
    }
    regions = {
        name: region_state(stored.get(keys.region(name))).model_dump(mode="json")
        for name in fleet.regions
    }
    return {
        "fleet": fleet.name,
        "digest": fleet.digest,
        "declared_in": None if session.declared.path is None else str(session.declared.path),
        "workloads": workloads,
        "regions": regions,
        "brakes": _brakes(stored, session.clock()),
        "incidents": _incidents(session),
    }


def _stored(session: Session, partition: str) -> dict[str, bytes]:
    if not session.sources.data.is_file():
        return {}
    found = [
        item
        for prefix in ("workload:", "region:", "brakes")
        for item in session.ledger.scan(partition, prefix)
    ]
    return {item.key: item.value for item in found}


def _incidents(session: Session) -> list[dict[str, Any]]:
    from crosswind.chains.incidents.operations import OpenIncidents
    from crosswind.chains.incidents.performer import IncidentPerformer

    if not session.sources.data.is_file():
        return []
    kept = IncidentPerformer(session.store, session.fleet.name, session.clock)
    return [one.model_dump(mode="json") for one in kept.answer(OpenIncidents(), 5.0).incidents]


def _brakes(stored: dict[str, bytes], now: float) -> dict[str, Any]:
    from dataclasses import asdict

    from crosswind.gate.brakes import BRAKES, Brakes

    brakes = Brakes.decode(stored[BRAKES]) if BRAKES in stored else Brakes()

    def standing(switch: Switch | None) -> dict[str, Any] | None:
        on = switch is not None and (switch.until is None or now < switch.until)
        return asdict(switch) if switch is not None and on else None

    return {"freeze": standing(brakes.freeze), "break_glass": standing(brakes.break_glass)}


def _workloads(state: dict[str, Any]) -> Any:
    from rich import box
    from rich.table import Table

    from crosswind.cli.output import text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("workload", "region", "share", "intended", "replicas", "intended", "under way"):
        table.add_column(name, overflow="fold", justify="left")
    for name, workload in state["workloads"].items():
        declared, intended = workload["declared"], workload["intended"]
        moving = intended["moving"]
        first = True
        for region in {**declared["weights"], **intended["weights"]}:
            weight, now = declared["weights"].get(region, 0.0), intended["weights"].get(region, 0.0)
            count, want = declared["replicas"].get(region, 0), intended["capacity"].get(region, 0)
            way = ""
            if first and moving:
                way = f"{moving['priority']}, step {moving['step']} of {moving['of']}"
            table.add_row(
                text(name if first else "", "bold"),
                text(region),
                f"{weight:.0%}",
                text(f"{now:.0%}", "" if abs(now - weight) < 1e-6 else "yellow"),
                str(count),
                text(str(want), "" if want == count else "yellow"),
                text(way, "yellow"),
            )
            first = False
    return table


def _regions(state: dict[str, Any]) -> Any:
    from rich import box
    from rich.table import Table

    from crosswind.cli.output import text
    from crosswind.journal.trace import written

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("region", "state", "since"):
        table.add_column(name, overflow="fold")
    for name, region in state["regions"].items():
        table.add_row(
            text(name),
            text(region["state"], "green" if region["state"] == "serving" else "yellow"),
            written(region["since"]) if region["since"] else "",
        )
    return table


def _switch(session: Session, name: str, switch: dict[str, Any]) -> Text:
    from crosswind.cli.output import text

    about = f" of {switch['workload']}" if switch["workload"] else ""
    until = switch["until"]
    rest = "" if until is None else f", for another {spoken(until - session.clock())}"
    return text(
        f"{name.replace('_', '-')}{about} by {switch['by']}{rest}: {switch['reason']}", "bold red"
    )
