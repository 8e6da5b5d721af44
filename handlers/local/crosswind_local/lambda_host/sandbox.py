"""One process of a function, from its start to its end."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crosswind_local.errors import StartFailed
from crosswind_local.lambda_host.runtime_api import Desk, Invocation, RuntimeApi, parsed

INIT = 10.0
"""Seconds that a function may take to begin, as on Lambda."""

_LOG = 4_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an invocation.

    Attributes:
        outcome: it returned; its handler raised; it took too long and was killed; it died.
        payload: what it returned, or the error as Lambda reports it; None where it died.
        seconds: from the call to the answer.
    """

    outcome: Literal["returned", "raised", "timed out", "died"]
    payload: Any
    seconds: float


class Sandbox:
    """A process of a function and the Runtime API that serves it.

    Args:
        command: runs the function's runtime client.
        cwd: the folder of its code.
        environ: its environment variables, to which the address of the API is added.
        log: where its standard output and error go.
        arn: of the function, as it is told.
    """

    def __init__(
        self, command: list[str], *, cwd: Path, environ: Mapping[str, str], log: Path, arn: str
    ) -> None:
        self._arn = arn
        self._log = log
        self._desk = Desk()
        self._api = RuntimeApi(self._desk)
        self._api.start()
        begun = time.monotonic()
        with log.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - the command of who starts it, no shell
                command,
                cwd=cwd,
                env={**environ, "AWS_LAMBDA_RUNTIME_API": self._api.address},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        threading.Thread(target=self._watch, name="lambda-sandbox", daemon=True).start()
        try:
            self._await_readiness()
        except BaseException:  # an interrupt as well: the process is not left behind
            self.stop()
            raise
        self.cold_start = time.monotonic() - begun
        """Seconds from the start of the process until it asked for work."""

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def invoke(self, event: Any, timeout: float) -> Answer:
        """Call the function, and kill it where it takes longer than `timeout` seconds."""
        begun = time.monotonic()
        invocation = Invocation(
            str(uuid.uuid4()), json.dumps(event).encode(), time.time() + timeout, self._arn
        )
        with self._desk.changed:
            self._desk.waiting = invocation
            self._desk.changed.notify_all()
            self._desk.changed.wait_for(
                lambda: invocation.said is not None or self._desk.closed, timeout
            )
            said, closed = invocation.said, self._desk.closed
        seconds = time.monotonic() - begun
        if said == "response":
            return Answer("returned", parsed(invocation.payload), seconds)
        if said == "error":
            return Answer("raised", parsed(invocation.payload), seconds)
        self.stop()
        return Answer("died" if closed else "timed out", None, seconds)

    def kill(self) -> None:
        """Kill the process and what it has started, whatever it is at."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End all of it at once."""
        self.kill()
        self.process.wait()
        self._desk.close()
        self._api.stop()

    def _watch(self) -> None:
        self.process.wait()
        self._desk.close()

    def _await_readiness(self) -> None:
        desk = self._desk
        with desk.changed:
            desk.changed.wait_for(
                lambda: desk.ready or desk.failure is not None or desk.closed, INIT
            )
            if desk.ready:
                return
            failure, ended = desk.failure, desk.closed
        if failure is not None:
            raise StartFailed(f"the function could not begin: {parsed(failure)}")
        said = self._log.read_text("utf-8", "replace").strip()[-_LOG:]
        how = "ended" if ended else f"did not ask for work within {INIT:g} s"
        raise StartFailed(f"the function's process {how}: {said or 'it said nothing'}")
