"""The functions of an app, as the worker found them, and what of their bindings can be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crosswind_local.errors import StartFailed
from crosswind_local.functions_host.routes import InvalidRoute, Route
from crosswind_local.functions_host.schedules import InvalidSchedule, Schedule, read_schedule
from crosswind_local.functions_host.settings import SettingMissing, Settings

AuthLevel = Literal["anonymous", "function", "admin"]

TRIGGERS = ("httpTrigger", "serviceBusTrigger", "eventGridTrigger", "timerTrigger")
OUTPUTS = ("http", "serviceBus")


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """Called by HTTP requests to a route; `methods` is empty where all are taken."""

    route: Route
    methods: frozenset[str]
    auth_level: AuthLevel
    kind: str = "http"


@dataclass(frozen=True, slots=True)
class ServiceBusTrigger:
    """Called with messages of a queue, or of a subscription of a topic."""

    connection_string: str
    entity: str
    subscription: str | None
    many: bool
    binary: bool
    sessions: bool
    kind: str = "serviceBus"

    @property
    def path(self) -> str:
        """Where the messages are."""
        return self.entity if self.subscription is None else f"{self.entity}/{self.subscription}"


@dataclass(frozen=True, slots=True)
class EventGridTrigger:
    """Called with events that are posted to the webhook."""

    kind: str = "eventGrid"


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """Called by the clock."""

    schedule: Schedule
    run_on_startup: bool
    monitored: bool
    kind: str = "timer"


Trigger = HttpTrigger | ServiceBusTrigger | EventGridTrigger | TimerTrigger


@dataclass(frozen=True, slots=True)
class ServiceBusOutput:
    """Messages to a queue or topic."""

    connection_string: str
    entity: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    Attributes:
        parameter: the name under which the trigger's value is passed.
        outputs: by parameter, where what the function sets there is sent; `$return` is what it
            returns.
        response: the parameter, or `$return`, that is the answer to an HTTP request.
    """

    name: str
    id: str
    parameter: str
    trigger: Trigger
    outputs: Mapping[str, ServiceBusOutput]
    response: str | None = None


def read_functions(
    found: list[dict[str, Any]], settings: Settings, route_prefix: str
) -> list[Function]:
    """The functions that the worker tells of.

    Raises:
        StartFailed: a binding is not supported here, or cannot be; lists every fault.
    """
    faults: list[str] = []
    functions: list[Function] = []
    for told in found:
        reader = _Reader(told, settings, route_prefix)
        function = reader.function()
        faults += [f"{told['name']}: {fault}" for fault in reader.faults]
        if function is not None:
            functions.append(function)
    if faults:
        raise StartFailed("functions cannot be run: " + "; ".join(faults))
    if not functions:
        raise StartFailed("the app has no functions: are its blueprints registered?")
    return functions


class _Reader:
    """Reads one function, and notes every fault instead of ending at the first."""

    def __init__(self, told: dict[str, Any], settings: Settings, route_prefix: str) -> None:
        self._told = told
        self._settings = settings
        self._prefix = route_prefix
        self._response: str | None = None
        self.faults: list[str] = []

    def function(self) -> Function | None:
        triggers: list[tuple[str, Trigger]] = []
        outputs: dict[str, ServiceBusOutput] = {}
        for binding in self._told["bindings"]:
            try:
                self._binding(binding, triggers, outputs)
            except (InvalidRoute, InvalidSchedule) as error:
                self._fault(binding, error)
        if self._told["retries"]:
            self.faults.append("a retry policy is not carried out here: leave it out")
        if self.faults:
            return None
        if len(triggers) != 1:
            self.faults.append(f"it has {len(triggers)} triggers, and must have one")
            return None
        ((parameter, trigger),) = triggers
        name, id = self._told["name"], self._told["id"]
        return Function(name, id, parameter, trigger, outputs, self._response)

    def _binding(
        self,
        binding: dict[str, Any],
        triggers: list[tuple[str, Trigger]],
        outputs: dict[str, ServiceBusOutput],
    ) -> None:
        kind, name, direction = binding["type"], binding["name"], binding["direction"].lower()
        if binding.get("properties", {}).get("supportsDeferredBinding"):
            self.faults.append(
                f"{kind} {name} is of a type of an SDK, which is not supported: take the type of "
                "azure.functions"
            )
        elif direction == "in" and kind in TRIGGERS:
            triggers.append((name, self._trigger(kind, binding)))
        elif direction == "out" and kind == "serviceBus":
            entity = self._entity(binding, "queueName") or self._entity(binding, "topicName")
            outputs[name] = ServiceBusOutput(self._connection(binding), entity)
        elif (direction, kind) == ("out", "http"):
            self._response = name
        else:
            known = TRIGGERS if direction == "in" else OUTPUTS
            self.faults.append(f"{kind} ({direction}) is not one of {', '.join(known)}")

    def _trigger(self, kind: str, binding: dict[str, Any]) -> Trigger:
        if kind == "httpTrigger":
            return self._http(binding)
        if kind == "serviceBusTrigger":
            return self._service_bus(binding)
        if kind == "timerTrigger":
            zone = self._settings.values.get("WEBSITE_TIME_ZONE") or "UTC"
            return TimerTrigger(
                read_schedule(self._text(binding, "schedule"), zone),
                run_on_startup=bool(binding.get("runOnStartup")),
                monitored=binding.get("useMonitor") is not False,
            )
        return EventGridTrigger()

    def _http(self, binding: dict[str, Any]) -> HttpTrigger:
        route = self._text(binding, "route") or self._told["name"]
        levels: dict[str, AuthLevel] = {"anonymous": "anonymous", "admin": "admin"}
        return HttpTrigger(
            Route(f"{self._prefix}/{route.strip('/')}" if self._prefix else route.strip("/")),
            frozenset(str(method).upper() for method in binding.get("methods") or ()),
            levels.get(str(binding.get("authLevel", "function")).lower(), "function"),
        )

    def _service_bus(self, binding: dict[str, Any]) -> ServiceBusTrigger:
        queue = self._entity(binding, "queueName")
        return ServiceBusTrigger(
            connection_string=self._connection(binding),
            entity=queue or self._entity(binding, "topicName"),
            subscription=None if queue else self._entity(binding, "subscriptionName"),
            many=str(binding.get("cardinality", "one")).lower() == "many",
            binary=str(binding.get("dataType", "")).lower() == "binary",
            sessions=bool(binding.get("isSessionsEnabled")),
        )

    def _entity(self, binding: dict[str, Any], name: str) -> str:
        text = self._text(binding, name)
        if "{" in text:
            self.faults.append(
                f"{binding['type']} {binding['name']}: {text!r} is to be filled in from the "
                "trigger, which is not done here: name it with a setting, %NAME%"
            )
        return text

    def _connection(self, binding: dict[str, Any]) -> str:
        try:
            return self._settings.service_bus(self._text(binding, "connection"))
        except SettingMissing as error:
            self._fault(binding, error)
            return ""

    def _text(self, binding: dict[str, Any], name: str) -> str:
        text = str(binding.get(name) or "")
        try:
            return self._settings.fill_in(text)
        except SettingMissing as error:
            self._fault(binding, error)
            return text

    def _fault(self, binding: dict[str, Any], error: Exception) -> None:
        self.faults.append(f"{binding['type']} {binding['name']}: {error}")
