"""Decode, validate and encode one structured event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.samples import compact, name, sample, spaced
from bench.serve import Prepare, Run
from crosswind_events import CATALOGUE, Codec


@contextmanager
def make(blanks: bool = False) -> Iterator[Prepare]:
    """A codec that knows the whole catalogue.

    Args:
        blanks: whether the text has blanks after colons and commas.
    """
    codec = Codec(CATALOGUE)
    body = (spaced if blanks else compact)(sample(name(1)))

    def prepare(count: int) -> Run:
        def run() -> None:
            for _ in range(count):
                codec.encode(codec.decode(body))

        return run

    yield prepare
