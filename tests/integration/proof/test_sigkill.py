"""For real: processes are killed, stopped beyond their lease and let go on, and then counted.

Five hundred chains run meanwhile on one SQLite file. A process that is stopped in the midst of a
call wakes up when another has long done its work: what it then writes lands late.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.embedded.worker import bindings
from crosswind.engine.dispatch import Engine
from crosswind.ports import Message
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, action_key, chain_id, chain_partition
from crosswind.records.record import Record
from crosswind_events import Event
from integration.proof.hand import SACKS, SETTINGS, Corn, app

CHAINS: Final = 500
HANDS: Final = 3
KILLS: Final = 24
STOPS: Final = 12
PATIENCE: Final = 90.0
"""Seconds after which the test gives up; it takes about a quarter of them."""

SOURCE: Final = "//fields.example.com"
TESTS: Final = Path(__file__).parents[2]


class Crew:
    """Worker processes; one that is gone is replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.errors = (folder / "errors").open("wb")
        self.hands: list[subprocess.Popen[bytes]] = []
        self.asleep: dict[int, float] = {}
        self.kills = self.stops = 0

    def fill(self) -> None:
        """Have as many as there should be."""
        self.hands = [hand for hand in self.hands if hand.poll() is None]
        while len(self.hands) < HANDS:
            command = [sys.executable, "-m", "integration.proof.hand", str(self.folder)]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
            self.hands.append(subprocess.Popen(command, stderr=self.errors, env=environment))

    def kill(self, hand: subprocess.Popen[bytes]) -> None:
        """End a process wherever it is."""
        hand.kill()
        hand.wait()
        self.asleep.pop(hand.pid, None)
        self.kills += 1

    def stop(self, hand: subprocess.Popen[bytes], seconds: float) -> None:
        """Stop a process wherever it is, for longer than its lease."""
        hand.send_signal(signal.SIGSTOP)
        self.asleep[hand.pid] = time.monotonic() + seconds
        self.stops += 1

    def wake(self, now: float) -> None:
        """Let those go on whose time has come."""
        for hand in self.hands:
            if self.asleep.get(hand.pid, now + 1) <= now:
                hand.send_signal(signal.SIGCONT)
                del self.asleep[hand.pid]

    def dismiss(self) -> None:
        """End all of them."""
        for hand in self.hands:
            hand.kill()
            hand.wait()
        self.errors.close()


@dataclass(frozen=True)
class Outcome:
    """What stands at the end."""

    heads: list[Head | None]
    runs: list[Record]
    calls: Counter[str]
    callers: dict[str, set[int]]
    effects: dict[str, str]
    worked: Counter[str]
    kills: int
    stops: int
    seconds: float
    rests: bool
    errors: str


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("mill")
    data = folder / "data.sqlite"
    with SqliteStore(data, timeout=30) as store, SqliteBus(data, timeout=30) as bus:
        bus.bind("mill", bindings(Engine(app, store, bus), "mill"))
        chains = [_bring(bus, number) for number in range(CHAINS)]
        crew, dice, begun = Crew(folder), random.Random(11), time.monotonic()
        try:
            while time.monotonic() < begun + PATIENCE:
                crew.fill()
                time.sleep(dice.uniform(0.05, 0.3))
                now = time.monotonic()
                crew.wake(now)
                # The oldest, as one that has just been started is not yet at work.
                awake = [hand for hand in crew.hands if hand.pid not in crew.asleep]
                left = KILLS - crew.kills + STOPS - crew.stops
                if not left and not crew.asleep and _at_rest(bus):
                    break
                if left and len(awake) > 1:
                    if dice.random() < (STOPS - crew.stops) / left:
                        crew.stop(awake[0], SETTINGS.lease * dice.uniform(1.2, 2.5))
                    else:
                        crew.kill(awake[0])
        finally:
            crew.dismiss()
        seconds, rests = time.monotonic() - begun, _at_rest(bus)
        yield _look(store, chains, folder, crew, seconds, rests)


def _bring(bus: SqliteBus, number: int) -> str:
    """Publish the first event of a chain, every tenth of them twice; returns the chain."""
    event = Event.of(
        Corn(number=number), id=f"corn-{number}", source=SOURCE, time=datetime.now(UTC)
    )
    attributes: dict[str, str | int | bool] = {
        "id": event.id,
        "source": SOURCE,
        "type": event.type,
    }
    body = app.codec.encode(event)
    copies = 2 if number % 10 == 0 else 1
    bus.publish([Message(f"{event.id}#{copy}", body, attributes) for copy in range(copies)])
    return chain_id(SOURCE, event.id)


def _at_rest(bus: SqliteBus) -> bool:
    """Whether nothing is left but the timers of deadlines, an hour ahead."""
    due = bus.next_due("mill")
    return due is None or due > time.time() + SETTINGS.deadline / 2


def _look(
    store: SqliteStore, chains: list[str], folder: Path, crew: Crew, seconds: float, rests: bool
) -> Outcome:
    heads: list[Head | None] = []
    runs: list[Record] = []
    for chain in chains:
        item = store.read(chain_partition(chain), HEAD)
        heads.append(None if item is None else Head.decode(item.value))
        found = store.scan(chain_partition(chain), RUN, limit=100)
        runs += [Record.decode(one.value) for one in found]
    with closing(sqlite3.connect(folder / "mill.sqlite")) as mill:
        calls = list(mill.execute("SELECT key, pid FROM calls"))
        effects = dict(mill.execute("SELECT key, what FROM effects").fetchall())
        worked = Counter(message for (message,) in mill.execute("SELECT message FROM worked"))
    callers: dict[str, set[int]] = {}
    for key, pid in calls:
        callers.setdefault(key, set()).add(pid)
    return Outcome(
        heads,
        runs,
        Counter(key for key, _ in calls),
        callers,
        effects,
        worked,
        crew.kills,
        crew.stops,
        seconds,
        rests,
        (folder / "errors").read_text(),
    )


def test_nothing_is_lost_and_nothing_is_decided_twice(
    outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    states = Counter(run.state for run in outcome.runs)
    lost = sum(head is None or head.outcome != "baked" for head in outcome.heads)
    repeated = sum(times - 1 for times in Counter(outcome.effects.values()).values())
    with capsys.disabled():
        print(
            f"\n{len(outcome.heads)} chains, {len(outcome.runs)} runs {dict(states)} "
            f"in {outcome.seconds:.1f} s; {outcome.kills} processes killed, {outcome.stops} "
            f"stopped beyond their lease; {sum(outcome.worked.values()) - len(outcome.worked)} "
            f"deliveries repeated, {sum(len(who) > 1 for who in outcome.callers.values())} "
            f"actions taken over; {len(outcome.effects)} took effect, "
            f"{sum(outcome.calls.values()) - len(outcome.calls)} repeated calls recognised; "
            f"lost {lost}, repeated {repeated}"
        )
    assert outcome.errors == ""
    assert (outcome.kills, outcome.stops) == (KILLS, STOPS)
    assert outcome.rests
    assert lost == repeated == 0
    assert len(outcome.runs) == CHAINS * (1 + 2 * len(SACKS))
    # Both that complete a join may want to end the chain; one of them does.
    second = [run for run in outcome.runs if run.state == "dropped"]
    assert {(run.handler, run.why) for run in second} <= {("bake", "the chain is closed: baked")}
    assert states["committed"] + len(second) == len(outcome.runs)


def test_each_action_took_effect_once_as_its_journal_says(outcome: Outcome) -> None:
    wanted = {f"{n}/{name}/{turn}" for n in range(CHAINS) for name in SACKS for turn in (1, 2)}
    assert set(outcome.effects.values()) == wanted
    assert len(outcome.effects) == len(wanted)
    assert set(outcome.calls) == set(outcome.effects)
    for run in outcome.runs:
        acts = [entry for entry in run.log if entry.is_action]
        for index, entry in enumerate(acts):
            what = f"{entry.args['number']}/{entry.args['name']}/{entry.args['pass_']}"
            assert outcome.effects[action_key(run.chain, run.run, index)] == what
            assert entry.result == {"weight": entry.args["pass_"]}


def test_processes_were_hit_in_the_midst_of_actions(outcome: Outcome) -> None:
    """Otherwise all of this shows nothing."""
    assert any(len(pids) > 1 for pids in outcome.callers.values())
    assert max(outcome.worked.values()) > 1
