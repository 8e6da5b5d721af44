"""The policies of a fleet: when to fail over, how to shift, what may be done without asking."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from crosswind.fleet.quantities import (
    Amount,
    Count,
    Declared,
    KindPattern,
    Label,
    Positive,
    PositiveSeconds,
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

RECOVERY_QUORUM: Final = 2.0
"""Weight of evidence of recovery unless the policy, or the number of vantages, says otherwise."""


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


class BurnRate(Declared):
    """A speed at which an error budget is spent that is evidence of trouble.

    It holds while both windows are above the factor: the long one says that it matters, the short
    one that it goes on. Source: The Site Reliability Workbook, chapter 5, "Multiwindow,
    Multi-Burn-Rate Alerts" (https://sre.google/workbook/alerting-on-slos/).

    Attributes:
        long: seconds of the long window.
        short: seconds of the short window.
        factor: times the speed at which the budget would just last for the objective's window.
        weight: as evidence while it holds; 0 only notes it.
    """

    long: PositiveSeconds = Field(examples=["1h"])
    short: PositiveSeconds = Field(examples=["5m"])
    factor: Positive = Field(examples=[14.4])
    weight: Amount = 1.0

    @model_validator(mode="after")
    def _long_is_longer(self) -> BurnRate:
        if self.long <= self.short:
            raise ValueError("has a long window that is not longer than the short one; swap them")
        return self


BURN_RATES: Final = (
    BurnRate(long=3600.0, short=300.0, factor=14.4),
    BurnRate(long=21_600.0, short=1800.0, factor=6.0, weight=0.5),
    BurnRate(long=259_200.0, short=21_600.0, factor=1.0, weight=0.0),
)
"""The windows and factors of that chapter; its last pair is for a ticket and moves nothing."""


class FailoverPolicy(Declared):
    """When a region counts as failed, and how it is left and returned to.

    Two rules are not settings: evidence from one source counts once, by its latest word; and the
    provider's own notices alone never make a quorum, whatever weight they are given.

    Attributes:
        quorum: weight of evidence that is needed to leave a region.
        weights: weight of each kind of evidence; kinds not named keep their default.
        hold: seconds for which the evidence has to suffice before a region is left for the first
            time; what is over before was a blip. It is not waited for where an operator has spoken.
        window: seconds for which evidence counts.
        half_life: seconds in which the weight of a piece halves; it counts in full until the
            window ends unless given.
        contradiction: by which factor the fresh word of an independent observer that all is well
            weighs against.
        burn: speeds at which error budgets are spent that are evidence.
        min_kinds: distinct kinds of evidence, or vantages of one kind, that are needed.
        capacity_timeout: seconds to wait for capacity in the surviving regions.
        deadline: seconds after the first evidence in which plans are made; afterwards weaker
            plans need not wait for it any more.
        soak: seconds for which a recovered region must stay healthy before traffic returns.
        soak_growth: by which factor the soak grows for each other time that the region was left
            within a day; at most eight times as long in all.
        recovery_quorum: weight of evidence that is needed to call a region recovered; unless given
            2, or what all vantages of the probes come to where that is less.
        failback_steps: into how many steps the return is divided.
        failback_pause: seconds between two of them.
    """

    quorum: Positive = 2.0
    weights: Mapping[Evidence, Amount] = Field(default=EVIDENCE_WEIGHTS)
    hold: Annotated[Seconds, Field(le=3600.0)] = 0.0
    window: Seconds = 300.0
    half_life: PositiveSeconds | None = None
    contradiction: Amount = 1.0
    burn: tuple[BurnRate, ...] = Field(default=BURN_RATES, max_length=16)
    min_kinds: Annotated[Steps, Field(le=10)] = 2
    capacity_timeout: Seconds = 300.0
    deadline: Seconds = 1800.0
    soak: Seconds = 600.0
    soak_growth: Annotated[float, Field(ge=1.0, le=8.0)] = 2.0
    recovery_quorum: Positive | None = None
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
        jitter: share of `every` by which rounds of different regions and vantages are shifted
            against each other.
    """

    every: PositiveSeconds = 30.0
    count: Annotated[Count, Field(ge=1, le=20)] = 3
    vantages: Annotated[tuple[Label, ...], Field(min_length=1, max_length=16)] = ("home",)
    threshold: Annotated[Share, Field(gt=0.0)] = 0.5
    jitter: Share = 0.1


class WorkloadModes(Declared):
    """Modes of one workload.

    Attributes:
        default: the mode of every kind of action that is not named.
        kinds: by kind of action, either exact (`endpoint.scale`) or by subject (`endpoint.*`).
    """

    default: Mode | None = None
    kinds: Mapping[KindPattern, Mode] = Field(default={}, max_length=64)


class Approver(Declared):
    """Somebody who may answer proposals.

    Attributes:
        who: glob over verified identities, such as `*@ops.example.com`.
        workloads: globs over the workloads whose proposals they may answer.
        kinds: globs over the kinds of action.
    """

    who: Label = Field(examples=["*@ops.example.com"])
    workloads: Annotated[tuple[Label, ...], Field(min_length=1, max_length=64)] = ("*",)
    kinds: Annotated[tuple[Label, ...], Field(min_length=1, max_length=64)] = ("*",)

    def may(self, who: str, workload: str | None, kind: str) -> bool:
        """Whether this is them, and they may answer for that action on that workload."""
        return (
            fnmatchcase(who, self.who)
            and any(fnmatchcase(workload or "", one) for one in self.workloads)
            and any(fnmatchcase(kind, one) for one in self.kinds)
        )


class ModePolicy(Declared):
    """What is only observed, what is proposed to a person, and what is acted on.

    Attributes:
        default: the mode of everything that nothing below names.
        kinds: by kind of action, either exact (`endpoint.scale`) or by subject (`endpoint.*`).
        workloads: by workload; any mode given here goes before those of the fleet.
        approvers: who may answer proposals; whoever can reach the store unless anybody is named.
    """

    default: Mode = "observe"
    kinds: Mapping[KindPattern, Mode] = Field(default={}, max_length=64)
    workloads: Mapping[WorkloadName, WorkloadModes] = Field(default={}, max_length=2000)
    approvers: Annotated[tuple[Approver, ...], Field(max_length=256)] = ()

    def may_approve(self, who: str, workload: str | None, kind: str) -> bool:
        """Whether somebody may answer a proposal of this kind of action on this workload."""
        return not self.approvers or any(one.may(who, workload, kind) for one in self.approvers)

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
    per: PositiveSeconds = Field(examples=["1h"])
    most: Amount = Field(examples=[1])


def _of_kind(modes: Mapping[str, Mode], kind: str) -> Mode | None:
    exact = modes.get(kind)
    subject = kind
    while exact is None and "." in subject:
        subject = subject.rpartition(".")[0]
        exact = modes.get(f"{subject}.*")
    return exact
