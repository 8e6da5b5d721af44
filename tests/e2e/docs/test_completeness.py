"""Nothing that a user can say, set, type or meet is left out of the documentation."""

from __future__ import annotations

import dataclasses
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import pytest

import crosswind
import crosswind_aws.performers
from crosswind.actions import Action, Query
from crosswind.app import App
from crosswind.chains.failover import failover_app
from crosswind.cli.root import crosswind as command
from crosswind.context import Context
from crosswind.engine.settings import Settings
from crosswind.fleet.declaration import Fleet
from crosswind.handlers import Flight
from crosswind.testing import Stage
from crosswind.testing.faults import FAULTS
from crosswind_events.catalogue import CATALOGUE
from e2e.docs.pages import DOCS, blocks, prose


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def modules() -> Iterator[Any]:
    """Every module of the core and of the performers, except those that run when imported."""
    for package in (crosswind, crosswind_aws.performers):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield import_module(found.name)


def classes() -> Iterator[type[Any]]:
    """Every class of theirs, where it is defined."""
    for module in modules():
        for found in vars(module).values():
            if isinstance(found, type) and found.__module__ == module.__name__:
                yield found


@pytest.mark.parametrize("data", CATALOGUE, ids=lambda data: data.event_type)
def test_every_event_type_is_described(data: Any) -> None:
    section = re.search(
        rf"### {re.escape(data.event_type)}\n(.*?)(?=\n##|\Z)", text("events.md"), re.S
    )
    assert section is not None
    for name, field in data.model_fields.items():
        assert f"`{field.alias or name}`" in section[1]
    assert (f"Ends: `{data.ends}`" in section[1]) == (data.ends is not None)


def test_every_kind_of_action_and_query_is_described() -> None:
    found = {one.kind for one in classes() if issubclass(one, Action | Query) and one.kind}
    described = set(re.findall(r"^### ([a-z-]+\.[a-z-]+)$", text("actions.md"), re.MULTILINE))
    assert described == found


def test_every_performer_is_described() -> None:
    found = {
        f"{one.__module__}.{one.__name__}"
        for one in classes()
        if isinstance(getattr(one, "performs", None), tuple) and (one.performs or one.answers)
    }
    performers = text("actions.md").partition("## Performers\n")[2]
    described = set(re.findall(r"^- Class: `([\w.]+)`$", performers, re.MULTILINE))
    # The demonstration answers queries as if all were well, and changes nothing.
    assert described == found - {"crosswind.cli.demonstration.DeclaredWorld"}


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_described(field: dataclasses.Field[Any]) -> None:
    assert re.search(rf"^\| `{field.name}` \| .{{10,}} \| .+ \|$", text("engine.md"), re.MULTILINE)


def commands(group: click.Group, path: str) -> Iterator[str]:
    for name, one in group.commands.items():
        yield f"{path} {name}"
        if isinstance(one, click.Group):
            yield from commands(one, f"{path} {name}")


@pytest.mark.parametrize("path", list(commands(command, "crosswind")))
def test_every_command_is_described(path: str) -> None:
    assert re.search(rf"^### {path}$", text("cli.md"), re.MULTILINE)


@pytest.mark.parametrize(
    "name", [*sorted(name for name in vars(Context) if not name.startswith("_")), "chain"]
)
def test_everything_a_handler_may_ask_is_described(name: str) -> None:
    assert f"ctx.{name}" in text("reactions.md")


def test_every_argument_of_a_handler_is_described() -> None:
    arguments = set(signature(App.on).parameters) - {"self"}
    table = text("reactions.md").partition("`App.on` takes:")[2].partition("## ")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))))
    assert named == arguments


@pytest.mark.parametrize("second", get_args(get_type_hints(Flight)["second"]))
def test_every_way_to_come_second_is_described(second: str) -> None:
    assert f'| `"{second}"` |' in text("reactions.md")


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "none"])
def test_every_fault_of_the_stage_is_described(fault: str) -> None:
    assert f"`{fault}`" in text("reactions.md")


def test_every_state_of_a_run_is_described() -> None:
    record = get_type_hints(Stage.record)["return"]
    states = set(get_args(get_type_hints(record)["state"]))
    table = text("engine.md").partition("| a run is |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == states


DECLARED = ("apply", "drift")
"""The groups of the built-in app that bring the world to what is declared or intended."""


def endings(*, declared: bool) -> dict[str, str | None]:
    """The outcomes of the chains that those groups begin, or of the others."""
    return {
        emits.data.event_type.removeprefix("dev.crosswind.").removesuffix(".v1"): emits.data.ends
        for handler in failover_app().handlers
        for emits in handler.emits
        if emits.data.ends and emits.via != "start" and (handler.group in DECLARED) == declared
    }


def described(page: str) -> dict[str, str]:
    """The endings in the table of a page."""
    table = text(page).partition("## How a chain ends")[2].partition("## ")[0]
    return dict(re.findall(r"^\| `([\w.]+)` \| `([\w-]+)` \|", table, re.MULTILINE))


def test_every_ending_of_the_failover_is_described() -> None:
    by_engine = {"chain.stalled": "stalled", "deadletter": "failed"}
    assert described("failover.md") == endings(declared=False) | by_engine


def test_every_ending_of_applying_and_of_drift_is_described() -> None:
    assert described("applying.md") == endings(declared=True)


def test_every_field_of_the_failover_policy_has_advice() -> None:
    table = text("failover.md").partition("## Policy")[2].partition("## ")[0]
    for name in Fleet.model_fields["failover"].annotation.model_fields:  # type: ignore[union-attr]  # a model
        assert f"`{name}`" in table, name
    for name in ("steps", "pause", "max_error_rate", "window"):
        assert f"`shift.{name}`" in table, name


def public(name: str) -> bool:
    """Whether a module is one that users import from."""
    return re.fullmatch(PUBLIC, name) is not None


PUBLIC = (
    r"crosswind|crosswind\.(testing|errors|ports|signals|sim)"
    r"|crosswind\.(chains\.failover|chains\.incidents\.app|engine\.settings|planner)"
    r"|crosswind\.(fleet|operations|world)\.\w+"
    r"|crosswind_events(\.catalogue\.\w+)?|crosswind_(aws|gcp|azure)\.signals"
    r"|crosswind_aws\.performers(\.(declarations|permissions))?"
    r"|crosswind_local"
    r"|crosswind_local\.(pubsub|firestore|tasks|servicebus|azurite|functions_host|ministack|moto)"
    r"|crosswind_local\.pytest_plugin"
)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_pages_import_public_modules_only(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            for name in re.findall(r"^(?:from|import) (crosswind[\w.]*)", block.text, re.MULTILINE):
                assert public(name), f"{block.where}: {name}"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_pages_are_plain(page: Path) -> None:
    for word in ("simply", "just works", "powerful", "seamless", "blazing", "cutting-edge"):
        assert not re.search(rf"\b{word}\b", prose(page), re.IGNORECASE), word
