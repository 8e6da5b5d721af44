"""What the host answers over HTTP: routes of functions, the webhook of Event Grid, administration.

    /api/...                            functions with an HTTP trigger, under the route prefix
    /runtime/webhooks/EventGrid         events for ?functionName=...
    /admin/functions/NAME               POST calls a function that has no HTTP trigger
    /admin/host/status                  GET tells that the host runs

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger,
functions-bindings-event-grid-trigger, functions-manually-run-non-http and function-keys-how-to.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from crosswind_local.functions_host.event_grid import Reply, events_of, permission, value_of
from crosswind_local.functions_host.functions import EventGridTrigger, Function, HttpTrigger
from crosswind_local.functions_host.invoker import Invoker, Result
from crosswind_local.functions_host.process import Value

WEBHOOK = "/runtime/webhooks/eventgrid"
ADMIN = "/admin/"

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Request:
    """A request; header names are in lower case, `path` is as it was sent, `target` with query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    host: str
    target: str

    @classmethod
    def of(
        cls, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes, host: str
    ) -> "Request":
        """A request as it came; what is given twice is joined by a comma, as the host does."""
        path, _, query = target.partition("?")
        return cls(
            method,
            path,
            _joined(parse_qsl(query, keep_blank_values=True)),
            _joined([(name.lower(), value) for name, value in headers]),
            body,
            host,
            target,
        )


class Site:
    """Answers requests. `fire` calls a function by hand; KeyError where there is none."""

    def __init__(
        self,
        functions: Sequence[Function],
        invoker: Invoker,
        key: str,
        fire: Callable[[str, str], None],
    ) -> None:
        self._by_name = {function.name.lower(): function for function in functions}
        routed = [
            (function, function.trigger)
            for function in functions
            if isinstance(function.trigger, HttpTrigger)
        ]
        # What is more plainly spelled out is tried first, as ASP.NET does.
        self._routed = sorted(routed, key=lambda pair: -pair[1].route.literals)
        self._invoker = invoker
        self._key = key
        self._fire = fire

    def answer(self, request: Request) -> Reply:
        """The answer to a request."""
        path = request.path.lower().rstrip("/")
        if path == WEBHOOK:
            return self._webhook(request)
        if path.startswith(ADMIN):
            return self._admin(request, path)
        for function, trigger in self._routed:
            parameters = trigger.route.match(request.path)
            if parameters is None:
                continue
            if trigger.methods and request.method not in trigger.methods:
                continue
            if trigger.auth_level != "anonymous" and not self._has_key(request):
                return Reply(401)
            return self._call(function, parameters, request)
        if not path:
            return Reply(200, b"The function app runs.", [("Content-Type", "text/plain")])
        return Reply(404)

    def _call(self, function: Function, parameters: dict[str, str], request: Request) -> Reply:
        body = {"bytes": base64.b64encode(request.body).decode("ascii")} if request.body else {}
        value: Value = {
            "http": {
                "method": request.method,
                "url": f"http://{request.host}{request.target}",
                "headers": dict(request.headers),
                "params": parameters,
                "query": {name: given for name, given in request.query.items() if given},
                "body": body,
            }
        }
        reason = f"{request.method} {request.path}"
        trace = request.headers.get("traceparent", "")
        result = self._invoker.invoke(function, value, {}, reason, trace)
        return reply_of(result, function.response)

    def _webhook(self, request: Request) -> Reply:
        name = request.query.get("functionName", "")
        function = self._by_name.get(name.lower())
        if function is None or not isinstance(function.trigger, EventGridTrigger):
            return Reply(404, f"cannot find function: '{name}'".encode())
        if not self._has_key(request):
            return Reply(401)
        if request.method == "OPTIONS":
            return permission(request.headers)
        if request.method != "POST":
            return Reply(405, b"", [("Allow", "OPTIONS, POST")])
        events = events_of(request.headers, request.body)
        if isinstance(events, Reply):
            return events
        return self._deliver(function, events)

    def _deliver(self, function: Function, events: list[dict[str, Any]]) -> Reply:
        """Call the function once for each event, all at once; one failure fails them all."""

        def call(event: dict[str, Any]) -> Result:
            value, metadata = value_of(event)
            reason = f"event {event.get('id')}"
            return self._invoker.invoke(function, value, metadata, reason)

        if not events:
            return Reply(202)
        with ThreadPoolExecutor(min(len(events), _AT_ONCE), "functions-event") as pool:
            results = list(pool.map(call, events))
        for result in results:
            if result.error is not None:
                return Reply(500, result.error.encode())
        return Reply(202)

    def _admin(self, request: Request, path: str) -> Reply:
        if not self._has_key(request):
            return Reply(401)
        if (request.method, path) == ("GET", "/admin/host/status"):
            return _json(200, {"state": "Running", "functions": sorted(self._by_name)})
        begin = "/admin/functions/"
        if request.method != "POST" or not path.startswith(begin):
            return Reply(404)
        function = self._by_name.get(path.removeprefix(begin))
        if function is None:
            return Reply(404)
        try:
            given = json.loads(request.body or b"{}")
            text = given.get("input") or ""
            self._fire(function.name, text if isinstance(text, str) else json.dumps(text))
        except (ValueError, AttributeError) as error:
            return Reply(400, f'the body must be {{"input": "..."}}: {error}'.encode())
        return Reply(202)

    def _has_key(self, request: Request) -> bool:
        given = request.headers.get("x-functions-key") or request.query.get("code") or ""
        return hmac.compare_digest(given.encode(), self._key.encode())


def reply_of(result: Result, response: str | None) -> Reply:
    """What a call says over HTTP: its response, nothing (204), or that it failed (500).

    `response` is where the function puts it: `$return`, or a parameter.
    """
    if not result.succeeded:
        return Reply(500)
    value = result.returned if response == "$return" else result.outputs.get(response or "", {})
    if "http" not in value:
        return Reply(200, _bytes(value)) if value else Reply(204)
    content = value["http"]
    headers = [(str(name), str(given)) for name, given in content["headers"].items()]
    headers += [("Set-Cookie", _cookie(cookie)) for cookie in content["cookies"]]
    return Reply(int(content["status_code"] or 200), _bytes(content["body"]), headers)


def _bytes(value: Value) -> bytes:
    for kind, content in value.items():
        return base64.b64decode(content) if kind == "bytes" else str(content).encode()
    return b""


def _cookie(cookie: Mapping[str, Any]) -> str:
    parts = [f"{cookie['name']}={cookie['value']}"]
    parts += [f"{name}={cookie[name]}" for name in ("domain", "path") if cookie.get(name)]
    if "expires" in cookie:
        parts.append(f"expires={formatdate(cookie['expires'], usegmt=True)}")
    if "max_age" in cookie:
        parts.append(f"max-age={cookie['max_age']:.0f}")
    parts += [word for word, name in _FLAGS if cookie.get(name)]
    if cookie.get("same_site"):
        parts.append(f"samesite={_SAME_SITE[cookie['same_site']]}")
    return "; ".join(parts)


_FLAGS = (("secure", "secure"), ("httponly", "http_only"))
_SAME_SITE = {1: "lax", 2: "strict", 3: "none"}


def _json(status: int, content: object) -> Reply:
    return Reply(status, json.dumps(content).encode(), [("Content-Type", "application/json")])


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
