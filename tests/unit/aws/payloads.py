"""What Lambda is really handed, from `tests/fixtures/aws`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "fixtures" / "aws"
EVENT = "7d1f6d1e-2f2c-4a53-9a7f-5b8f0d6f0a11"
"""The id of the event in most of them."""

SECOND = "0f9a3c1b-7f0a-4b7e-8a39-3b1c5d8e2f22"
MESSAGE = "059f36b4-87a3-44ab-83d2-661975830a7d"
"""The id of the first message in those from a queue."""

NOW = 1_772_366_402.0
"""Shortly after they were sent, in seconds since the epoch."""


def payload(name: str) -> Any:
    """One of them, parsed."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
