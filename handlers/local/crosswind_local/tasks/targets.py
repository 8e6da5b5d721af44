"""HTTP targets: what a task may ask to be sent, checked and put into the form that is kept.

The field descriptions of google.cloud.tasks.v2 HttpRequest, HttpTarget, UriOverride, OidcToken and
OAuthToken, https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from crosswind_local.errors import ServiceError
from crosswind_local.tasks import limits
from crosswind_local.tasks.protocol import METHODS, POST, WITH_BODY, Pb

USER_AGENT = "Google-Cloud-Tasks"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_RESERVED = "!#$%&'()*+,/:;=?@[]~"
"""What stays as it is when a URL is encoded, beside letters and digits."""


def complete_request(request: Pb) -> None:
    """Check an HttpRequest and set what the service sets itself.

    Raises:
        ServiceError: it cannot be sent (INVALID_ARGUMENT).
    """
    request.url = _url(request.url)
    request.http_method = request.http_method or POST
    method = _method(request.http_method, "http_request.http_method")
    if request.body and method not in WITH_BODY:
        raise _invalid(f"http_request.body is not allowed with the HTTP method {method}.")
    kept = _headers("http_request.headers", request.headers.items())
    request.headers.clear()
    request.headers.update(kept)
    request.headers["User-Agent"] = USER_AGENT
    _check_token(request, "http_request")


def check_override(target: Pb) -> None:
    """Check the HttpTarget of a queue.

    Raises:
        ServiceError: it cannot be applied (INVALID_ARGUMENT).
    """
    override = target.uri_override
    if override.HasField("host") and not _is_host(override.host):
        raise _invalid("http_target.uri_override.host must be a host name, and not empty.")
    if override.HasField("port"):
        limits.within("http_target.uri_override.port", override.port, 0, 65_535)
    if target.http_method:
        _method(target.http_method, "http_target.http_method")
    overrides = ((each.header.key, each.header.value) for each in target.header_overrides)
    _headers("http_target.header_overrides", overrides)
    _check_token(target, "http_target")
    if target.HasField("oidc_token") and not target.oidc_token.audience:
        raise _invalid("http_target.oidc_token.audience must be set.")
    if target.HasField("oauth_token") and not target.oauth_token.scope:
        raise _invalid("http_target.oauth_token.scope must be set.")


def is_ours(name: str) -> bool:
    """Whether a header of a task is ignored or replaced, for the service sets it itself."""
    lowered = name.lower()
    return lowered in {"host", "content-length", "user-agent"} or lowered.startswith(
        ("x-google-", "x-appengine-", "x-cloudtasks-")
    )


def encode(url: str) -> str:
    """A URL in which only such characters are left as may be sent."""
    return quote(url, safe=_RESERVED, errors="replace")


def _url(url: str) -> str:
    if not url:
        raise _invalid("HttpRequest.url is required.")
    if not url.startswith(("http://", "https://")):
        raise _invalid("HttpTarget.url must start with 'http://' or 'https://'.")
    encoded = encode(url)
    if len(encoded) > limits.URL_LETTERS:
        raise _invalid(
            f"HttpRequest.url has {len(encoded)} characters once it is encoded; "
            f"{limits.URL_LETTERS} are allowed."
        )
    try:
        parts = urlsplit(encoded)
        fits = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # brackets that enclose no address, or a port that is no number
        fits = False
    if not fits:
        raise _invalid("HttpRequest.url must name a host, and a valid port if any.")
    return encoded


def _is_host(host: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9.\-]{1,253}|\[[0-9A-Fa-f:.]+\]", host) is not None


def _method(number: int, where: str) -> str:
    if number not in METHODS:
        raise _invalid(f"{where}: there is no HTTP method {number}.")
    return str(METHODS[number])


def _headers(where: str, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    kept: dict[str, tuple[str, str]] = {}
    size = 0
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise _invalid(f"{where}: {name[:100]!r} is not the name of a header.")
        if not _VALUE.fullmatch(value):
            raise _invalid(f"{where}: the value of {name[:100]} cannot be sent in a header.")
        size += len(name) + len(value)
        if not is_ours(name):
            # There are no repeated headers, and their names are the same in whatever case.
            kept[name.lower()] = (name, value)
    if size >= limits.HEADER_BYTES:
        raise _invalid(f"{where} must be less than {limits.HEADER_BYTES} bytes, and are {size}.")
    return dict(kept.values())


def _check_token(holder: Pb, where: str) -> None:
    for kind in ("oidc_token", "oauth_token"):
        if holder.HasField(kind) and "@" not in getattr(holder, kind).service_account_email:
            raise _invalid(f"{where}.{kind}.service_account_email must be set to an address.")


def _invalid(message: str) -> ServiceError:
    return ServiceError("INVALID_ARGUMENT", message)
