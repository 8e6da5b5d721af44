"""Random numbers that depend on a seed and on names alone, never on what was drawn before.

Every number has a name: the purpose, the region, the moment it is for. A fault more or less, or a
stretch of time that is skipped, changes nothing of what is drawn under other names.
"""

from __future__ import annotations

from hashlib import blake2b
from math import exp, log
from random import Random
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()
_SCALE: Final = 2.0**-53
_SMALLEST: Final = 2.0**-54


class Draws:
    """A family of random numbers.

    Args:
        seed: the same seed and names give the same numbers, in any process.
        names: what the family is for.
    """

    __slots__ = ("_key",)

    def __init__(self, seed: object, *names: object) -> None:
        self._key = _digest(b"", (seed, *names), 32)

    def branch(self, *names: object) -> Draws:
        """The family of these names within this one."""
        branch = Draws.__new__(Draws)
        branch._key = _digest(self._key, names, 32)
        return branch

    def stream(self, *names: object) -> Random:
        """A sequence of its own, for a process that is drawn from its beginning."""
        return Random(_digest(self._key, names, 16))  # noqa: S311 - a simulation, no secret

    def uniform(self, *names: object) -> float:
        """From 0 up to, and not including, 1."""
        return (int.from_bytes(_digest(self._key, names, 8)) >> 11) * _SCALE

    def chance(self, share: float, *names: object) -> bool:
        """True in this share of the cases; never at 0, always at 1."""
        return share > 0 and (share >= 1 or self.uniform(*names) < share)

    def between(self, low: float, high: float, *names: object) -> float:
        """Anything from `low` to `high`, each as likely."""
        return low + (high - low) * self.uniform(*names)

    def normal(self, *names: object) -> float:
        """Of mean 0 and standard deviation 1."""
        return _NORMAL.inv_cdf(max(self.uniform(*names), _SMALLEST))

    def lognormal(self, median: float, sigma: float, *names: object) -> float:
        """Log-normal: half of them below the median, a long tail above it."""
        return median * exp(sigma * self.normal(*names)) if sigma else median

    def exponential(self, mean: float, *names: object) -> float:
        """Exponential: the time to the next of events that know nothing of each other."""
        return -mean * log(1.0 - self.uniform(*names))


def _digest(key: bytes, names: tuple[object, ...], size: int) -> bytes:
    return blake2b("\x1f".join(map(str, names)).encode(), key=key, digest_size=size).digest()
