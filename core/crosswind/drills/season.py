"""A season: many game days of one policy, counted together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from crosswind.sim import Account, Kept, Outage, Promise, Spread

if TYPE_CHECKING:
    from crosswind.drills.gameday import Played
    from crosswind.drills.watching import Met, Proposal
    from crosswind.sim import Violation


@dataclass(frozen=True, slots=True)
class Season:
    """Game days under several seeds. Seconds unless said otherwise.

    Args:
        plays: in the order of their seeds.
    """

    plays: tuple[Played, ...]

    @property
    def days(self) -> float:
        """Simulated days in all."""
        return sum(play.report.days for play in self.plays)

    @property
    def faults(self) -> int:
        """What went wrong, words about it counted as well."""
        return sum(len(play.faults) for play in self.plays)

    @property
    def seen(self) -> tuple[Outage, ...]:
        """The outages that users saw."""
        return tuple(one for play in self.plays for one in play.report.outages if one.failing)

    @property
    def answered(self) -> int:
        """How many of those were answered by moving requests away."""
        return sum(one.moved is not None for one in self.seen)

    @property
    def detection(self) -> Spread:
        """From the beginning of an outage until the evidence sufficed."""
        return Spread.of(one.detection for one in self.seen)

    @property
    def recovery(self) -> Spread:
        """From the beginning of an outage until the last shift."""
        return Spread.of(one.recovery for one in self.seen)

    @property
    def missed(self) -> int:
        """Outages that users saw, that lasted, and that nobody answered."""
        return sum(play.report.missed for play in self.plays)

    @property
    def failovers(self) -> int:
        """How often a region was left."""
        return sum(len(play.report.failovers) for play in self.plays)

    @property
    def false(self) -> int:
        """Of those, with nothing wrong with the region."""
        return sum(play.report.false for play in self.plays)

    @property
    def needless(self) -> int:
        """Of those, with the region well again."""
        return sum(play.report.needless for play in self.plays)

    @property
    def kept(self) -> dict[str, Kept]:
        """How the objective of each workload was kept."""
        found: dict[str, Kept] = {}
        for name in dict.fromkeys(name for play in self.plays for name in play.report.kept):
            each = [play.report.kept[name] for play in self.plays]
            found[name] = Kept(
                _sum(one.steered for one in each), _sum(one.untouched for one in each)
            )
        return found

    @property
    def steered(self) -> Promise:
        """Minutes of all workloads, as they were steered."""
        return _sum(one.steered for one in self.kept.values())

    @property
    def untouched(self) -> Promise:
        """The same had nobody done anything."""
        return _sum(one.untouched for one in self.kept.values())

    @property
    def total(self) -> Account:
        """All requests and money."""
        return reduce(Account.plus, (play.report.total() for play in self.plays), Account())

    @property
    def without(self) -> Account:
        """The same had nobody done anything."""
        cells = (cell for play in self.plays for cell in play.report.untouched.values())
        return reduce(Account.plus, cells, Account())

    @property
    def added_usd(self) -> float:
        """What steering has cost more than leaving everything as it is."""
        return sum(play.report.added_usd for play in self.plays)

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """What was proposed to people."""
        return tuple(one for play in self.plays for one in play.proposals)

    @property
    def unanswered(self) -> tuple[Proposal, ...]:
        """Of those, what nobody answered."""
        return tuple(one for one in self.proposals if one.unanswered)

    @property
    def endings(self) -> dict[str, int]:
        """How many chains ended how, the most frequent first."""
        count: Counter[str] = Counter()
        for play in self.plays:
            count.update(play.endings)
        return dict(count.most_common())

    @property
    def checked(self) -> int:
        """Writes, calls and orders that were held against the rules."""
        return sum(play.checked for play in self.plays)

    @property
    def broken(self) -> int:
        """How often a rule was broken."""
        return sum(play.broken for play in self.plays)

    def incidents(self) -> Iterator[tuple[int, Met]]:
        """What people would have been called for, with the seed of its game day."""
        for play in self.plays:
            for one in play.incidents:
                yield play.seed, one

    def violations(self) -> Iterator[tuple[int, Violation]]:
        """Every rule that was broken, with the seed of its game day."""
        for play in self.plays:
            for one in play.violations:
                yield play.seed, one

    def as_json(self) -> dict[str, Any]:
        """As JSON: what it comes to, and each game day."""
        return {
            "seeds": [play.seed for play in self.plays],
            "days": self.days,
            "faults": self.faults,
            "outages_seen": len(self.seen),
            "answered": self.answered,
            "missed": self.missed,
            "failovers": self.failovers,
            "false": self.false,
            "needless": self.needless,
            "detection": asdict(self.detection),
            "recovery": asdict(self.recovery),
            "slo_minutes": {
                "steered": self.steered._asdict(),
                "untouched": self.untouched._asdict(),
                "saved": self.untouched.minus(self.steered)._asdict(),
            },
            "failed": self.total.failed,
            "failed_untouched": self.without.failed,
            "added_usd": self.added_usd,
            "proposals": len(self.proposals),
            "unanswered": len(self.unanswered),
            "incidents": sum(len(play.incidents) for play in self.plays),
            "endings": self.endings,
            "checked": self.checked,
            "broken": self.broken,
            "plays": [play.as_json() for play in self.plays],
        }


def _sum(promises: Iterable[Promise]) -> Promise:
    found = tuple(promises)
    return Promise(sum(one.broken for one in found), sum(one.lost for one in found))
