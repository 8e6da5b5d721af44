"""One function app, run as Azure's host would run it."""

import json
import logging
import secrets
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crosswind_local.clock import Clock, SystemClock
from crosswind_local.environments import interpreter
from crosswind_local.errors import StartFailed
from crosswind_local.functions_host import configuration, settings
from crosswind_local.functions_host.application import Application, open_application
from crosswind_local.functions_host.event_grid import value_of
from crosswind_local.functions_host.front import Front
from crosswind_local.functions_host.functions import (
    EventGridTrigger,
    Function,
    HttpTrigger,
    ServiceBusTrigger,
    TimerTrigger,
    read_functions,
)
from crosswind_local.functions_host.interpreters import python313
from crosswind_local.functions_host.invoker import Invoker, Result
from crosswind_local.functions_host.journal import Journal, Show
from crosswind_local.functions_host.messages import (
    Received,
    bodies_of,
    body_of,
    metadata_of,
    metadata_of_batch,
)
from crosswind_local.functions_host.process import WorkerProcess
from crosswind_local.functions_host.receivers import Receivers
from crosswind_local.functions_host.record import Record
from crosswind_local.functions_host.senders import Senders
from crosswind_local.functions_host.site import Site
from crosswind_local.functions_host.timers import Monitor, Timer
from crosswind_local.functions_host.workers import Workers
from crosswind_local.inspection import Inspection
from crosswind_local.lifecycle import LocalService
from crosswind_local.servers import plain_environ

LOG = logging.getLogger(__name__)

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class FunctionsHost(LocalService):
    """A function app under Azure's own language worker, on 127.0.0.1.

        with FunctionsHost(Path("build"), env={"ServiceBus": servicebus.connection_string}) as app:
            urllib.request.urlopen(f"{app.url}/api/hello")

    Args:
        app: the folder of the app, or a zip of it.
        port: for HTTP; a free one unless told.
        settings: a `local.settings.json`; that of the folder, if there is one, unless told.
        env: app settings, which win over those of the file. Nothing else of our environment
            variables reaches the app.
        clock: what timers, time limits and locks on messages go by.
        key: what the access keys of all levels are; a new one unless told.
        state: a file in which to keep when timers were called, so that a later host knows what it
            missed; forgotten unless told.
        show: is told each line of the journal as it comes, and the progress of a first start.
    """

    def __init__(
        self,
        app: Path | str,
        *,
        port: int = 0,
        settings: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        key: str | None = None,
        state: Path | None = None,
        show: Show = LOG.info,
    ) -> None:
        super().__init__()
        self._app = Path(app)
        self._asked_port = port
        self._settings_file = None if settings is None else Path(settings)
        self._given = dict(env or {})
        self.clock: Clock = SystemClock() if clock is None else clock
        self.key = key or secrets.token_urlsafe(24)
        """What `x-functions-key` or `?code=` must be where a function is not anonymous."""
        self._state = state
        self._journal = Journal(show)
        self._record = Record()
        self._folder: Path | None = None
        self._front: Front | None = None
        self._workers: Workers | None = None
        self._invoker: Invoker | None = None
        self._senders = Senders()
        self._functions: dict[str, Function] = {}
        self._receivers: dict[str, Receivers] = {}
        self._timers: dict[str, Timer] = {}
        self._about: dict[str, Any] = {}
        self._inspection = Inspection({"/": self.report, "/invocations": self.invocations})

    @property
    def url(self) -> str:
        """Where it listens.

        Raises:
            RuntimeError: it was not started.
        """
        if self._front is None:
            raise RuntimeError("the host was not started")
        return f"http://127.0.0.1:{self._front.port}"

    @property
    def env(self) -> dict[str, str]:
        """Where it listens, and the access key."""
        return {"FUNCTIONS_URL": self.url, "FUNCTIONS_KEY": self.key}

    @property
    def inspection_url(self) -> str:
        """Where what it does can be read as JSON."""
        return self._inspection.url

    @property
    def pid(self) -> int | None:
        """The process id of the worker, which is also that of its group; None between two."""
        return None if self._workers is None else self._workers.pid

    def webhook(self, function: str) -> str:
        """Where Event Grid is told to post the events of a function, with the key."""
        return f"{self.url}/runtime/webhooks/EventGrid?functionName={function}&code={self.key}"

    def fire(self, function: str, text: str = "") -> Result:
        """Call a function that has no HTTP trigger by hand, and wait for what comes of it.

        `text` is the body of a message, or an event as JSON; a timer needs none.

        Raises:
            ValueError: it has an HTTP trigger, or the text is no event.
            KeyError: there is no such function.
            RuntimeError: the host does not run.
        """
        if self._invoker is None:
            raise RuntimeError("the host does not run; start it first")
        chosen = self._functions[function]
        trigger = chosen.trigger
        reason = "by hand"
        if isinstance(trigger, TimerTrigger):
            value = self._timers[function].value(False)
            return self._invoker.invoke(chosen, value, {}, reason)
        if isinstance(trigger, ServiceBusTrigger):
            message = Received(text.encode(), 1, str(uuid.uuid4()), 0, datetime.now(UTC))
            if trigger.many:
                bodies = bodies_of([message], trigger.binary)
                return self._invoker.invoke(chosen, bodies, metadata_of_batch([message]), reason)
            body = body_of(message, trigger.binary)
            return self._invoker.invoke(chosen, body, metadata_of(message), reason)
        if isinstance(trigger, EventGridTrigger):
            event = json.loads(text or "{}")
            if not isinstance(event, dict):
                raise ValueError("an event is an object")
            return self._invoker.invoke(chosen, *value_of(event), reason)
        raise ValueError(f"{function} has an HTTP trigger: call its route")

    def kill(self) -> None:
        """Kill the worker, in the midst of a call too; another takes its place."""
        if self._workers is not None:
            self._workers.kill("it was killed")

    def log(self) -> str:
        """The journal: what the host, and what functions have printed and logged."""
        return self._journal.text()

    def invocations(self) -> list[dict[str, object]]:
        """The last calls that ended, oldest first."""
        return self._record.last()

    def report(self) -> dict[str, object]:
        """What it has and does: functions with their counts, calls in flight, the worker."""
        return {
            "app": str(self._app),
            "worker": {
                "pid": self.pid,
                "restarts": self._workers.restarts if self._workers is not None else 0,
                "version": self._about.get("worker"),
                "python": self._about.get("python"),
            },
            "functions": {name: self._told(one) for name, one in self._functions.items()},
            "in_flight": self._record.in_flight(),
        }

    def _told(self, function: Function) -> dict[str, object]:
        name = function.name
        told: dict[str, object] = {
            "trigger": function.trigger.kind,
            "invocations": self._record.counts(name),
        }
        if name in self._receivers:
            told |= self._receivers[name].report()
        if name in self._timers:
            told |= self._timers[name].report()
        return told

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crosswind-functions-"))
        try:
            self._begin(self._folder)
        except BaseException:  # an interrupt as well: neither folder nor process is left behind
            self._stop()
            raise

    def _begin(self, folder: Path) -> None:
        application = open_application(self._app, folder)
        host = configuration.load(application.host_json)
        chosen = settings.Settings({**self._from_file(application), **self._given})
        python = interpreter("functions", REQUIREMENTS, base=python313(self._journal.tell))
        try:
            self._front = Front(self._asked_port)
        except OSError as error:
            raise StartFailed(f"port {self._asked_port} of 127.0.0.1 is taken: {error}") from error
        environ = self._environ(folder, chosen.values)

        def spawn(ended: Callable[[WorkerProcess, int], None]) -> WorkerProcess:
            return WorkerProcess(
                python,
                application,
                environ,
                bytecode=folder / "bytecode",
                on_log=lambda record: invoker.logged(record),
                on_print=self._journal.tell,
                on_end=ended,
            )

        self._workers = Workers(spawn, self._journal)
        invoker = self._invoker = Invoker(
            self._workers,
            self._senders,
            self._record,
            self._journal,
            self.clock,
            host.function_timeout,
        )
        self._about = self._workers.start()
        functions = read_functions(self._about["functions"], chosen, host.route_prefix)
        self._functions = {function.name: function for function in functions}
        self._make_triggers(functions, host, invoker)
        self._front.start(Site(functions, invoker, self.key, self._fire_and_forget).answer)
        self._inspection.start()
        for timer in self._timers.values():
            timer.start()
        for receivers in self._receivers.values():
            receivers.start()

    def _make_triggers(
        self, functions: list[Function], host: configuration.HostConfiguration, invoker: Invoker
    ) -> None:
        monitor = Monitor(self._state)
        for function in functions:
            trigger = function.trigger
            if isinstance(trigger, ServiceBusTrigger):
                self._receivers[function.name] = Receivers(
                    function, trigger, host.service_bus, invoker, self.clock, self._journal
                )
            elif isinstance(trigger, TimerTrigger):
                self._timers[function.name] = Timer(function, trigger, invoker, self.clock, monitor)

    def _from_file(self, application: Application) -> dict[str, str]:
        if self._settings_file is not None:
            return settings.load(self._settings_file)
        usual = application.folder / "local.settings.json"
        return settings.load(usual) if usual.exists() else {}

    def _environ(self, folder: Path, values: Mapping[str, str]) -> dict[str, str]:
        address = self.url.removeprefix("http://")
        return {
            **plain_environ(folder),
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "FUNCTIONS_EXTENSION_VERSION": "~4",
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            "WEBSITE_HOSTNAME": address,
            "WEBSITE_SITE_NAME": "local",
            **values,
        }

    def _fire_and_forget(self, function: str, text: str) -> None:
        """As `fire`, for who does not wait; what is wrong with the text is told at once."""
        chosen = self._functions[function]
        if isinstance(chosen.trigger, HttpTrigger):
            raise ValueError(f"{function} has an HTTP trigger: call its route")
        if isinstance(chosen.trigger, EventGridTrigger):
            json.loads(text or "{}")
        threading.Thread(
            target=self.fire, args=(function, text), name="functions-by-hand", daemon=True
        ).start()

    def _stop(self) -> None:
        for timer in self._timers.values():
            timer.stop()
        for receivers in self._receivers.values():
            receivers.cease()
        # What is in flight fails now, so that its messages are given back before all is closed.
        if self._workers is not None:
            self._workers.stop()
        for receivers in self._receivers.values():
            receivers.stop()
        self._senders.close()
        if self._front is not None:
            self._front.stop()
        self._inspection.stop()
        self.clock.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
