"""One call of a function: run it, send what it puts out, write it all down."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from crosswind_local.clock import Clock
from crosswind_local.functions_host.functions import Function
from crosswind_local.functions_host.journal import Journal
from crosswind_local.functions_host.moments import rfc3339
from crosswind_local.functions_host.process import Call, Logged, Value, WorkerLost, WorkerProcess
from crosswind_local.functions_host.record import Invocation, Record
from crosswind_local.functions_host.senders import NotSent, Senders
from crosswind_local.functions_host.workers import Workers

QUIET = "azure.functions"
"""The worker library's own logger: what it says at level INFO of every call is left out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a call.

    Attributes:
        returned: what the function returned, `{}` for nothing.
        outputs: what it set, by parameter.
        error: why it failed; None where it succeeded.
        stack: the stack trace of that, as text.
    """

    invocation: str
    returned: Value = field(default_factory=dict)
    outputs: Mapping[str, Value] = field(default_factory=dict)
    error: str | None = None
    stack: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the function returned and all it put out was sent."""
        return self.error is None


class Invoker:
    """Calls functions, as many at a time as ask for it. `timeout` is in seconds."""

    def __init__(
        self,
        workers: Workers,
        senders: Senders,
        record: Record,
        journal: Journal,
        clock: Clock,
        timeout: float | None,
    ) -> None:
        self._workers = workers
        self._senders = senders
        self._record = record
        self._journal = journal
        self._clock = clock
        self._timeout = timeout

    def invoke(
        self,
        function: Function,
        value: Value,
        metadata: Mapping[str, Value],
        reason: str,
        trace: str = "",
    ) -> Result:
        """Call a function and wait for what comes of it.

        Args:
            function: the one to call.
            value: the trigger's value.
            metadata: what the trigger tells beside.
            reason: what called it, as the journal says it.
            trace: the W3C traceparent that came with the call; a new one begins without.
        """
        invocation = Invocation(str(uuid.uuid4()), function.name, reason, self._clock.now())
        self._record.begin(invocation)
        self._tell(f"Executing '{function.name}' ({reason}, Id={invocation.id})")
        begun = time.monotonic()
        result = Result(invocation.id, error="interrupted")
        try:
            result = self._run(function, invocation.id, value, metadata, trace)
        finally:
            invocation.milliseconds = round((time.monotonic() - begun) * 1000, 1)
            invocation.outcome = "succeeded" if result.succeeded else "failed"
            invocation.error = result.error or ""
            self._record.end(invocation)
        took = f"Id={invocation.id}, Duration={invocation.milliseconds:.0f}ms"
        self._tell(f"Executed '{function.name}' ({invocation.outcome.capitalize()}, {took})")
        if result.error is not None:
            self._tell(f"[error] {result.error}\n{result.stack}".rstrip())
        return result

    def logged(self, record: Logged) -> None:
        """Tell what a function logged."""
        if record.logger.startswith(QUIET) and record.level in {"DEBUG", "INFO"}:
            return
        of = f" (Id={record.invocation})" if record.invocation else ""
        self._tell(f"[{record.level.lower()}] {record.message}{of}")

    def printed(self, line: str) -> None:
        """Tell what a function printed."""
        self._tell(line)

    def _run(
        self,
        function: Function,
        invocation: str,
        value: Value,
        metadata: Mapping[str, Value],
        trace: str,
    ) -> Result:
        call = Call(
            invocation,
            function.id,
            [(function.parameter, value)],
            {**metadata, "sys": self._system(function)},
            trace or f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01",
        )
        try:
            worker = self._workers.current()
            with self._limited(worker):
                done = worker.invoke(call).result()
        except WorkerLost as error:
            return Result(invocation, error=str(error))
        self._workers.succeeded()
        if not done["ok"]:
            return Result(invocation, error=done["message"], stack=done["stack"])
        result = Result(invocation, done["returned"], done["outputs"])
        try:
            self._put_out(function, result)
        except NotSent as error:
            return Result(invocation, error=str(error))
        return result

    @contextmanager
    def _limited(self, worker: WorkerProcess) -> Iterator[None]:
        """Kill the worker where a call does not end in time: there is no other way to end it."""
        if self._timeout is None:
            yield
            return
        late = f"a call took longer than functionTimeout, {self._timeout:g} s"
        alarm = self._clock.call_at(self._clock.now() + self._timeout, lambda: worker.kill(late))
        try:
            yield
        finally:
            alarm.cancel()

    def _put_out(self, function: Function, result: Result) -> None:
        for name, output in function.outputs.items():
            value = result.returned if name == "$return" else result.outputs.get(name)
            if value:
                self._senders.send(output, value)

    def _system(self, function: Function) -> Value:
        told = {
            "MethodName": function.name,
            "UtcNow": rfc3339(self._clock.now()),
            "RandGuid": str(uuid.uuid4()),
        }
        return {"json": json.dumps(told)}

    def _tell(self, line: str) -> None:
        self._journal.tell(f"[{rfc3339(self._clock.now())}] {line}")
