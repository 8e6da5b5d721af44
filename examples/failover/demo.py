"""A region fails while people use it: one minute of Crosswind on one machine.

    python examples/failover/demo.py [--yes]

Real model servers, one for each region of three clouds in name, behind a weighted proxy, under
real load. A real AWS Health notification comes in and a server is killed. Everything that a person
does is done through the command line, and shown as it is typed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

import report
from crosswind.fleet.load import load_fleet
from crosswind.world import answers
from crosswind.world.processes import World
from stage import FLEET, Commands, Worker, orders, servers, until, weights
from stricter import CHANGES, write_stricter

ROOT = Path(__file__).resolve().parents[2]
FAILING = "aws/us-east-1"
NOTICE = ROOT / "tests/fixtures/signals/aws/health-issue-open.json"
STEADY = 3.0
CALM = 2.0
"""Seconds without failures after which the callers count as recovered."""


class Demo:
    """Tells the story, step by step."""

    def __init__(self, folder: Path, console: Console, *, yes: bool) -> None:
        self.folder = folder
        self.console = console
        self.yes = yes
        fleet = load_fleet(FLEET)
        self.world = World(folder / "world", servers(fleet), weights=weights(fleet))
        self.commands = Commands(folder, console)
        self.workers: list[Worker] = []
        self.steps = 0
        self.failed_at = 0.0
        self.chain = ""

    def play(self) -> None:
        """All of it; no process outlives it."""
        try:
            with self.world:
                self.start()
                self.fail()
                self.approve()
                self.crash()
                self.look_back()
                self.replay()
        finally:
            for worker in self.workers:
                worker.stop()

    def step(self, title: str) -> None:
        """Announce a step."""
        self.steps += 1
        self.console.print()
        self.console.rule(f"[bold]{self.steps}. {title}", align="left")

    # -- the story --------------------------------------------------------------------------------

    def start(self) -> None:
        """A fleet at work."""
        self.step("Three regions serve two workloads; callers send 80 requests a second")
        self.log = self.world.start_load("chat", rate=60)
        self.world.start_load("search", rate=20)
        self.workers.append(self.commands.worker("worker-1"))
        for name, server in self.world.addresses.servers.items():
            self.console.print(f"  model server  {name:<18} pid {server.pid}, port {server.port}")
        self.console.print(f"  weighted proxy{'':<20} port {self.world.proxy_port}")
        self.console.print(f"  worker        worker-1           pid {self.workers[0].process.pid}")
        time.sleep(STEADY)
        self.console.print(report.shares("chat, the last seconds:", self._answers(), CALM))

    def fail(self) -> None:
        """The region fails, and its provider says so."""
        self.step(f"{FAILING} fails: AWS sends a Health notification, and its server is killed")
        self.commands.run("signal", str(NOTICE), "--cloud", "aws", "--no-work")
        self.console.print("\nThe provider's word alone moves nothing. Now the server dies:")
        self.failed_at = time.time()
        self.world.kill(FAILING)
        pid = self.world.addresses.servers[FAILING].pid
        self.console.print(f"  model server {FAILING}, pid {pid}: SIGKILL")
        self.console.print("  Probes and real traffic are evidence, too …")
        self.chain = until("plan that waits for approval", self._waiting)

    def approve(self) -> None:
        """What was seen, what is proposed, what was rejected, and a person's answer."""
        self.step("Independent evidence agrees: a plan is proposed, and a person is asked")
        self.commands.run("chains", "--open")
        if self._answer() != 0:
            raise SystemExit("It was not approved, so nothing was changed. That is a brake, too.")

    def crash(self) -> None:
        """The worker dies in the middle of the shift, and another finishes."""
        self.step("Capacity first, then traffic in steps; in mid-shift the worker is killed")
        until("first step of the shift", lambda: len(self._shifts()) >= 2)
        worker = self.workers[0]
        worker.kill()
        self.console.print(
            f"  {worker.name} was killed (SIGKILL) after {len(self._shifts())} changes of traffic"
        )
        self.workers.append(self.commands.worker("worker-2"))
        self.console.print(
            f"  worker-2 (pid {self.workers[1].process.pid}) goes on, "
            "as soon as the dead worker's lease is over"
        )
        until("end of the failover", self._ended)

    def look_back(self) -> None:
        """What it was like for the callers, what was done, and why."""
        self.step("What the callers saw, and what was done")
        time.sleep(CALM + 0.5)
        seen = self._answers()
        self.console.print(report.errors("chat, failed requests by second:", seen, self.failed_at))
        recovered = answers.recovery_time(seen, 0.01, CALM)
        shown = "not yet" if recovered is None else f"{recovered:.1f} s"
        self.console.print(f"  from the first failed request to the last: [bold]{shown}[/]")
        self.console.print(report.shares("chat, after the shift:", seen, CALM))
        self.console.print("\nFrom the logs of the servers and the proxy themselves:")
        logs = {name: list(orders(self.world.control_log(name))) for name in self._targets()}
        self.console.print(report.orders(logs))
        if report.repeated_effects(logs):
            raise SystemExit("An action took effect twice. This is a defect of Crosswind.")
        self.console.print("  No action took effect twice, though a worker was killed among them.")
        self.console.print("\nEvery step of it can be read back:")
        self.commands.run("trace", self.chain[:8], lines=70)

    def replay(self) -> None:
        """The same evidence under another policy."""
        self.step("The same chain under a stricter policy")
        path = write_stricter(self.folder)
        for old, new in CHANGES.items():
            self.console.print(f"  {old.strip()}  [dim]becomes[/]  {new.strip()}")
        self.commands.run("replay", self.chain[:8], "--fleet", str(path), lines=30)

    def _answer(self) -> int:
        """Have what is proposed answered; the exit code."""
        words = ("approve", self.chain[:8], "--all", "--no-work")
        if self.yes:
            return self.commands.run(*words, "--yes", "--reason", "demonstration")
        return self.commands.interact(*words)

    def _ended(self) -> bool:
        """Whether the failover has ended; until then what is still proposed is answered.

        Where the server dies between the probes of two workloads, one is known to fail a moment
        before the other, which is then planned for, and asked about, by itself.
        """
        if self._waiting() == self.chain:
            self._answer()
        return self._closed()

    # -- looking ----------------------------------------------------------------------------------

    def _answers(self) -> list[answers.Answer]:
        return list(answers.read(self.log))

    def _targets(self) -> list[str]:
        return ["proxy", *self.world.addresses.servers]

    def _chains(self) -> list[dict[str, Any]]:
        listed = self.commands.ask("chains") or []
        return [one for one in listed if one["target"] == FAILING]

    def _waiting(self) -> str | None:
        for one in self._chains():
            if "approval" in one["waits"]:
                return str(one["chain"])
        return None

    def _closed(self) -> bool:
        return any(one["chain"] == self.chain and one["outcome"] for one in self._chains())

    def _shifts(self) -> list[dict[str, Any]]:
        return [
            order
            for order in orders(self.world.control_log("proxy"))
            if order["epoch"] > 0 and order["effect"] == "applied"
        ]


def main() -> None:
    """Play it in a folder of its own."""
    parser = argparse.ArgumentParser(description="A failover of real processes, in one minute.")
    parser.add_argument("--yes", action="store_true", help="approve without being asked")
    options = parser.parse_args()
    console = Console(highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="crosswind demo "))
    Demo(folder, console, yes=options.yes or not sys.stdin.isatty()).play()
    console.print()
    console.rule("[bold]Where to look next", align="left")
    data = folder / "crosswind.sqlite"
    console.print(f"  its chains      .venv/bin/crosswind chains --data '{data}'")
    console.print("  how it is made  core/crosswind/chains/failover, examples/failover/fleet.yaml")
    console.print("  what to read    README.md, docs/concepts.md, docs/failover.md")


if __name__ == "__main__":
    main()
