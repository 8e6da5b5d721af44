"""The HTTP request that an attempt makes.

"Create HTTP target tasks", https://cloud.google.com/tasks/docs/creating-http-target-tasks, for the
headers that tell of the task; the field descriptions of HttpRequest, HttpTarget and UriOverride for
the rest. What is documented nowhere is as the service was seen to do it: the last two headers come
with the second attempt, the reason is empty, server errors do not count as executions, and an
attempt that had no answer counts as one that was answered with 504.
"""

from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import SplitResult, urlsplit, urlunsplit

from crosswind_local.tasks import names, targets
from crosswind_local.tasks.protocol import METHODS, WITH_BODY, Pb
from crosswind_local.tasks.tasks import Attempt

_HTTP = 1
"""Of UriOverride.Scheme; every other is HTTPS."""
_IF_NOT_EXISTS = 1
"""Of UriOverride.UriOverrideEnforceMode."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a worker."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Identities(Protocol):
    """Who makes the tokens by which a worker knows who calls."""

    def id_token(self, email: str, audience: str) -> str:
        """An OpenID Connect token of a service account."""
        ...

    def access_token(self, email: str, scope: str) -> str:
        """An OAuth access token of a service account."""
        ...


def shape(queue: Pb, attempt: Attempt, identities: Identities) -> Request:
    """The request of an attempt at a task of a queue resource."""
    sent = attempt.task.request.http_request
    override = queue.http_target if queue.HasField("http_target") else None
    request = Request(METHODS[sent.http_method], sent.url, dict(sent.headers), sent.body)
    if override is not None:
        request = _overridden(request, override)
    headers = request.headers
    bearer = _bearer(sent, override, request.url, identities)
    if bearer is not None:
        _set(headers, "Authorization", f"Bearer {bearer}")
    headers.update(_telling(attempt))
    return request


def _overridden(request: Request, target: Pb) -> Request:
    headers = request.headers
    for each in target.header_overrides:
        if not targets.is_ours(each.header.key):
            _set(headers, each.header.key, each.header.value)
    method = METHODS[target.http_method] if target.http_method else request.method
    return replace(
        request,
        method=method,
        url=_overridden_url(request.url, target.uri_override)
        if target.HasField("uri_override")
        else request.url,
        body=request.body if method in WITH_BODY else b"",
    )


def _overridden_url(url: str, override: Pb) -> str:
    parts = urlsplit(url)
    # Every task has a scheme and a host; what it may lack is a port, a path and a query.
    keep = override.uri_override_enforce_mode == _IF_NOT_EXISTS
    scheme, host, path, query = parts.scheme, _host(parts), parts.path, parts.query
    port = parts.port
    if override.HasField("scheme") and not keep:
        scheme = "http" if override.scheme == _HTTP else "https"
    if override.HasField("host") and not keep:
        host = override.host
    if override.HasField("port") and not (keep and port):
        port = override.port or None
    if override.HasField("path_override") and not (keep and path):
        path = override.path_override.path
    if override.HasField("query_override") and not (keep and query):
        query = override.query_override.query_params
    if path and not path.startswith("/"):
        path = f"/{path}"
    where = f"{host}:{port}" if port else host
    return targets.encode(urlunsplit((scheme, where, path, query, "")))


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _bearer(sent: Pb, override: Pb | None, url: str, identities: Identities) -> str | None:
    for holder in (override, sent):
        if holder is None:
            continue
        if holder.HasField("oidc_token"):
            token = holder.oidc_token
            return identities.id_token(token.service_account_email, token.audience or url)
        if holder.HasField("oauth_token"):
            token = holder.oauth_token
            return identities.access_token(
                token.service_account_email, token.scope or targets.SCOPE
            )
    return None


def _telling(attempt: Attempt) -> dict[str, str]:
    queue, _, task = attempt.task.name.rpartition("/tasks/")
    headers = {
        "X-CloudTasks-QueueName": names.short(queue),
        "X-CloudTasks-TaskName": task,
        "X-CloudTasks-TaskRetryCount": str(attempt.number),
        "X-CloudTasks-TaskExecutionCount": str(attempt.executions),
        "X-CloudTasks-TaskETA": f"{attempt.scheduled:.6f}",
    }
    if attempt.previous is not None:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(attempt.previous)
        headers["X-CloudTasks-TaskRetryReason"] = ""
    return headers


def _set(headers: dict[str, str], name: str, value: str) -> None:
    """Set a header in place of those of the same name in whatever case."""
    for there in [there for there in headers if there.lower() == name.lower()]:
        del headers[there]
    headers[name] = value
