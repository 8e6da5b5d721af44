"""The engine's bounds and times, with defaults that are safe on every cloud."""

from __future__ import annotations

from dataclasses import dataclass

from crosswind.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds and times of the engine; all times in seconds.

    Attributes:
        lease: how long a claim holds; shorter than the bus's redelivery delay.
        skew: by how much two clocks may differ.
        attempts: how often a run is tried before it is dead-lettered.
        backoff: mean of the first delay between attempts; doubles each time, with full jitter.
        backoff_limit: the longest delay between attempts.
        max_age: events and chains older than this are refused.
        deadline: after which a chain that can end and has not is declared stalled.
        hops: events between a chain's first event and its last.
        ticks: timers in a row that a handler may send to itself.
        events_per_run: events that one run may emit.
        observation_bytes: size of one recorded observation.
        evidence: pieces of evidence that are weighed, the newest.
        approval: how long a proposal waits for a person.
        freeze_check: how often a frozen run looks whether it may go on.
        queue_check: how often a queued run looks whether its target is free.
        wait: what is left of a returned delivery's wait where nothing better is known.
        retention: how long a chain's items are kept after its maximum age: bus and dead-letter
            retention plus the redrive horizon.
    """

    lease: float = 60.0
    skew: float = 5.0
    attempts: int = 5
    backoff: float = 1.0
    backoff_limit: float = 60.0
    max_age: float = 7 * 86_400.0
    deadline: float = 86_400.0
    hops: int = 64
    ticks: int = 1_000
    events_per_run: int = 100
    observation_bytes: int = 64_000
    evidence: int = 100
    approval: float = 3_600.0
    freeze_check: float = 30.0
    queue_check: float = 5.0
    wait: float = 5.0
    retention: float = 28 * 86_400.0

    def __post_init__(self) -> None:
        if self.skew * 2 >= self.lease:
            raise DeclarationError(
                f"Settings: lease={self.lease:g} must be more than twice skew={self.skew:g}, "
                "or a holder would have to stop before it began"
            )
        if self.attempts < 1:
            raise DeclarationError("Settings: attempts must be at least 1")
