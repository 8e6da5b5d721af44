"""A function that uses nothing: what the interpreter and JSON cost alone."""

from __future__ import annotations

from typing import Any


def run(event: dict[str, Any], context: object) -> bool:
    """Look at the event."""
    return bool(event)
