"""The least that validation costs: one pydantic model for the whole event, and nothing checked
that CloudEvents asks for beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from pydantic import BaseModel

from bench.samples import compact, name, sample
from bench.serve import Prepare, Run


class Observation(BaseModel):
    """The sample's data."""

    region: str
    evidence: str
    reason: str
    workload: str
    vantage: str
    measured: dict[str, float]


class Envelope(BaseModel):
    """The sample."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: str
    subject: str
    data: Observation


@contextmanager
def make() -> Iterator[Prepare]:
    """Validate from JSON text and write it again."""
    body = compact(sample(name(1)))

    def prepare(count: int) -> Run:
        read, write = (
            Envelope.__pydantic_validator__.validate_json,
            Envelope.__pydantic_serializer__.to_json,
        )

        def run() -> None:
            for _ in range(count):
                write(read(body))

        return run

    yield prepare
