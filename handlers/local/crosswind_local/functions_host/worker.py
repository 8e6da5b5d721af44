"""Runs a function app under Microsoft's language worker, on a leash held by the host.

Run as `python -I worker.py FOLDER [PACKAGES...]` by the interpreter of an environment that has
`azure-functions-runtime`; it imports nothing of the package it belongs to, which is not there.
Standard input is the leash: each line is a request in JSON, answered by a line on standard output
that bears its number, in whatever order; its end ends this process and all it has started. What
functions print goes to standard error; what they log travels as lines of its own, each with the
invocation that it belongs to.

    {"id": 1, "do": "init"}                     index the app
    {"id": 2, "do": "invoke", ...}              call a function
    {"log": {...}}                              a record of logging, unasked
"""

import asyncio
import contextvars
import functools
import importlib
import importlib.util
import json
import logging
import os
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import IO, Any

HOST_VERSION = "4.1040.0"
"""The host that the worker is told it serves."""

_invocation: contextvars.ContextVar[str] = contextvars.ContextVar("invocation", default="")


def _load_messages() -> types.ModuleType:
    """The module beside this one, under a name that no app has."""
    name = "_crosswind_local_rpc"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("rpc.py"))
    if spec is None or spec.loader is None:
        raise SystemExit("rpc.py is not where it should be")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Answers:
    """Lines to the host, from whatever thread."""

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, line: dict[str, Any]) -> None:
        """Write one line; where the host is gone, so is the reason to write."""
        text = json.dumps(line)
        with self._lock:
            self._pipe.write(text + "\n")
            self._pipe.flush()


class LogLines(logging.Handler):
    """Sends what is logged to the host."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self._answers = answers

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            line = {
                "level": record.levelname,
                "logger": record.name,
                "message": self.format(record),
                "invocation": _invocation.get(),
            }
            self._answers.send({"log": line})
        except Exception:  # noqa: BLE001 - logging's own rule: a record never fails its caller
            self.handleError(record)


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose executors see the context of who asks, as `asyncio.to_thread` does."""

    def run_in_executor(  # type: ignore[override]  # typed as it is called
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> Any:
        run = functools.partial(contextvars.copy_context().run, func)
        return super().run_in_executor(executor, run, *args)


class Worker:
    """The requests of the host, carried out by the library."""

    def __init__(self, folder: str, rpc: Any, answers: Answers) -> None:
        self._folder = folder
        self._rpc = rpc
        self._answers = answers
        self._runtime: Any = None

    async def answer(self, request: dict[str, Any]) -> None:
        """Carry out one request and send its answer."""
        try:
            done = await (self._init() if request["do"] == "init" else self._invoke(request))
        except Exception as error:  # noqa: BLE001 - told to the host, which decides
            done = {"ok": False, "message": repr(error), "stack": traceback.format_exc()}
        self._answers.send({"id": request["id"], "done": done})

    async def _init(self) -> dict[str, Any]:
        rpc = self._rpc
        self._runtime = importlib.import_module("azure_functions_runtime")
        self._runtime.start_threadpool_executor()
        hello = rpc.WorkerInitRequest(
            host_version=HOST_VERSION, function_app_directory=self._folder
        )
        response = await self._runtime.worker_init_request(self._asked("worker_init", hello))
        if response.result.status != rpc.StatusResult.Success:
            return _failure(response.result)
        listed = await self._runtime.functions_metadata_request(
            self._asked("functions_metadata", rpc.FunctionsMetadataRequest())
        )
        functions = []
        for metadata in listed.function_metadata_results:
            load = rpc.FunctionLoadRequest(function_id=metadata.function_id, metadata=metadata)
            loaded = await self._runtime.function_load_request(self._asked("function_load", load))
            if loaded.result.status != rpc.StatusResult.Success:
                return _failure(loaded.result)
            functions.append(
                {
                    "name": metadata.name,
                    "id": metadata.function_id,
                    "bindings": [json.loads(binding) for binding in metadata.raw_bindings],
                    "retries": metadata.retry_options is not None,
                }
            )
        return {
            "ok": True,
            "functions": functions,
            "capabilities": dict(response.capabilities),
            "worker": response.worker_metadata.worker_version,
            "python": response.worker_metadata.runtime_version,
        }

    async def _invoke(self, request: dict[str, Any]) -> dict[str, Any]:
        rpc = self._rpc
        _invocation.set(request["invocation"])
        call = rpc.InvocationRequest(
            invocation_id=request["invocation"],
            function_id=request["function"],
            input_data=[
                rpc.ParameterBinding(name=name, data=rpc.read(value))
                for name, value in request["inputs"]
            ],
            trigger_metadata={k: rpc.read(value) for k, value in request["metadata"].items()},
            trace_context=rpc.RpcTraceContext(trace_parent=request["trace"]),
        )
        response = await self._runtime.invocation_request(self._asked("invocation", call))
        if response.result.status != rpc.StatusResult.Success:
            return _failure(response.result)
        return {
            "ok": True,
            "returned": rpc.write(response.return_value),
            "outputs": {out.name: rpc.write(out.data) for out in response.output_data},
        }

    def _asked(self, what: str, message: Any) -> types.SimpleNamespace:
        return types.SimpleNamespace(
            request=types.SimpleNamespace(**{f"{what}_request": message}),
            properties={"host": "127.0.0.1", "protos": self._rpc},
        )


def _failure(result: Any) -> dict[str, Any]:
    error = result.exception
    return {"ok": False, "message": error.message, "stack": error.stack_trace}


def _listen(requests: IO[str], loop: asyncio.AbstractEventLoop, worker: Worker) -> None:
    """Hand on requests until the leash is dropped, then end the whole process group."""
    tasks: set[asyncio.Task[None]] = set()

    def begin(request: dict[str, Any]) -> None:
        task = loop.create_task(worker.answer(request))
        tasks.add(task)  # the loop itself would let it be collected
        task.add_done_callback(tasks.discard)

    for line in requests:
        loop.call_soon_threadsafe(begin, json.loads(line))
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def main() -> None:
    """Take hold of the leash, and serve."""
    folder, *packages = sys.argv[1:]
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = Answers(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    # What the app starts inherits neither: it would keep the leash alive, or answer for us.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a TextIOWrapper
    # The app first, then its packages: they win over what the worker brings, as in the cloud.
    sys.path[:0] = [folder, *packages]
    root = logging.getLogger()
    root.addHandler(LogLines(answers))
    debug = os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING", "").lower() in {"1", "true"}
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    loop = Loop()
    asyncio.set_event_loop(loop)
    worker = Worker(folder, _load_messages(), answers)
    threading.Thread(target=_listen, args=(requests, loop, worker), daemon=True).start()
    loop.run_forever()


if __name__ == "__main__":
    main()
