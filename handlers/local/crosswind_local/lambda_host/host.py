"""One function, called as Lambda would call it: one call at a time, in a process that is reused."""

import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crosswind_local.accounts import ACCOUNT, REGION
from crosswind_local.lambda_host.sandbox import Answer, Sandbox
from crosswind_local.lifecycle import LocalService
from crosswind_local.servers import plain_environ


class LambdaHost(LocalService):
    """A function under the official runtime client.

    It keeps its process from call to call. Where that died, or was killed because a call took too
    long, the next call begins a new one, as on Lambda.

    Args:
        handler: `module.function`, as Lambda is told.
        code: the folder that holds it.
        python: an interpreter that has `awslambdaric`.
        env: the function's environment variables; nothing of ours reaches it beside.
        timeout: seconds that a call may take, unless it says otherwise.
        memory: in MB, as the function is told; nothing bounds it here.
        name: of the function.
    """

    def __init__(
        self,
        handler: str,
        code: Path,
        *,
        python: str = sys.executable,
        env: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        memory: int = 512,
        name: str = "function",
    ) -> None:
        super().__init__()
        self._command = [python, "-m", "awslambdaric", handler]
        self._code = code.resolve()
        self._handler = handler
        self._given = dict(env or {})
        self.timeout = timeout
        self.memory = memory
        self.name = name
        self._folder: Path | None = None
        self._sandbox: Sandbox | None = None
        self._calls = threading.Lock()

    @property
    def arn(self) -> str:
        """What the function is told that it is called by."""
        region = self._given.get("AWS_REGION", REGION)
        account = self._given.get("AWS_ACCESS_KEY_ID", ACCOUNT)
        return f"arn:aws:lambda:{region}:{account}:function:{self.name}"

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that the function sees."""
        folder = self._folder or Path(tempfile.gettempdir())
        region = self._given.get("AWS_REGION", REGION)
        return {
            **plain_environ(folder),
            "PYTHONPATH": str(self._code),
            "LAMBDA_TASK_ROOT": str(self._code),
            "_HANDLER": self._handler,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            **self._given,
        }

    @property
    def cold_start(self) -> float:
        """Seconds that the process took from its start until it asked for work.

        Raises:
            RuntimeError: none runs.
        """
        if self._sandbox is None:
            raise RuntimeError("the function has no process")
        return self._sandbox.cold_start

    def invoke(self, event: Any, *, timeout: float | None = None) -> Answer:
        """Call the function with an event that can be written as JSON, and wait for its answer.

        Raises:
            RuntimeError: the host was not started.
            StartFailed: a new process was needed and could not begin.
        """
        if not self.running:
            raise RuntimeError("the host does not run; start it first")
        with self._calls:
            if self._sandbox is None or not self._sandbox.alive:
                self._renew()
            assert self._sandbox is not None, "renewed above"
            return self._sandbox.invoke(event, self.timeout if timeout is None else timeout)

    def kill(self) -> None:
        """Kill the function's process, in the midst of a call too; the next begins a new one."""
        if self._sandbox is not None:
            self._sandbox.kill()

    def log(self) -> str:
        """What the function has printed, all of its processes together."""
        if self._folder is None:
            return ""
        return (self._folder / "log").read_text("utf-8", "replace")

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crosswind-lambda-"))
        try:
            self._renew()
        except BaseException:  # an interrupt as well: neither folder nor process is left behind
            self._stop()
            raise

    def _renew(self) -> None:
        assert self._folder is not None, "made on starting"
        if self._sandbox is not None:
            self._sandbox.stop()
            self._sandbox = None
        self._sandbox = Sandbox(
            self._command,
            cwd=self._code,
            environ=self.env,
            log=self._folder / "log",
            arn=self.arn,
        )

    def _stop(self) -> None:
        if self._sandbox is not None:
            self._sandbox.stop()
            self._sandbox = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
