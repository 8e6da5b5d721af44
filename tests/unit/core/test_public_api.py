"""The public API is a decision: what it exports, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import crosswind


@pytest.mark.parametrize("name", crosswind.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(crosswind, name).__doc__
    assert name in dir(crosswind)


def test_each_name_has_one_home() -> None:
    homes = [name for names in crosswind._HOME.values() for name in names]
    assert sorted(homes) == sorted(crosswind.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        crosswind.Nothing  # noqa: B018 - the access is the test


@pytest.mark.parametrize(
    ("statement", "banned"),
    [
        ("import crosswind", "pydantic crosswind_events sqlite3 asyncio http.client click yaml"),
        (
            "from crosswind import App, Context, Event",
            "sqlite3 asyncio http.client click rich yaml crosswind.engine",
        ),
        (
            "import crosswind.engine.dispatch",
            "sqlite3 asyncio http.client click rich yaml crosswind.chains",
        ),
    ],
)
def test_what_is_not_used_is_not_imported(statement: str, banned: str) -> None:
    code = f"{statement}\nimport sys\nprint(*[m for m in {banned.split()!r} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.strip() == ""


def test_an_app_loads_the_catalogue_when_it_meets_a_type_that_no_handler_names() -> None:
    code = """
import sys
from crosswind import App, Event
from crosswind.engine.dispatch import Engine
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.ports import Delivery
from crosswind_events import RegionUnhealthy

app = App("ops")

@app.on()
def look(event: Event[RegionUnhealthy]) -> None: ...

def body(kind, data):
    return (
        '{"specversion":"1.0","id":"1","source":"/probes","time":"2030-01-31T12:00:00Z",'
        '"type":"dev.crosswind.%s","data":%s}' % (kind, data)
    ).encode()

unhealthy = '{"region":"aws/us-east-1","evidence":"probe","reason":"no answer"}'
engine = Engine(app, MemoryStore(), MemoryBus(), clock=lambda: 1896091200.0)
assert engine.handle(Delivery("1", body("region.unhealthy.v1", unhealthy)), "ops") is None
late = ("crosswind_events.catalogue.failover", "crosswind.engine.flights", "crosswind.gate.gate",
        "crosswind.engine.failures", "crosswind.engine.burial", "crosswind.actions")
print([name for name in late if name in sys.modules])
healthy = '{"schedule":"s","due":"2030-01-31T12:00:00Z"}'
print(type(app.codec.decode(body("schedule.tick.v1", healthy)).data).__name__)
print("crosswind_events.catalogue.failover" in sys.modules, len(app.codec.types) > 30)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.splitlines() == ["[]", "Tick", "True True"]
