"""A server in a process of its own, run by the interpreter of its own environment."""

import contextlib
import http.client
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import abstractmethod
from pathlib import Path

from crosswind_local.environments import interpreter
from crosswind_local.errors import LocalCloudError, StartFailed
from crosswind_local.lifecycle import LocalService

LAUNCHER = Path(__file__).with_name("launcher.py")

READY = 30.0
"""Seconds within which a server must answer."""

GRACE = 5.0
"""Seconds that a server has to end before it is killed."""

_TRIES = 3
_LOG = 4_000
_ANSWER = 16


class HostedServer(LocalService):
    """A server on 127.0.0.1 that lives as long as it is wanted, and not longer than this process.

    It sees nothing of our environment variables. Its time can be moved on.
    """

    service: str
    """Its name, as the launcher knows it."""

    health: str
    """The path that it answers with status 200 once it is ready."""

    def __init__(self, *, port: int = 0) -> None:
        """Listen on `port`, or on a free one."""
        super().__init__()
        self._asked_port = port
        self._port = 0
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.skipped = 0.0
        """Seconds by which its clock is ahead of ours."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """Its process id, which is also that of its process group; None when it does not run."""
        return None if self._process is None else self._process.pid

    @property
    @abstractmethod
    def requirements(self) -> Path:
        """The hash-pinned requirement file of its environment."""

    @abstractmethod
    def environ(self, folder: Path, port: int) -> dict[str, str]:
        """The environment variables it is given; `folder` is its own and goes with it."""

    def advance(self, seconds: float) -> None:
        """Move its clock on.

        Raises:
            ValueError: `seconds` is negative.
            LocalCloudError: it does not answer.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards: advance({seconds})")
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise LocalCloudError(f"{self.service} does not run")
        try:
            process.stdin.write(f"advance {seconds:.6f}\n".encode())
            process.stdin.flush()
            answered, _, _ = select.select([process.stdout], [], [], GRACE)
            answer = process.stdout.readline(_ANSWER) if answered else b""
        except OSError as error:
            raise LocalCloudError(f"{self.service} has ended: {self._said()}") from error
        if answer != b"done\n":
            raise LocalCloudError(f"{self.service} did not move its clock: {self._said()}")
        self.skipped += seconds

    def call(self, method: str, path: str, timeout: float = 5.0) -> int:
        """Make a plain HTTP request to it; the status of its answer.

        Raises:
            OSError, http.client.HTTPException: it does not answer.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            response.read()
            return response.status

    def _start(self) -> None:
        python = interpreter(self.service, self.requirements)
        self._folder = Path(tempfile.mkdtemp(prefix=f"crosswind-{self.service}-"))
        try:
            for tries in range(_TRIES, 0, -1):
                self._port = self._asked_port or _free_port()
                self._spawn(python, self._folder)
                # Between our look for a free port and its bind, another may have taken it.
                if self._became_ready() or self._asked_port or tries == 1:
                    break
                self._end()
            if not self._became_ready():
                raise StartFailed(
                    f"{self.service} did not begin to serve on port {self._port} of 127.0.0.1: "
                    f"{self._said()}"
                )
        except BaseException:  # an interrupt as well: the server is not left running
            self._stop()
            raise

    def _spawn(self, python: Path, folder: Path) -> None:
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own launcher, no shell
                [str(python), "-I", str(LAUNCHER), self.service, str(self._port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=self.environ(folder, self._port),
                start_new_session=True,
            )

    def _became_ready(self) -> bool:
        end = time.monotonic() + READY
        while self._process is not None and time.monotonic() < end:
            if self._process.poll() is not None:
                return False
            try:
                # Another server may hold the port that ours could not have.
                if self.call("GET", self.health, timeout=0.5) == http.client.OK:
                    return self._process.poll() is None
            except (OSError, http.client.HTTPException):
                pass  # not yet; the loop is bounded
            time.sleep(0.02)
        return False

    def _stop(self) -> None:
        self._end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                pass  # it is killed below, with all it has started
        # What it has started may outlive it; the group is its own and keeps its number till then.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                # Closing writes what was not: a command, to a server that has died.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _said(self) -> str:
        log = self._folder / "log" if self._folder is not None else None
        text = log.read_text("utf-8", "replace") if log is not None and log.exists() else ""
        return text.strip()[-_LOG:] or "it said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def plain_environ(folder: Path) -> dict[str, str]:
    """The least that a server needs: a path, a language, and its own folder as home and for files.

    What else there is on this machine does not reach it, nor the functions that an emulator runs.
    """
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
    }
