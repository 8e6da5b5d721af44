"""Field types that the models of the catalogue share: every string and collection is bounded.

The bounds keep an event far below what a bus carries, and keep what is logged readable. They are
wide enough for the clouds' own names (an ARN may have 2,048 characters, most have under 200).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from .instant import Instant

__all__ = [
    "Count",
    "Instant",
    "Labels",
    "Measures",
    "Name",
    "Reasons",
    "Region",
    "Report",
    "Text",
    "Url",
    "Versions",
]

Name = Annotated[str, Field(min_length=1, max_length=256)]
"""The name or id of something: a workload, a handler, a run, a metric."""

Text = Annotated[str, Field(min_length=1, max_length=2000)]
"""A sentence or two for people."""

Report = Annotated[str, Field(max_length=4000)]
"""The text of an error or a finding, cut by who reports it; it may be empty."""

Url = Annotated[str, Field(min_length=1, max_length=2000)]
"""Where a person reads more."""

Count = Annotated[int, Field(ge=0)]
"""How many, or the how manieth from 0."""

Region = Annotated[str, Field(pattern=r"^(aws|gcp|azure)/[a-z0-9-]+$", max_length=64)]
"""A cloud's region (`aws/us-east-1`), or what is everywhere in a cloud (`gcp/global`)."""

Labels = Annotated[Mapping[Name, Annotated[str, Field(max_length=1000)]], Field(max_length=64)]
"""What a vendor attached to a notification."""

Measures = Annotated[Mapping[Name, float], Field(max_length=64)]
"""What was measured, by name; the name says the unit (`latency_ms`)."""

Versions = Annotated[Mapping[Name, Name], Field(max_length=128)]
"""Items of the register, each with the version that was read."""

Reasons = Annotated[tuple[Text, ...], Field(max_length=64)]
"""Why something was decided, one reason each."""
