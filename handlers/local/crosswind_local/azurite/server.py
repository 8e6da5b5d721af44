"""Azurite as one thing: start it, point the SDKs at it, stop it."""

import json
import logging
import os
import select
import socket
import subprocess
import threading
from pathlib import Path

from crosswind_local.azurite import accounts
from crosswind_local.azurite.accounts import Account
from crosswind_local.azurite.installation import (
    REQUIREMENTS,
    Installation,
    Progress,
    install,
    version,
)
from crosswind_local.errors import LocalCloudError
from crosswind_local.inspection import Inspection
from crosswind_local.servers import GRACE, READY, HostedServer, plain_environ

LOG = logging.getLogger(__name__)

LEASH = Path(__file__).with_name("leash.js")

DEFAULT_LIMIT = 256 * 1024 * 1024
"""How many bytes of blobs and messages are kept unless told otherwise."""

_MIB = 1024 * 1024


class AzuriteEmulator(HostedServer):
    """Azure Storage on 127.0.0.1, in a process of its own.

        with AzuriteEmulator() as azurite:
            BlobServiceClient.from_connection_string(azurite.connection_string)

    All is kept in memory and gone once it stops.
    """

    service = "azurite"

    def __init__(
        self,
        *,
        port: int = 0,
        queue_port: int = 0,
        table_port: int = 0,
        memory_limit: int = DEFAULT_LIMIT,
        progress: Progress = LOG.info,
    ) -> None:
        """Listen on `port` for blobs and on the others for queues and tables, or on free ones.

        `memory_limit` is in bytes of the contents of blobs and messages; Azurite refuses more
        than that. `progress` is told in lines how far the first start, which fetches it, is.
        """
        super().__init__(port=port)
        self._asked = (queue_port, table_port)
        self._queue_port = self._table_port = 0
        self._memory_limit = memory_limit
        self._progress = progress
        self._installation: Installation | None = None
        self._ready = False
        self._talking = threading.Lock()
        self._inspection: Inspection | None = None

    @property
    def requirements(self) -> Path:
        return REQUIREMENTS

    @property
    def connection_string(self) -> str:
        """That of the well-known account, for every Azure Storage SDK."""
        return self.account().connection_string

    @property
    def env(self) -> dict[str, str]:
        """The connection string, under the name that Azure's tools and samples look for."""
        return self.account().env

    @property
    def inspection_url(self) -> str:
        """Where what it does can be read as JSON.

        Raises:
            RuntimeError: it was not started.
        """
        if self._inspection is None:
            raise RuntimeError("azurite was not started")
        return self._inspection.url

    def account(self, number: int = 0) -> Account:
        """One of its accounts, by number: the well-known one, or one of a thousand others.

        Raises:
            ValueError: there is no such account.
        """
        name = accounts.name_of(number)
        blob, queue, table = (
            f"http://127.0.0.1:{port}/{name}"
            for port in (self._port, self._queue_port, self._table_port)
        )
        return Account(name, accounts.WELL_KNOWN_KEY, blob, queue, table)

    def advance(self, seconds: float) -> None:
        """Move its clock on, by which messages reappear, leases end and things expire.

        Raises:
            ValueError: `seconds` is negative.
            LocalCloudError: it does not answer.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards: advance({seconds})")
        if self._ask(f"advance {seconds:.6f}") != b"done\n":
            raise LocalCloudError(f"azurite did not move its clock: {self._said()}")
        self.skipped += seconds

    def report(self) -> dict[str, object]:
        """Where it listens, its process and memory (in bytes), and the requests it answered.

        Raises:
            LocalCloudError: it does not answer.
        """
        told = self._told()
        return {
            "version": version(),
            "pid": self.pid,
            "skipped": self.skipped,
            "endpoints": {
                "blob": self.account().blob_url,
                "queue": self.account().queue_url,
                "table": self.account().table_url,
            },
            "memory": {"used": told["memory"], "limit_of_contents": self._memory_limit},
            "calls": told["calls"],
        }

    def calls(self) -> object:
        """The last requests, oldest first, each as Azurite writes it down.

        Raises:
            LocalCloudError: it does not answer.
        """
        return self._told()["last"]

    def environ(self, folder: Path, port: int) -> dict[str, str]:
        return {**plain_environ(folder), "AZURITE_ACCOUNTS": accounts.declaration()}

    def _start(self) -> None:
        self._installation = install(self._progress)
        super()._start()
        inspection = Inspection({"/": self.report, "/calls": self.calls})
        try:
            inspection.start()
        except OSError:
            self._stop()
            raise
        self._inspection = inspection
        threading.Thread(
            target=self._watch, args=(self._process,), name="local-azurite", daemon=True
        ).start()

    def _stop(self) -> None:
        super()._stop()
        if self._inspection is not None:
            self._inspection.stop()

    def _spawn(self, python: Path, folder: Path) -> None:
        if self._installation is None:
            raise RuntimeError("azurite was not installed")
        self._ready = False
        self._queue_port, self._table_port = (
            asked or free for asked, free in zip(self._asked, _free_ports(), strict=True)
        )
        ports = {
            "blob": self._port,
            "queue": self._queue_port,
            "table": self._table_port,
        }
        where = [
            option
            for name, port in ports.items()
            for option in (f"--{name}Host", "127.0.0.1", f"--{name}Port", str(port))
        ]
        # The SDKs are newer than Azurite and say so in each request, which it would refuse.
        how = ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]
        bound = ["--extentMemoryLimit", f"{self._memory_limit / _MIB:g}"]
        program = [str(self._installation.node), str(LEASH), str(self._installation.main)]
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [*program, *where, *how, *bound],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=self.environ(folder, self._port),
                start_new_session=True,
            )

    def _became_ready(self) -> bool:
        process = self._process
        if not self._ready and process is not None and process.stdout is not None:
            # One line, or the end of the process; nothing else is written until it is asked.
            answered, _, _ = select.select([process.stdout], [], [], READY)
            self._ready = bool(answered) and process.stdout.readline() == b"ready\n"
        return self._ready

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        status = process.wait()
        # Where it is stopped, it is forgotten first.
        if self._process is process:
            LOG.error("azurite has ended by itself with status %s: %s", status, self._said())

    def _told(self) -> dict[str, object]:
        told: dict[str, object] = json.loads(self._ask("report"))
        return told

    def _ask(self, command: str) -> bytes:
        """The line with which the leash answers a command."""
        with self._talking:
            process = self._process
            if process is None or process.stdin is None or process.stdout is None:
                raise LocalCloudError("azurite does not run")
            try:
                # Not through the buffer, which would try again when it is closed.
                os.write(process.stdin.fileno(), f"{command}\n".encode())
                answered, _, _ = select.select([process.stdout], [], [], GRACE)
                line = process.stdout.readline() if answered else b""
            except (OSError, ValueError) as error:  # ValueError: it was stopped just now
                raise LocalCloudError(f"azurite has ended: {self._said()}") from error
        if not line:
            raise LocalCloudError(f"azurite does not answer: {self._said()}")
        return line


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for probe in (first, second):
            probe.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
