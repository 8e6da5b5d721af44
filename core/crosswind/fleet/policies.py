"""The policies of a fleet: when to fail over, how to shift, what may be done without asking."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from crosswind.fleet.quantities import (
    Amount,
    Count,
    Declared,
    KindPattern,
    Label,
    Positive,
    Seconds,
    Share,
    Steps,
    WorkloadName,
)
from crosswind_events import Region

Evidence = Literal["provider", "alarm", "probe", "telemetry", "operator"]
Mode = Literal["observe", "propose", "act"]
LimitName = Literal["traffic-share", "regions-off", "replicas-removed", "money"]

EVIDENCE_WEIGHTS: Final[Mapping[Evidence, float]] = {
    "provider": 1.0,
    "alarm": 1.0,
    "probe": 1.0,
    "telemetry": 1.0,
    "operator": 2.0,
}


class ShiftPolicy(Declared):
    """How traffic of a workload is moved.

    Attributes:
        steps: into how many steps a shift is divided.
        pause: seconds between two steps.
        max_error_rate: share of failed requests at which a shift is halted.
        window: seconds of real traffic that are looked at after each step.
    """

    steps: Steps = 4
    pause: Seconds = 30.0
    max_error_rate: Share = 0.05
    window: Seconds = 60.0


class FailoverPolicy(Declared):
    """When a region counts as failed, and how it is left and returned to.

    Two rules are not settings: evidence from one source counts once, by its latest word; and the
    provider's own notices alone never make a quorum, whatever weight they are given.

    Attributes:
        quorum: weight of evidence that is needed to leave a region.
        weights: weight of each kind of evidence; kinds not named keep their default.
        window: seconds for which evidence counts.
        min_kinds: distinct kinds of evidence, or vantages of one kind, that are needed.
        capacity_timeout: seconds to wait for capacity in the surviving regions.
        deadline: seconds after the first evidence in which plans are made; afterwards weaker
            plans need not wait for it any more.
        soak: seconds for which a recovered region must stay healthy before traffic returns.
        recovery_quorum: weight of evidence that is needed to call a region recovered.
        failback_steps: into how many steps the return is divided.
        failback_pause: seconds between two of them.
    """

    quorum: Positive = 2.0
    weights: Mapping[Evidence, Amount] = Field(default=EVIDENCE_WEIGHTS)
    window: Seconds = 300.0
    min_kinds: Annotated[Steps, Field(le=10)] = 2
    capacity_timeout: Seconds = 300.0
    deadline: Seconds = 1800.0
    soak: Seconds = 600.0
    recovery_quorum: Positive = 2.0
    failback_steps: Steps = 4
    failback_pause: Seconds = 60.0

    @field_validator("weights", mode="before")
    @classmethod
    def _keep_defaults(cls, value: Any) -> Any:
        return {**EVIDENCE_WEIGHTS, **value} if isinstance(value, Mapping) else value


class AlertMapping(Declared):
    """Which native alarms are evidence, and of what.

    Attributes:
        match: glob over the name of the native alarm or policy (`*`, `?`, `[...]`).
        workload: the workload that it concerns.
        region: the region that it concerns; that of the notification unless given.
        weight: its weight as evidence.
        labels: labels that the notification must carry as well.
    """

    match: Label = Field(examples=["chat-*-errors"])
    workload: WorkloadName = Field(examples=["chat"])
    region: Region | None = None
    weight: Amount = 1.0
    labels: Mapping[Label, Label] = Field(default={}, max_length=16)

    def admits(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether an alarm of this name and with these labels is meant."""
        return fnmatchcase(name, self.match) and all(
            labels.get(label) == value for label, value in self.labels.items()
        )


class ProbePolicy(Declared):
    """Synthetic requests to every workload in every region.

    Attributes:
        every: seconds between two rounds.
        count: requests per round, workload and region.
        vantages: where observers stand; each is a view of its own.
        threshold: share of failed requests from which a round says "unhealthy".
    """

    every: Annotated[Seconds, Field(gt=0.0)] = 30.0
    count: Annotated[Count, Field(ge=1, le=20)] = 3
    vantages: Annotated[tuple[Label, ...], Field(min_length=1, max_length=16)] = ("home",)
    threshold: Annotated[Share, Field(gt=0.0)] = 0.5


class WorkloadModes(Declared):
    """Modes of one workload: its default, and those of kinds of action ("endpoint.*")."""

    default: Mode | None = None
    kinds: Mapping[KindPattern, Mode] = Field(default={}, max_length=64)


class ModePolicy(Declared):
    """What is only observed, what is proposed to a person, and what is acted on.

    Attributes:
        default: the mode of everything that nothing below names.
        kinds: by kind of action, either exact (`endpoint.scale`) or by subject (`endpoint.*`).
        workloads: by workload; any mode given here goes before those of the fleet.
    """

    default: Mode = "observe"
    kinds: Mapping[KindPattern, Mode] = Field(default={}, max_length=64)
    workloads: Mapping[WorkloadName, WorkloadModes] = Field(default={}, max_length=2000)

    def choose(self, workload: str | None, kind: str) -> Mode:
        """The mode of one kind of action on one workload; the most specific setting wins.

        In this order: the workload's exact kind, its subject, its default, the fleet's exact
        kind, its subject, its default.
        """
        own = self.workloads.get(workload) if workload is not None else None
        if own is not None:
            chosen = _of_kind(own.kinds, kind) or own.default
            if chosen is not None:
                return chosen
        return _of_kind(self.kinds, kind) or self.default


class Limit(Declared):
    """How much may be done in a time without asking a person.

    Attributes:
        limit: `traffic-share` (shares of a workload's traffic moved), `regions-off` (regions
            taken out of service), `replicas-removed`, or `money` (USD per hour of running cost
            that plans add).
        workload: counts this workload alone; all of the fleet together unless given.
        per: the window in seconds.
        most: the amount that may be used in one window.
    """

    limit: LimitName = Field(examples=["regions-off"])
    workload: WorkloadName | None = None
    per: Annotated[Seconds, Field(gt=0.0)] = Field(examples=["1h"])
    most: Amount = Field(examples=[1])


def _of_kind(modes: Mapping[str, Mode], kind: str) -> Mode | None:
    exact = modes.get(kind)
    subject = kind
    while exact is None and "." in subject:
        subject = subject.rpartition(".")[0]
        exact = modes.get(f"{subject}.*")
    return exact
