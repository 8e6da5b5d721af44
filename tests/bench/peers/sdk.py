"""The official CloudEvents SDK 1.12: `from_json`, `to_json`. It does not validate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cloudevents.conversion import to_json
from cloudevents.http import from_json

from bench.samples import compact, name, sample, spaced
from bench.serve import Prepare, Run


@contextmanager
def make(blanks: bool = False) -> Iterator[Prepare]:
    """Read and write the sample, as `bench.ours.codec` does."""
    body = (spaced if blanks else compact)(sample(name(1)))

    def prepare(count: int) -> Run:
        def run() -> None:
            for _ in range(count):
                to_json(from_json(body))

        return run

    yield prepare
