"""`host.json`: what of it the host follows, and what it refuses rather than ignores.

Source: learn.microsoft.com/azure/azure-functions/functions-host-json and, of `serviceBus`,
functions-bindings-service-bus#hostjson-settings (extension 5).
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crosswind_local.errors import StartFailed

_TIME = re.compile(r"(?:(\d{1,5})\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?\Z")
_NO_LIMIT = "-1"

IGNORED = frozenset(
    [
        "version",
        "logging",
        "extensionBundle",
        "aggregator",
        "healthMonitor",
        "watchDirectories",
        "watchFiles",
        "managedDependency",
        "singleton",
        "customHandler",
        "console",
        "concurrency",
        "telemetryMode",
    ]
)
"""Members that are about the cloud, or about telemetry; they change nothing here."""

SERVICE_BUS_IGNORED = frozenset(
    [
        "clientRetryOptions",
        "transportType",
        "webProxy",
        "enableCrossEntityTransactions",
        "maxConcurrentCallsPerSession",
    ]
)


def seconds_of(text: str) -> float:
    """A TimeSpan of .NET, `[d.]hh:mm[:ss[.fffffff]]`, in seconds.

    Raises:
        ValueError: it is none.
    """
    found = _TIME.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time span such as 00:05:00")
    days, hours, minutes, seconds, fraction = found.groups()
    whole = int(days or 0) * 86_400 + int(hours) * 3_600 + int(minutes) * 60 + int(seconds or 0)
    if int(hours) > 23 or int(minutes) > 59 or int(seconds or 0) > 59:
        raise ValueError(f"{text!r} is not a time span: hours end at 23, minutes at 59")
    return whole + float(f"0.{fraction or 0}")


@dataclass(frozen=True, slots=True)
class ServiceBusOptions:
    """How messages are received; times are in seconds."""

    prefetch_count: int = 0
    max_concurrent_calls: int = 16
    max_concurrent_sessions: int = 8
    max_message_batch_size: int = 1_000
    max_auto_lock_renewal: float = 300.0
    session_idle_timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class HostConfiguration:
    """What `host.json` says.

    Attributes:
        function_timeout: seconds that a call may take; None where nothing bounds it.
        route_prefix: of HTTP triggers, without slashes; empty where there is none.
    """

    function_timeout: float | None = 1_800.0
    route_prefix: str = "api"
    service_bus: ServiceBusOptions = field(default_factory=ServiceBusOptions)


def load(path: Path) -> HostConfiguration:
    """Read a `host.json`.

    Raises:
        StartFailed: it cannot be read, or asks for what there is not; lists every fault.
    """
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise StartFailed(f"{path.name} cannot be read: {error}") from error
    reader = _Reader()
    read = reader.host(content)
    if reader.faults:
        raise StartFailed(f"{path.name} cannot be followed: " + "; ".join(reader.faults))
    return read


class _Reader:
    """Reads members, and notes every fault instead of ending at the first."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def host(self, content: Any) -> HostConfiguration:
        host = self._members(content, "", {"functionTimeout", "extensions"}, IGNORED)
        if str(host.get("version", "2.0")) != "2.0":
            self.faults.append('version must be "2.0"')
        extensions = self._members(
            host.get("extensions", {}), "extensions", {"http", "serviceBus"}, frozenset()
        )
        http = self._members(
            extensions.get("http", {}),
            "extensions.http",
            {"routePrefix"},
            frozenset({"hsts", "customHeaders", "dynamicThrottlesEnabled"}),
            refused={"maxConcurrentRequests", "maxOutstandingRequests"},
        )
        return HostConfiguration(
            function_timeout=self._timeout(host.get("functionTimeout", "00:30:00")),
            route_prefix=self._text(http, "routePrefix", "extensions.http", "api").strip("/"),
            service_bus=self._service_bus(extensions.get("serviceBus", {})),
        )

    def _service_bus(self, content: Any) -> ServiceBusOptions:
        where = "extensions.serviceBus"
        known = {
            "prefetchCount",
            "maxConcurrentCalls",
            "maxConcurrentSessions",
            "maxMessageBatchSize",
            "minMessageBatchSize",
            "maxBatchWaitTime",
            "maxAutoLockRenewalDuration",
            "sessionIdleTimeout",
            "autoCompleteMessages",
        }
        given = self._members(content, where, known, SERVICE_BUS_IGNORED)
        if given.get("autoCompleteMessages", True) is not True:
            self.faults.append(
                f"{where}.autoCompleteMessages must be true: a function of Python cannot settle "
                "messages here"
            )
        if given.get("minMessageBatchSize", 1) != 1:
            self.faults.append(f"{where}.minMessageBatchSize must be 1: batches do not wait here")
        return ServiceBusOptions(
            prefetch_count=self._number(given, "prefetchCount", where, 0, 0),
            max_concurrent_calls=self._number(given, "maxConcurrentCalls", where, 16, 1),
            max_concurrent_sessions=self._number(given, "maxConcurrentSessions", where, 8, 1),
            max_message_batch_size=self._number(given, "maxMessageBatchSize", where, 1_000, 1),
            max_auto_lock_renewal=self._span(
                given, "maxAutoLockRenewalDuration", where, "00:05:00"
            ),
            session_idle_timeout=self._span(given, "sessionIdleTimeout", where, "00:01:00"),
        )

    def _members(
        self,
        content: Any,
        where: str,
        known: set[str],
        ignored: frozenset[str],
        refused: frozenset[str] | set[str] = frozenset(),
    ) -> dict[str, Any]:
        if not isinstance(content, dict):
            self.faults.append(f"{where or 'the file'} must be an object")
            return {}
        prefix = f"{where}." if where else ""
        for name in content:
            if name in refused:
                self.faults.append(f"{prefix}{name} is not followed here: leave it out")
            elif name not in known and name not in ignored:
                self.faults.append(f"{prefix}{name} is not known here: leave it out")
        return content

    def _text(self, content: dict[str, Any], name: str, where: str, default: str) -> str:
        value = content.get(name, default)
        if not isinstance(value, str):
            self.faults.append(f"{where}.{name} must be a text")
            return default
        return value

    def _number(
        self, content: dict[str, Any], name: str, where: str, default: int, least: int
    ) -> int:
        value = content.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self.faults.append(f"{where}.{name} must be a number of at least {least}")
            return default
        return value

    def _span(self, content: dict[str, Any], name: str, where: str, default: str) -> float:
        try:
            return seconds_of(self._text(content, name, where, default))
        except ValueError as error:
            self.faults.append(f"{where}.{name}: {error}")
            return seconds_of(default)

    def _timeout(self, value: Any) -> float | None:
        if value == _NO_LIMIT:
            return None
        try:
            seconds = seconds_of(value if isinstance(value, str) else str(value))
        except ValueError as error:
            self.faults.append(f"functionTimeout: {error}")
            return None
        if seconds <= 0:
            self.faults.append("functionTimeout must be longer than nothing, or -1")
        return seconds
