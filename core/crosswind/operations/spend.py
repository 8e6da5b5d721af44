"""Spend: what a cloud has charged, by workload as far as that is told apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from pydantic import model_validator

from crosswind.actions import Answer, Query

MAX_DAYS = 366
"""Days of spend that one query covers."""


class Spent(Answer):
    """What was spent in a stretch of days.

    Attributes:
        currency: ISO 4217.
        total: of everything.
        workloads: by workload, as far as spend is told apart by workload.
        estimated: what the cloud says may still change.
    """

    begins: date
    ends: date
    currency: str
    total: Decimal
    workloads: Mapping[str, Decimal]
    estimated: bool


class ReadSpend(Query[Spent], kind="spend.read"):
    """What was spent from one day until before another."""

    begins: date
    ends: date

    @model_validator(mode="after")
    def _is_a_stretch(self) -> ReadSpend:
        days = (self.ends - self.begins).days
        if not 0 < days <= MAX_DAYS:
            raise ValueError(f"ends must be 1 to {MAX_DAYS} days after begins, not {days}")
        return self
