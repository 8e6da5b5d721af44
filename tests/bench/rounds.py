"""Rounds: A B, B A, A B... in one run, so that whatever slows the machine slows both alike.

The figure is the median of the rounds' own ratios, not the ratio of two medians: a round's two
halves lie milliseconds apart, and a neighbour who wakes up in between spoils that round alone.
Where work waits for nothing, what is compared is processor time, which a neighbour can hardly
spoil; the same by the clock on the wall stands in the note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal

from bench.contestants import Contestant
from bench.serve import Took

Clock = Literal["wall", "processor"]

_WARM = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out of rounds of contestants, by name: what a time of work took, each round."""

    took: Mapping[str, Sequence[Took]]

    @property
    def rounds(self) -> int:
        """How many rounds there were."""
        return min(map(len, self.took.values()))

    def median(self, name: str, clock: Clock) -> float:
        """Median seconds of one contestant."""
        return median(_read(took, clock) for took in self.took[name])

    def ratios(self, name: str, to: str, clock: Clock) -> list[float]:
        """One contestant's seconds by another's, round by round."""
        pairs = zip(self.took[name], self.took[to], strict=True)
        return [_read(a, clock) / max(_read(b, clock), 1e-9) for a, b in pairs]


def _read(took: Took, clock: Clock) -> float:
    return took.wall if clock == "wall" else took.processor


def spread(ratios: Sequence[float]) -> tuple[float, float]:
    """The quartiles: half of the rounds lie within."""
    if len(ratios) < 2:
        return ratios[0], ratios[0]
    low, _, high = quantiles(ratios, n=4, method="inclusive")
    return low, high


def calibrated(contestant: Contestant, seconds: float, most: int) -> int:
    """How often a contestant works in about so many seconds, at most `most` times."""
    contestant.work(min(most, 3))  # what is made on first use is not part of it
    count = 1
    while True:
        took = contestant.work(count).wall
        if count >= most or took >= seconds / 4:
            return max(1, min(most, round(count * seconds / max(took, 1e-9))))
        count = min(most, count * 4)


def measure(
    contestants: Mapping[str, Contestant],
    *,
    rounds: int,
    slice_seconds: float = 0.05,
    most: int = 5_000,
    work: Mapping[str, int] | None = None,
) -> Measured:
    """Let contestants work in turn, the order reversed from round to round.

    Args:
        slice_seconds: about how long each works in a round.
        most: how often it works in a round at the most.
        work: by name, how many pieces of work one time is; one unless given.
    """
    counts = {
        name: calibrated(contestant, slice_seconds, most)
        for name, contestant in contestants.items()
    }
    result: dict[str, list[Took]] = {name: [] for name in contestants}
    order = list(contestants)
    for number in range(-min(_WARM, rounds), rounds):
        for name in order:
            count = counts[name]
            took = contestants[name].work(count)
            pieces = count * (work or {}).get(name, 1)
            if number >= 0:
                result[name].append(Took(took.wall / pieces, took.processor / pieces))
        order.reverse()
    return Measured(result)
