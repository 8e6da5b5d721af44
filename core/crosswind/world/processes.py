"""Starts and stops a world: servers, proxy and callers as child processes.

    regions = [RegionServer("aws/us-east-1"), RegionServer("gcp/us-central1")]
    with World(directory, regions) as world:
        answers = world.start_load("chat", rate=50)
        world.kill("aws/us-east-1")

In the directory: `world.json` (addresses, while it runs) and `logs/` (control logs, answers and
stderr of every process). No child outlives the process that started it: each watches its parent
and ends by itself, also when the parent is killed.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from crosswind.errors import CrosswindError
from crosswind.world import client
from crosswind.world.addresses import FILE, Address, Addresses, Callers

STOP_SECONDS: Final = 3.0
"""How long a child may take to stop before it is killed."""

POLL_SECONDS: Final = 0.01

_PROXY: Final = "proxy"


class WorldFailed(CrosswindError):
    """A process of the world did not start, or is not what was asked for."""


@dataclass(frozen=True)
class RegionServer:
    """One region's model server.

    Attributes:
        name: such as `aws/us-east-1`.
        workloads: replicas by workload at first.
        quota: replicas that the region grants in total.
        rate: requests a second that one replica serves.
        service_ms: how long one inference takes, in milliseconds.
        start_seconds: how long a new replica takes until it serves.
        revision: of the model.
    """

    name: str
    workloads: Mapping[str, int] = field(default_factory=lambda: {"chat": 4})
    quota: int = 12
    rate: float = 50.0
    service_ms: float = 10.0
    start_seconds: float = 0.5
    revision: str = "r1"

    def arguments(self) -> list[str]:
        """The command line of its server."""
        return [
            *("--region", self.name),
            *(word for name, count in self.workloads.items()
              for word in ("--workload", f"{name}={count}")),
            *("--quota", str(self.quota)),
            *("--rate", str(self.rate)),
            *("--service-ms", str(self.service_ms)),
            *("--start-seconds", str(self.start_seconds)),
            *("--revision", self.revision),
        ]  # fmt: skip


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    stderr: Path
    address: Address


class World:
    """A world in a directory; a context manager.

    Args:
        directory: made where it is missing; must hold no logs of an earlier world.
        regions: at least one.
        weights: shares by workload and region at first; even ones where not given.
        timeout: seconds that the proxy gives a region for an answer.
        ready_seconds: how long a process may take to be ready.
        max_seconds: after which every process ends by itself.

    Raises:
        WorldFailed: on entering, where a process does not start; names it and shows its stderr.
    """

    def __init__(
        self,
        directory: Path,
        regions: Sequence[RegionServer],
        *,
        weights: Mapping[str, Mapping[str, float]] | None = None,
        timeout: float = 1.0,
        ready_seconds: float = 15.0,
        max_seconds: float = 900.0,
    ) -> None:
        names = [region.name for region in regions]
        if not names or len(set(names)) < len(names):
            raise ValueError("a world needs one region or more, each named once")
        self.directory = directory.absolute()
        self.logs = self.directory / "logs"
        self._regions = {region.name: region for region in regions}
        self._weights = _even(regions) if weights is None else weights
        self._timeout = timeout
        self._ready_seconds = ready_seconds
        self._max_seconds = max_seconds
        self._children: dict[str, _Child] = {}
        self._loads: dict[str, Callers] = {}
        self._load_numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        if any(self.logs.iterdir()):
            raise WorldFailed(
                f"{self.logs} holds logs of an earlier world; give an empty directory or remove it"
            )
        try:
            self._start()
        except BaseException:  # an interrupt as well: no process is left behind
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def addresses(self) -> Addresses:
        """Ports and process ids, as in `world.json`; those of killed servers stay."""
        return Addresses(
            proxy=self._children[_PROXY].address,
            servers={name: self._children[name].address for name in self._regions},
            workloads=tuple(sorted({w for r in self._regions.values() for w in r.workloads})),
            loads=tuple(self._loads.values()),
        )

    @property
    def proxy_port(self) -> int:
        """The port of the proxy."""
        return self._children[_PROXY].address.port

    def control_log(self, name: str) -> Path:
        """The control log of a region's server, or of `proxy`."""
        return self.logs / f"{_file_name(name)}.control.jsonl"

    def kill(self, region: str) -> None:
        """Kill a region's server as a crash would (SIGKILL); its port refuses from now on."""
        child = self._server(region)
        child.process.kill()
        child.process.wait()

    def restart(self, region: str) -> None:
        """Start a region's server again on its old port; it knows its orders, replicas start anew.

        Raises:
            WorldFailed: it did not start, for example because the port was taken meanwhile.
        """
        child = self._server(region)
        _end(child.process)
        self._spawn_server(region, child.address.port, "--restore")
        self._await_ready(region)
        self.addresses.write(self.directory)

    def fault(self, region: str, kind: str, **detail: Any) -> None:
        """Let a region suffer `slow`, `errors`, `grey` or `none`; see `server.Fault`."""
        port = self._server(region).address.port
        client.call(port, "POST", "/admin/fault", {"kind": kind, **detail})

    def start_load(
        self, workload: str, *, rate: float = 50.0, seconds: float = 600.0, timeout: float = 5.0
    ) -> Path:
        """Start callers of a workload; returns the file of their answers, being written.

        Args:
            rate: requests a second.
            timeout: seconds that a caller waits for an answer.
        """
        name = f"load-{next(self._load_numbers)}"
        answers = self.logs / f"{name}.answers.jsonl"
        self._spawn(
            name,
            "crosswind.world.load",
            *("--proxy", str(self.proxy_port), "--workload", workload, "--rate", str(rate)),
            *("--seconds", str(seconds), "--timeout", str(timeout), "--log", str(answers)),
        )
        self._await_ready(name)
        pid = self._children[name].address.pid
        self._loads[name] = Callers(pid=pid, workload=workload, answers=answers)
        self.addresses.write(self.directory)
        return answers

    def stop_load(self) -> None:
        """Stop all callers; returns when their last answers are recorded."""
        self._end_loads()
        self.addresses.write(self.directory)

    def stop(self) -> None:
        """Stop every process, callers first; kills those that do not stop in time."""
        self._end_loads()
        running = [c.process for c in self._children.values() if c.process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            _end(process)
        (self.directory / FILE).unlink(missing_ok=True)

    def _start(self) -> None:
        for name in self._regions:
            self._spawn_server(name)
        for name in self._regions:
            self._await_ready(name)
        servers = [f"{name}={self._children[name].address.port}" for name in self._regions]
        self._spawn(
            _PROXY,
            "crosswind.world.proxy",
            *(word for server in servers for word in ("--server", server)),
            *("--timeout", str(self._timeout), "--log", str(self.control_log(_PROXY))),
        )
        self._await_ready(_PROXY)
        for workload, shares in self._weights.items():
            order = {"workload": workload, "weights": dict(shares), "epoch": 0}
            key = f"start/{workload}"
            client.call(self.proxy_port, "PUT", "/admin/weights", {**order, "key": key})
        self.addresses.write(self.directory)

    def _spawn_server(self, name: str, port: int = 0, *more: str) -> None:
        self._spawn(
            name,
            "crosswind.world.server",
            *self._regions[name].arguments(),
            *("--port", str(port), "--log", str(self.control_log(name)), *more),
            port=port,
        )

    def _spawn(self, name: str, module: str, *arguments: str, port: int = 0) -> None:
        ready = self._ready_file(name)
        ready.unlink(missing_ok=True)
        stderr = self.logs / f"{_file_name(name)}.stderr"
        command = [
            *(sys.executable, "-m", module, *arguments),
            *("--parent", str(os.getpid()), "--announce", str(ready)),
            *("--max-seconds", str(self._max_seconds)),
        ]
        with stderr.open("ab") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,  # a Ctrl-C reaches the parent only, which stops it in order
            )
        self._children[name] = _Child(process, stderr, Address(port=port, pid=process.pid))

    def _await_ready(self, name: str) -> None:
        child, ready = self._children[name], self._ready_file(name)
        end = time.monotonic() + self._ready_seconds
        while not ready.exists():
            if (code := child.process.poll()) is not None:
                raise WorldFailed(f"{name} ended with {code}: {_tail(child.stderr)}")
            if time.monotonic() > end:
                seconds = f"{self._ready_seconds:g} s"
                raise WorldFailed(f"{name} was not ready within {seconds}: {_tail(child.stderr)}")
            time.sleep(POLL_SECONDS)
        port = json.loads(ready.read_bytes())["port"] or 0  # callers have none
        child.address = Address(port=port, pid=child.process.pid)

    def _end_loads(self) -> None:
        for name in self._loads:
            _end(self._children[name].process)
        self._loads.clear()

    def _ready_file(self, name: str) -> Path:
        return self.logs / f"{_file_name(name)}.ready"

    def _server(self, region: str) -> _Child:
        if region not in self._regions:
            raise ValueError(f"{region!r} is not one of {', '.join(self._regions)}")
        return self._children[region]


def _even(regions: Sequence[RegionServer]) -> Mapping[str, Mapping[str, float]]:
    """Even shares of every workload over the regions that serve it."""
    serving: dict[str, list[str]] = {}
    for region in regions:
        for workload in region.workloads:
            serving.setdefault(workload, []).append(region.name)
    return {w: dict.fromkeys(names, 1 / len(names)) for w, names in serving.items()}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop a child and wait for it; kill it where it does not stop in time."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[-2000:].strip() or "(no stderr)"


def _file_name(name: str) -> str:
    return name.replace("/", "-")
