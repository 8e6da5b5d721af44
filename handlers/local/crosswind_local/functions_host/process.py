"""One process of the language worker, from its start to its end."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosswind_local.errors import LocalCloudError, StartFailed
from crosswind_local.functions_host.application import Application

WORKER = Path(__file__).with_name("worker.py")

INIT = 60.0
"""Seconds within which the app must be indexed."""

_TAIL = 40

Value = Mapping[str, Any]
"""A value for or from a function, by its kind: {"string": "..."}, {"bytes": base64}, ..."""


class WorkerLost(LocalCloudError):
    """The process ended, or was ended, before it answered."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, in the worker's own terms."""

    invocation: str
    function: str
    inputs: Sequence[tuple[str, Value]]
    metadata: Mapping[str, Value]
    trace: str


@dataclass(frozen=True, slots=True)
class Logged:
    """A record that a function logged; `invocation` is empty where it belongs to none."""

    level: str
    logger: str
    message: str
    invocation: str


class WorkerProcess:
    """The worker with one app.

    Args:
        python: the interpreter, which has the worker library.
        application: the app.
        environ: all variables that it sees.
        bytecode: where compiled modules go, so that the app's own folder stays as it is.
        on_log: told what is logged.
        on_print: told each line that is printed.
        on_end: told the status with which the process ended.
    """

    def __init__(
        self,
        python: Path,
        application: Application,
        environ: Mapping[str, str],
        *,
        bytecode: Path,
        on_log: Callable[[Logged], None],
        on_print: Callable[[str], None],
        on_end: "Callable[[WorkerProcess, int], None]",
    ) -> None:
        self._on_log = on_log
        self._on_print = on_print
        self._on_end = on_end
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._lost: str | None = None
        self._said: deque[str] = deque(maxlen=_TAIL)
        paths = [str(application.folder), *map(str, application.packages)]
        self.process = subprocess.Popen(  # noqa: S603 - our own worker, no shell
            [str(python), "-I", "-X", f"pycache_prefix={bytecode}", str(WORKER), *paths],
            cwd=application.folder,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._printed = threading.Thread(target=self._hear, name="functions-out", daemon=True)
        self._reader = threading.Thread(target=self._read, name="functions-in", daemon=True)
        self._printed.start()
        self._reader.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs and answers."""
        return self._lost is None and self.process.poll() is None

    def init(self) -> dict[str, Any]:
        """Have the app indexed; what the worker tells of it.

        Raises:
            StartFailed: the app cannot be imported or indexed, with the stack; or the process
                ended, or took too long.
        """
        answer = self._ask({"do": "init"})
        try:
            done = answer.result(INIT)
        except TimeoutError as error:
            self.kill(f"it was not indexed within {INIT:g} s")
            raise StartFailed(f"the app was not indexed within {INIT:g} s") from error
        except WorkerLost as error:
            raise StartFailed(f"the worker ended while the app was indexed: {error}") from error
        if not done["ok"]:
            raise StartFailed(f"the app cannot be indexed: {done['message']}\n{done['stack']}")
        return done

    def invoke(self, call: Call) -> "Future[dict[str, Any]]":
        """Call a function; the answer comes later, WorkerLost where it never will."""
        return self._ask(
            {
                "do": "invoke",
                "invocation": call.invocation,
                "function": call.function,
                "inputs": list(call.inputs),
                "metadata": dict(call.metadata),
                "trace": call.trace,
            }
        )

    def kill(self, reason: str) -> None:
        """End the process and what it has started; all that wait for it learn the reason."""
        with self._lock:
            if self._lost is None:
                self._lost = reason
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End all of it, and wait until it has."""
        self.kill("the host stops")
        self.process.wait()
        self._reader.join(timeout=5)
        self._printed.join(timeout=5)

    def _ask(self, request: dict[str, Any]) -> "Future[dict[str, Any]]":
        answer: Future[dict[str, Any]] = Future()
        with self._lock:
            if self._lost is not None:
                answer.set_exception(WorkerLost(self._lost))
                return answer
            self._number += 1
            self._waiting[self._number] = answer
            line = json.dumps({"id": self._number, **request}).encode() + b"\n"
        stdin = self.process.stdin
        assert stdin is not None, "a pipe"
        # A lock of its own: a worker that does not read must be killed all the same.
        with self._writing:
            try:
                stdin.write(line)
                stdin.flush()
            except (OSError, ValueError):
                pass  # it has ended, which the reader tells all that wait
        return answer

    def _read(self) -> None:
        assert self.process.stdout is not None, "a pipe"
        with self.process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                if "log" in told:
                    self._on_log(Logged(**told["log"]))
                    continue
                with self._lock:
                    answer = self._waiting.pop(told["id"], None)
                if answer is not None:
                    answer.set_result(told["done"])
        status = self.process.wait()
        # What it has started may outlive it; the group is its own and keeps its number till then.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._printed.join(timeout=1)
        with self._lock:
            if self._lost is None:
                said = "\n".join(self._said)
                self._lost = f"the worker ended with status {status}: {said or 'it said nothing'}"
            waiting, self._waiting = self._waiting, {}
            lost = self._lost
        for answer in waiting.values():
            answer.set_exception(WorkerLost(lost))
        assert self.process.stdin is not None, "a pipe"
        with self._writing, contextlib.suppress(OSError):  # what was not written is of no use now
            self.process.stdin.close()
        self._on_end(self, status)

    def _hear(self) -> None:
        assert self.process.stderr is not None, "a pipe"
        with self.process.stderr as lines:
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip("\n")
                self._said.append(text)
                self._on_print(text)
