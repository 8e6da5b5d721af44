"""An emulator of AWS that no other test has moved the clock of.

Tests of long delays let hours pass on that of the session, so that it is ahead of the machine. What
asks it for the last day, as a person would, needs one that keeps time.
"""

from __future__ import annotations

from collections.abc import Iterator

from crosswind_local.aws_sites import AwsSite, elsewhere
from crosswind_local.ministack import Ministack


def punctual() -> Iterator[AwsSite]:
    """A site of its own, or what `CROSSWIND_TEST_AWS` names."""
    site = elsewhere()
    if site is not None:
        yield site
        return
    with Ministack() as ministack:
        yield AwsSite(ministack)
