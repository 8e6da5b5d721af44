"""The one event that every contestant is given: a region that an observer found unhealthy.

Nothing but the standard library is imported, for peers read this in environments of their own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

BYTES: Final = 600
"""Size of the sample as a Codec writes it."""

TYPE: Final = "dev.crosswind.region.unhealthy.v1"
SOURCE: Final = "//probes.example.com/eu-central"


def sample(name: str) -> dict[str, Any]:
    """The sample as a JSON object; `name` (36 characters) is its id."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": name,
        "source": SOURCE,
        "type": TYPE,
        "time": datetime.fromtimestamp(int(time.time()), UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "subject": "aws/us-east-1",
        "data": {
            "region": "aws/us-east-1",
            "evidence": "probe",
            "reason": "",
            "workload": "chat",
            "vantage": "gcp/europe-west3",
            "measured": {"failed": 0.82, "latency_ms": 4310.5},
        },
    }
    event["data"]["reason"] = "no answer within two seconds. ".ljust(
        BYTES - len(compact(event)), "."
    )
    return event


def name(number: int) -> str:
    """An id as long as a UUID, and as unlike its neighbours as one."""
    text = f"{(number * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64:016x}{number:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def compact(event: Mapping[str, Any]) -> bytes:
    """Written as a Codec and most services write it."""
    return json.dumps(event, separators=(",", ":")).encode()


def spaced(event: Mapping[str, Any]) -> bytes:
    """Written as the official SDK writes it: with blanks after colons and commas."""
    return json.dumps(event).encode()


def bodies(first: int, count: int) -> list[bytes]:
    """Different events, so many, numbered from `first`."""
    mark = name(0)
    before, after = compact(sample(mark)).split(mark.encode())
    return [before + name(number).encode() + after for number in range(first, first + count)]
