"""For real: worker processes are killed while five hundred chains run, and then things are counted.

Nothing is lost, no decision is made twice, no action takes effect twice. The counts are printed.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.embedded.worker import bindings
from crosswind.engine.dispatch import Engine
from crosswind.ports import Message
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_id, chain_partition
from crosswind.records.record import Record
from crosswind_events import Event

from .plant import PARTS, Order, app

CHAINS, WORKERS, KILLS = 500, 3, 40
SOURCE = "//orders.example.com"
PATIENCE = 120.0


class Crew:
    """Worker processes; one that is gone is replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hands: list[subprocess.Popen[bytes]] = []
        self.errors = (folder / "workers.stderr").open("wb")

    def fill(self) -> None:
        self.hands = [hand for hand in self.hands if hand.poll() is None]
        while len(self.hands) < WORKERS:
            worker = Path(__file__).with_name("worker.py")
            self.hands.append(
                subprocess.Popen(
                    [sys.executable, str(worker), str(self.folder)], stderr=self.errors
                )
            )

    def dismiss(self) -> None:
        for hand in self.hands:
            hand.kill()
        for hand in self.hands:
            hand.wait()
        self.errors.close()


class Outcome(NamedTuple):
    """What stands at the end."""

    heads: list[Head | None]
    runs: list[Record]
    calls: Counter[str]
    effects: Counter[str]
    whats: Counter[str]
    kills: int
    seconds: float
    rests: bool


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("a plant")
    with SqliteStore(folder / "data.sqlite") as store, SqliteBus(folder / "data.sqlite") as bus:
        engine = Engine(app, store, bus)
        bus.bind("plant", bindings(engine, "plant"))
        chains = order(bus)
        crew, dice = Crew(folder), random.Random(7)
        begun, kills = time.monotonic(), 0
        try:
            while time.monotonic() < begun + PATIENCE:
                crew.fill()
                time.sleep(dice.uniform(0.05, 0.35))
                if kills < KILLS:
                    victim = dice.choice(crew.hands)
                    victim.send_signal(signal.SIGKILL)
                    victim.wait()
                    kills += 1
                elif at_rest(bus) and all(closed(store, chain) for chain in chains):
                    break
        finally:
            crew.dismiss()
        errors = (folder / "workers.stderr").read_text()
        assert not errors, errors[-3000:]
        yield look(store, chains, folder, kills, time.monotonic() - begun, at_rest(bus))


def order(bus: SqliteBus) -> list[str]:
    """Publish the first events of all chains; returns the chains."""
    messages = []
    for number in range(CHAINS):
        event = Event.of(
            Order(number=number), id=f"order-{number}", source=SOURCE, time=datetime.now(UTC)
        )
        attributes: dict[str, str | int | bool] = {
            "id": event.id,
            "source": SOURCE,
            "type": event.type,
        }
        messages.append(Message(event.id, app.codec.encode(event), attributes))
    bus.publish(messages)
    return [chain_id(SOURCE, f"order-{number}") for number in range(CHAINS)]


def at_rest(bus: SqliteBus) -> bool:
    """Whether nothing is left but the timers of the chains' deadlines, a day ahead."""
    due = bus.next_due("plant")
    return due is not None and due > time.time() + 3_600


def closed(store: SqliteStore, chain: str) -> bool:
    item = store.read(chain_partition(chain), HEAD)
    return item is not None and not Head.decode(item.value).open


def look(
    store: SqliteStore, chains: list[str], folder: Path, kills: int, seconds: float, rests: bool
) -> Outcome:
    heads: list[Head | None] = []
    runs: list[Record] = []
    for chain in chains:
        item = store.read(chain_partition(chain), HEAD)
        heads.append(None if item is None else Head.decode(item.value))
        runs += [Record.decode(i.value) for i in store.scan(chain_partition(chain), RUN, limit=99)]
    with closing(sqlite3.connect(folder / "plant.sqlite")) as plant:
        calls = Counter(key for (key,) in plant.execute("SELECT key FROM calls"))
        effects = Counter(key for (key,) in plant.execute("SELECT key FROM effects"))
        whats = Counter(what for (what,) in plant.execute("SELECT what FROM effects"))
    return Outcome(heads, runs, calls, effects, whats, kills, seconds, rests)


def test_every_chain_ends_and_every_run_is_committed_once(
    outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    states = Counter(record.state for record in outcome.runs)
    asked_again = sum(outcome.calls.values()) - len(outcome.calls)
    with capsys.disabled():
        print(
            f"\n{CHAINS} chains, {len(outcome.runs)} runs, {outcome.kills} workers killed "
            f"(SIGKILL) in {outcome.seconds:.1f} s; runs {dict(states)}; "
            f"{len(outcome.effects)} actions took effect, {asked_again} were asked for again; "
            f"lost 0, repeated {sum(n - 1 for n in outcome.whats.values())}"
        )
    assert outcome.kills == KILLS
    assert outcome.rests
    assert [head.outcome if head else None for head in outcome.heads] == ["shipped"] * CHAINS
    # split, and for each part make and collect
    assert len(outcome.runs) == CHAINS * (1 + 2 * len(PARTS))
    # Two that complete a join at the same time both want to end the chain; one of them does.
    second = [record for record in outcome.runs if record.state == "dropped"]
    assert {(record.handler, record.why) for record in second} <= {
        ("collect", "the chain is closed: shipped")
    }
    assert states["committed"] + len(second) == len(outcome.runs)
    ended = Counter(r.chain for r in outcome.runs if r.handler == "collect" and r.out)
    assert len(ended) == CHAINS
    assert set(ended.values()) == {1}


def test_no_action_takes_effect_twice_and_each_is_asked_for_with_one_key(outcome: Outcome) -> None:
    wanted = {f"{n}/{part}/{turn}" for n in range(CHAINS) for part in PARTS for turn in (1, 2)}
    assert set(outcome.whats) == wanted
    assert set(outcome.whats.values()) == {1}
    assert set(outcome.calls) == set(outcome.effects)


def test_workers_were_really_killed_in_the_middle_of_actions(outcome: Outcome) -> None:
    """Otherwise the test shows nothing: some actions must have been asked for more than once."""
    assert max(outcome.calls.values()) > 1
