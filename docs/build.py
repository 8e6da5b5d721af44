"""The parts of the documentation that are made from the code, so that they cannot go stale.

python docs/build.py            write what has changed
python docs/build.py --check    exit with 1 where a page differs from the code

events.md     every event type of the catalogue, with its fields
actions.md    every kind of action and query, with its effects and performers
failover.svg  the graph of the built-in chain, from the annotations of its handlers
engine.md     the table of settings in it; the rest of the page is written by hand
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from inspect import cleandoc, getdoc, getmodule
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from crosswind.actions import Action, Query
from crosswind.app import App
from crosswind.chains.failover import failover_app
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.cli.notices import Notices
from crosswind.engine.settings import Settings
from crosswind.fleet.register import RegisterPerformer
from crosswind.graph import model, svg
from crosswind.sim import SimulatedPerformer
from crosswind.world.performers import EndpointPerformer, TelemetryPerformer, TrafficPerformer
from crosswind_aws.performers import endpoints as aws_endpoints
from crosswind_aws.performers import kms as aws_kms
from crosswind_aws.performers import notices as aws_notices
from crosswind_aws.performers import secrets_manager as aws_secrets
from crosswind_aws.performers import spend as aws_spend
from crosswind_aws.performers import telemetry as aws_telemetry
from crosswind_aws.performers import traffic as aws_traffic
from crosswind_events import (
    AnomalyDetected,
    ApprovalRequested,
    ApprovalSettled,
    BranchFailed,
    ChainDeadline,
    ChainStalled,
    DeadLettered,
    EventData,
    IncidentOpened,
    RegionRecovered,
    RegionUnhealthy,
    RunResume,
    Tick,
)
from crosswind_events.catalogue import MODULES

FOLDER: Final = Path(__file__).parent

SUBJECTS: Final = (
    "crosswind.operations.endpoints",
    "crosswind.operations.traffic",
    "crosswind.operations.telemetry",
    "crosswind.operations.notification",
    "crosswind.operations.secrets",
    "crosswind.operations.keys",
    "crosswind.operations.spend",
    "crosswind.fleet.operations",
    "crosswind.fleet.applications",
    "crosswind.fleet.placements",
    "crosswind.chains.incidents.operations",
)
"""The modules that declare kinds of action and query, in the order in which they are shown."""

PERFORMERS: Final = (
    (RegisterPerformer, "the fleet register, in the store"),
    (IncidentPerformer, "incidents, in the store"),
    (TrafficPerformer, "the local world: the proxy"),
    (EndpointPerformer, "the local world: the model servers"),
    (TelemetryPerformer, "the local world: servers and proxy, read only"),
    (Notices, "notices on the console of the command line"),
    (SimulatedPerformer, "a simulated world"),
    (aws_traffic.TrafficPerformer, "AWS: Route 53, or routing controls of ARC"),
    (aws_endpoints.EndpointPerformer, "AWS: ECS and SageMaker"),
    (aws_telemetry.TelemetryPerformer, "AWS: CloudWatch, and probes over HTTP"),
    (aws_notices.NoticePerformer, "AWS: SNS"),
    (aws_secrets.SecretPerformer, "AWS: Secrets Manager"),
    (aws_kms.KeyPerformer, "AWS: KMS"),
    (aws_spend.SpendPerformer, "AWS: Cost Explorer"),
)
"""Who performs, and on what."""

ALSO_SAID_BY: Final[Mapping[type[EventData], Sequence[str]]] = {
    RegionUnhealthy: ("[signals](signals.md)",),
    RegionRecovered: ("[signals](signals.md)",),
    AnomalyDetected: ("[signals](signals.md)",),
    ApprovalRequested: ("the gate",),
    ApprovalSettled: ("a person's answer, by `crosswind approve`",),
    IncidentOpened: ("the engine (a chain that stalls)", "`crosswind break-glass`"),
    RunResume: ("the engine",),
    ChainDeadline: ("the engine",),
    ChainStalled: ("the engine",),
    BranchFailed: ("the engine",),
    DeadLettered: ("the engine",),
    Tick: ("schedules",),
}
"""Who says an event beside handlers."""

MADE: Final = "<!-- Made by `python docs/build.py`; change the code, not this {what}. -->"
_BEGIN, _END = "<!-- settings: begin -->", "<!-- settings: end -->"


# -- events ---------------------------------------------------------------------------------------


def events_page(app: App) -> str:
    """Every event type of the catalogue."""
    return "\n".join(_events_lines(app))


def _events_lines(app: App) -> Iterator[str]:
    yield "# Events\n"
    yield MADE.format(what="file") + "\n"
    yield (
        "Every event type that Crosswind knows, by subject. The JSON Schemas of their data and an\n"
        "AsyncAPI 3 document of all of them are in [events/schemas](../events/schemas). How to\n"
        "declare a type of your own is in [Writing reactions](reactions.md#events-of-your-own).\n"
    )
    yield (
        "Fields in italics are optional. *Ends* is the outcome with which an event of the type\n"
        "ends its chain. *Said by* and *taken by* name handlers of the built-in failover chain;\n"
        "you may take, and say, any of them in handlers of your own.\n"
    )
    for name in MODULES:
        module = import_module(f"crosswind_events.catalogue.{name}")
        yield f"## {_sentence(module)}\n"
        for data in module.TYPES:
            yield from _event_lines(app, data)


def _event_lines(app: App, data: type[EventData]) -> Iterator[str]:
    yield f"### {data.event_type}\n"
    yield f"{_said(data)}\n"
    yield f"- Class: `{data.__module__}.{data.__name__}`"
    yield f"- Fields: {_fields(data.model_fields)}"
    if data.ends is not None:
        yield f"- Ends: `{data.ends}`"
    said = [handler.name for handler in app.handlers if data in {e.data for e in handler.emits}]
    taken = [handler.name for handler in app.handlers if data in handler.takes]
    speakers = [*([_handlers(said)] if said else []), *ALSO_SAID_BY.get(data, ())]
    if speakers:
        yield f"- Said by: {', '.join(speakers)}"
    if taken:
        yield f"- Taken by: {_handlers(taken)}"
    yield ""


def _handlers(names: Sequence[str]) -> str:
    return ", ".join(f"`{name.rpartition(':')[2]}`" for name in names)


# -- actions and queries --------------------------------------------------------------------------


def actions_page(app: App) -> str:
    """Every kind of action and query."""
    return "\n".join(_actions_lines(app))


def _actions_lines(app: App) -> Iterator[str]:
    yield "# Actions and queries\n"
    yield MADE.format(what="file") + "\n"
    yield (
        "An action is a change to the world as data, a query a reading of it. The kinds below are\n"
        "what the built-in chains use; kinds of your own are declared in the same way, see\n"
        "[Writing reactions](reactions.md#actions-and-queries-of-your-own). Modes and limits are\n"
        "set by kind, see [Brakes](brakes.md).\n"
    )
    yield "Fields in italics are optional.\n"
    for name in SUBJECTS:
        module = import_module(name)
        yield f"## {_sentence(module)}\n"
        for kind in kinds(module):
            yield from _kind_lines(app, kind)
    yield "## Performers\n"
    yield (
        "Who carries these out today. A performer is asked at least once for an action, always\n"
        "with the same key; each says how it recognises one that it has seen.\n"
    )
    for performer, on in PERFORMERS:
        yield from _performer_lines(performer, on)


def kinds(module: Any) -> list[type[Action[Any]] | type[Query[Any]]]:
    """The kinds that a module declares, in the order of its source."""
    return [
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, Action | Query)
        and found.kind
        and getmodule(found) is module
    ]


def _kind_lines(app: App, kind: type[Action[Any]] | type[Query[Any]]) -> Iterator[str]:
    acts = issubclass(kind, Action)
    yield f"### {kind.kind}\n"
    yield f"{'Action' if acts else 'Query'}. {_said(kind)}\n"
    yield f"- Class: `{kind.__module__}.{kind.__name__}`"
    yield from _arguments(kind.model_fields, _section(kind, "Args"))
    yield f"- Answer: `{kind.returns.__name__}` with {_fields(kind.returns.model_fields)}"
    if issubclass(kind, Action):
        if "effects" in vars(kind):
            yield f"- Limits: {cleandoc(kind.effects.__doc__ or '')}".replace("\n", " ")
        if kind.after_close:
            yield "- May be done after its chain has ended, by what descends from the end"
    where = [h.name for h in app.handlers if kind in (*h.acts, *h.reads)]
    if where:
        yield f"- Used by: {_handlers(where)}"
    by = [one.__name__ for one, _ in PERFORMERS if kind in (*one.performs, *one.answers)]
    if by:
        yield f"- Performers: {', '.join(f'`{name}`' for name in by)}"
    yield ""


def _performer_lines(performer: Any, on: str) -> Iterator[str]:
    kinds_of = ", ".join(f"`{kind.kind}`" for kind in (*performer.performs, *performer.answers))
    yield f"### {performer.__name__}\n"
    yield f"{_said(performer)}\n"
    yield f"- Class: `{performer.__module__}.{performer.__name__}`"
    yield f"- On: {on}"
    yield f"- Kinds: {kinds_of}"
    yield ""


# -- settings -------------------------------------------------------------------------------------


def with_settings(page: str) -> str:
    """A page with its table of settings as the code has them.

    Raises:
        ValueError: the marks of the table are not in it.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page has no {_BEGIN} and {_END} around its table of settings")
    return "\n".join([before + _BEGIN, *_settings_lines(), _END]) + after


def _settings_lines() -> Iterator[str]:
    meanings, defaults = _section(Settings, "Attributes"), Settings()
    yield MADE.format(what="table")
    yield "| setting | meaning | default |"
    yield "|---|---|---|"
    for field in dataclasses.fields(Settings):
        meaning = meanings[field.name].removesuffix(".")
        default = getattr(defaults, field.name)
        shown = _duration(default) if isinstance(default, float) else f"{default:,}"
        yield f"| `{field.name}` | {meaning} | {shown} |"


def _duration(seconds: float) -> str:
    """A time in the largest unit in which it is whole."""
    for unit, name in ((86_400, "d"), (3_600, "h")):
        if seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


# -- reading the code -----------------------------------------------------------------------------


def _sentence(module: Any) -> str:
    """The first line of a module's docstring, as a heading."""
    return (getdoc(module) or module.__name__).splitlines()[0].removesuffix(".")


def _said(cls: type[Any]) -> str:
    """The paragraphs of a docstring before its first section, one line each."""
    text = re.split(r"\n(?:Args|Attributes|Raises|Returns):\n", getdoc(cls) or "")[0]
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "\n\n".join(paragraphs)


def _section(cls: type[Any], heading: str) -> Mapping[str, str]:
    """The entries of one section of a docstring, by name."""
    found = re.search(rf"\n{heading}:\n((?:    .*(?:\n|$)|\n)+)", getdoc(cls) or "")
    entries: dict[str, str] = {}
    names: list[str] = []
    for line in (found[1] if found else "").splitlines():
        named = re.fullmatch(r"    (\w+(?:, \w+)*): (.*)", line)
        if named:
            names = named[1].split(", ")
            entries.update(dict.fromkeys(names, named[2]))
        else:
            for name in names:
                entries[name] = f"{entries[name]} {line.strip()}".strip()
    return entries


def _fields(fields: Mapping[str, FieldInfo]) -> str:
    """The fields of a model in a line, those that are optional in italics."""
    return ", ".join(_field(name, field) for name, field in fields.items()) or "none"


def _arguments(fields: Mapping[str, FieldInfo], meanings: Mapping[str, str]) -> Iterator[str]:
    """The fields of a kind: a line each where something is said of them."""
    if not meanings:
        yield f"- Fields: {_fields(fields)}"
        return
    yield "- Fields:"
    for name, field in fields.items():
        meaning = meanings.get(name, "").removesuffix(".")
        yield f"  - {_field(name, field)}" + (f": {meaning}" if meaning else "")


def _field(name: str, field: FieldInfo) -> str:
    written = f"`{field.alias or name}`"
    return written if field.is_required() else f"*{written}*"


# -- writing --------------------------------------------------------------------------------------


def documents(folder: Path) -> dict[str, str]:
    """Every file that is made, by its name; of `engine.md` the text around the table is kept."""
    app = failover_app()
    return {
        "events.md": events_page(app),
        "actions.md": actions_page(app),
        "failover.svg": svg.draw(model.build(app)),
        "engine.md": with_settings((folder / "engine.md").read_text(encoding="utf-8")),
    }


def drift(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """The files that differ from what is wanted."""
    found = {
        name: (folder / name).read_text(encoding="utf-8") if (folder / name).is_file() else None
        for name in wanted
    }
    return sorted(name for name, text in wanted.items() if found[name] != text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents or check them; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python docs/build.py", description="Keep the documentation equal to the code."
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 where something differs")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    wanted = documents(folder)
    changed = drift(folder, wanted)
    for name in changed:
        if options.check:
            print(f"{folder / name} differs from the code", file=sys.stderr)
        else:
            (folder / name).write_text(wanted[name], encoding="utf-8")
            print(f"wrote {folder / name}")
    if changed and options.check:
        print("Run: make docs", file=sys.stderr)
    return 1 if changed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
