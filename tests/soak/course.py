"""The course of a soak: what was measured every ten seconds, and whether that is good enough."""

import time
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, linear_regression

from integration.local.processes import resident, spent

EVERY = 10.0
"""Seconds from one look at the emulator to the next."""

GROWTH_MIB = 8.0
GROWTH_SHARE = 0.05
"""What the trend of memory may add from the first quarter to the end, whichever is more."""

SLOWEST = 0.5
"""The share of the mean pace that every ten seconds must reach: others use the machine too."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at a moment; seconds, MiB, messages, seconds of CPU."""

    at: float
    memory: float
    done: int
    cpu: float


@dataclass
class Course:
    """Looks at the process of an emulator while messages go through it."""

    process: int
    seconds: float
    began: float = field(default_factory=time.monotonic)
    looks: list[Look] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() - self.began >= self.seconds

    def look(self, done: int) -> None:
        """Look, if it is time, and tell; `done` counts the messages that are through."""
        at = time.monotonic() - self.began
        if self.looks and at - self.looks[-1].at < EVERY:
            return
        self.looks.append(Look(at, resident(self.process), done, spent(self.process)))
        if len(self.looks) > 1:
            before, now = self.looks[-2:]
            print(
                f"{now.at:6.0f} s  {now.memory:7.1f} MiB  {pace(before, now):7.0f}/s  "
                f"{(now.cpu - before.cpu) / (now.at - before.at):4.0%} of a core",
                flush=True,
            )

    def faults(self, lost: int) -> list[str]:
        """What is not good enough."""
        found = [f"{lost} messages were lost"] if lost else []
        settled = [look for look in self.looks if look.at >= self.seconds / 4]
        if len(settled) < 3:
            return [*found, f"{len(settled)} looks are too few to judge: take more minutes"]
        slope, _ = linear_regression(
            [look.at for look in settled], [look.memory for look in settled]
        )
        growth = slope * (settled[-1].at - settled[0].at)
        allowed = max(GROWTH_MIB, GROWTH_SHARE * fmean(look.memory for look in settled))
        print(
            f"memory: {settled[0].memory:.1f} to {settled[-1].memory:.1f} MiB, "
            f"trend {slope * 60:+.2f} MiB a minute"
        )
        if growth > allowed:
            found.append(f"memory has grown by {growth:.1f} MiB, and {allowed:.1f} are allowed")
        paces = [pace(before, now) for before, now in pairwise(settled)]
        print(f"pace: {fmean(paces):.0f}/s on average, {min(paces):.0f}/s at the slowest")
        if min(paces) < SLOWEST * fmean(paces):
            found.append(f"the pace fell to {min(paces):.0f}/s")
        return found


def pace(before: Look, now: Look) -> float:
    """Messages a second from one look to the next."""
    return (now.done - before.done) / (now.at - before.at)
