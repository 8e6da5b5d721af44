"""Plans: what goes wrong in a play, and when, as a short list of deeds that shrinks well.

A play without deeds goes well: one worker after the other does what is due, in order. Each deed
waits for a number of calls of ports, then it happens: to the call that is being made, to the
worker that makes it, to the bus, or to the world.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from crosswind.testing import Fault

DEEP: Final = os.environ.get("CROSSWIND_PROOF") == "deep"
"""Whether to look far longer than a usual run of the tests does."""

Deeds = Literal[
    # to the call being made: see `crosswind.testing.faults`
    "throttled",
    "lost",
    "unanswered",
    "late",
    "killed",
    "killed-after",
    # to the worker that makes it: others go on in the meantime
    "switch",  # until they are done
    "stall",  # for some time, as a process that was stopped
    # to the bus
    "again",  # a letter is delivered once more, however old
    "early",  # a letter is delivered before it is due, or while another works on it
    "shuffle",  # not the oldest letter goes next
    "batch",  # several letters go to one worker together
    "give-up",  # a letter becomes a native dead letter
    # to the world
    "wait",  # time passes
    "land",  # something late lands
    "upgrade",  # a worker is replaced by one with the other version of the code
    "mend",  # what is broken works again
    # by a person
    "freeze",
    "thaw",
    "approve",
    "reject",
    "redrive",
]

CALLS: Final = ("throttled", "lost", "unanswered", "late", "killed", "killed-after")
PAUSES: Final = ("switch", "stall")
BUS: Final = ("again", "early", "shuffle", "batch", "give-up")
WORLD: Final = ("wait", "land")
EVERYWHERE: Final[tuple[Deeds, ...]] = (*CALLS, *PAUSES, "switch", *BUS, *WORLD)
"""The deeds that make sense in any play; a switch twice, as races need it."""

START: Final = 1_800_000_000.0
"""Seconds since the epoch at which every play begins."""

WAITS: Final = (1.0, 6.0, 14.0, 40.0, 130.0, 700.0)
STALLS: Final = (3.0, 9.5, 14.0, 40.0, 130.0, 700.0)
SKEWS: Final = ((0.0, 0.0, 0.0), (0.5, -0.5, 0.0), (-0.5, 0.5, 0.5))
"""Clocks of the workers, in parts of the allowed skew; two of them differ by no more."""

assert set(CALLS) | {"none"} == set(get_args(Fault))


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that goes wrong.

    Attributes:
        gap: calls of ports that are made before, since the deed before.
        kind: what happens.
        pick: to which of those that it may happen to, or how much of it.
        times: to how many calls in a row, for what happens to calls.
    """

    gap: int
    kind: Deeds
    pick: int = 0
    times: int = 1

    def __str__(self) -> str:
        to = f" x{self.times}" if self.times > 1 else ""
        return f"after {self.gap} calls: {self.kind}{to} ({self.pick})"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that goes wrong in a play, and how the clocks of its workers differ."""

    deeds: tuple[Deed, ...] = ()
    skews: tuple[float, float, float] = SKEWS[0]

    def __str__(self) -> str:
        return "\n".join([f"clocks {self.skews}", *map(str, self.deeds)])


def deed(kinds: Iterable[Deeds]) -> SearchStrategy[Deed]:
    """One deed of these kinds; a simple one has a small gap and hits once."""
    return st.builds(
        Deed,
        gap=st.integers(0, 24),
        kind=st.sampled_from(tuple(kinds)),
        pick=st.integers(0, 5),
        times=st.sampled_from((1, 3, 4, 9)),
    )


def plans(kinds: Iterable[Deeds] = EVERYWHERE, most: int = 12) -> SearchStrategy[Plan]:
    """Plans of at most so many deeds."""
    return st.builds(
        Plan,
        deeds=st.lists(deed(kinds), min_size=1, max_size=most).map(tuple),
        skews=st.sampled_from(SKEWS),
    )


def examples(usual: int, deep: int = 20_000) -> settings:
    """How many plans are tried: so many usually, and many more if asked for."""
    return settings(
        max_examples=deep if DEEP else usual,
        deadline=None,
        derandomize=not DEEP,
        print_blob=True,
    )
