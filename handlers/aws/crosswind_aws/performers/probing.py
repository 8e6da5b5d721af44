"""Synthetic requests to an endpoint, past any steering, from where this code runs."""

from __future__ import annotations

import time
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from crosswind.operations.telemetry import Probed, ProbeEndpoint
from crosswind_aws.performers.asking import Deadline

ONE: Final = 5.0
"""Seconds that one synthetic request may take."""

_LEAST: Final = 0.05
_BODY: Final = 65_536
_REDIRECTED: Final = 400


def probe(query: ProbeEndpoint, url: str, deadline: Deadline) -> Probed:
    """Send synthetic requests one after another; ends early rather than late.

    What is answered with a status below 400 is well.
    """
    sent, error, latencies = 0, "", list[float]()
    while sent < query.count and (sent == 0 or deadline.left > _LEAST):
        sent += 1
        begun = time.monotonic()
        said = _get(url, query.vantage, max(_LEAST, min(ONE, deadline.left)))
        if said:
            error = said
        else:
            latencies.append((time.monotonic() - begun) * 1_000)
    return Probed(
        region=query.region,
        sent=sent,
        failed=sent - len(latencies),
        latency=median(latencies) if latencies else None,
        fastest=min(latencies, default=None),
        error=error,
    )


def _get(url: str, vantage: str, timeout: float) -> str:
    """Make one request; why it was not answered well, or nothing."""
    import http.client

    parts = urlsplit(url)
    of = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = of(parts.hostname or "", parts.port, timeout=timeout)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"User-Agent": f"crosswind-probe ({vantage})", "Connection": "close"}
    try:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        response.read(_BODY)
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {type(error).__name__}"
    finally:
        connection.close()
    return "" if response.status < _REDIRECTED else f"status {response.status}"
