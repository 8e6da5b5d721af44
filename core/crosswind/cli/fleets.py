"""`crosswind fleet`: what is declared, what is intended now, and how the one becomes the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from crosswind.cli.applying import apply, rollback
from crosswind.cli.differing import diff
from crosswind.cli.durations import spoken
from crosswind.cli.faults import NO
from crosswind.cli.fleethistory import history
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Family, Teaching

if TYPE_CHECKING:
    from rich.text import Text

    from crosswind.cli.session import Session
    from crosswind.fleet.declaration import Fleet
    from crosswind.gate.brakes import Switch

_CAUTIONS: Final = 50
"""Cautions that are shown to people; more are counted."""


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
    for window in state["freezes"]:
        output.say(f"{window['says']}; what it names is proposed to a person", "bold yellow")
    for incident in state["incidents"]:
        output.say(f"open incident {incident['incident']}: {incident['title']}", "bold red")


for command in (diff, apply, rollback, history):
    fleet.add_command(command)


@fleet.command(
    cls=Teaching,
    examples=[
        ("Every fault with its line", "crosswind fleet validate fleet.yaml"),
        (
            "Refuse what is probably not meant",
            "crosswind fleet validate --strict fleet.yaml",
        ),
    ],
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--strict", is_flag=True, help="Exit code 1 also where there are cautions only.")
@works_with("app")
def validate(session: Session, file: Path, strict: bool) -> None:
    """Check a fleet's declaration, and name every fault with its line and what to write instead.

    Exit code 1 says that it declares no fleet. What it may say, and probably does not mean, is a
    caution. The app says which kinds of action there are.
    """
    from crosswind.errors import FleetInvalid
    from crosswind.fleet.load import read_fleet

    try:
        read = read_fleet(file)
    except FleetInvalid as invalid:
        faults = str(invalid).splitlines()[1:] or [str(invalid)]
        session.output.document({"valid": False, "faults": faults, "cautions": []})
        session.output.say(str(invalid), "red")
        raise click.exceptions.Exit(NO) from invalid
    found = read.fleet
    kinds = {action.kind for handler in session.app.handlers for action in handler.acts}
    cautions = list(read.cautions(session.clock(), kinds))
    document = {
        "valid": True,
        "name": found.name,
        "digest": found.digest,
        "workloads": len(found.workloads),
        "regions": len(found.regions),
        "cautions": cautions,
    }
    session.output.document(document)
    session.output.say(
        f"valid: fleet {found.name} with {len(found.workloads)} workload(s) in "
        f"{len(found.regions)} region(s)",
        "green",
    )
    if cautions:
        session.output.say(f"{len(cautions)} caution(s), which may well be meant:", "yellow")
    for caution in cautions[:_CAUTIONS]:
        session.output.say(f"  {caution}")
    if len(cautions) > _CAUTIONS:
        session.output.say(f"  and {len(cautions) - _CAUTIONS} more; --json lists them all")
    if cautions and strict:
        raise click.exceptions.Exit(NO)


@fleet.command(
    cls=Teaching,
    examples=[("Keep it beside fleet.yaml", "crosswind fleet schema > fleet.schema.json")],
)
def schema() -> None:
    """Print the JSON Schema of fleet.yaml, for editors.

    With `# yaml-language-server: $schema=./fleet.schema.json` as the first line of fleet.yaml,
    editors complete its fields, say what they mean, and underline what is wrong.
    """
    from pydantic_core import to_json

    from crosswind.fleet.schema import fleet_schema

    click.echo(to_json(fleet_schema(), indent=2))


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
        "freezes": _windows(fleet, session.clock()),
        "incidents": _incidents(session),
    }


def _stored(session: Session, partition: str) -> dict[str, bytes]:
    if not session.recorded:
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

    if not session.recorded:
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


def _windows(fleet: Fleet, now: float) -> list[dict[str, Any]]:
    """The freeze windows that stand."""
    from crosswind.fleet.freezes import Standing

    return [
        {"name": window.name, "until": until, "says": str(Standing(window, until))}
        for window in fleet.freezes
        if (until := window.stands(now)) is not None
    ]


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
