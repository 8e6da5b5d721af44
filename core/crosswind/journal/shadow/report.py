"""The shadow report: what would have been done, at what cost, against what really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crosswind.journal.review.wording import stamp
from crosswind.journal.shadow.account import ASSUMPTIONS, Account
from crosswind.journal.shadow.actual import Outage
from crosswind.journal.shadow.verdicts import Compared, compare
from crosswind.journal.shadow.would import Observed, Would, observed
from crosswind.records.ledger import Ledger

if TYPE_CHECKING:
    from crosswind.app import App

LIVE: Final = (
    "Nothing was carried out, so that each decision was made as if none had been made before it: "
    "what would be decided again within six hours is counted with the first.",
    "Capacity was assumed to be granted in full and at once; no step was judged by what it did.",
)
"""What a reader has to know of a fleet that is observed as it runs."""

FLAPS: Final = 86_400.0
"""Seconds within which a region that would be left twice counts as flapping."""

_HOUR: Final = 3_600.0


class Flap(NamedTuple):
    """A region that would have gone back and forth: how often, and how soon at the quickest."""

    region: str
    times: int
    relapses: int
    soonest: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """A report, ready to be shown; times in seconds since the epoch.

    Attributes:
        account: of the rehearsal, None where the fleet is observed as it runs.
        until: up to when a region that would not have been back counts as away.
        compared: None where it is not known what really happened.
    """

    account: Account | None
    observed: Observed
    until: float
    compared: Compared | None
    flaps: tuple[Flap, ...]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is assumed of the world, in sentences."""
        return LIVE if self.account is None else ASSUMPTIONS

    @property
    def outcomes(self) -> dict[str, int]:
        """How often chains about a failing region came to nothing, by outcome."""
        counted = Counter(one.outcome or "open" for one in self.observed.heard)
        return dict(counted.most_common())

    def hours(self, would: Would) -> float:
        """Hours for which its traffic would have been elsewhere."""
        return would.away(self.until) / _HOUR

    def money(self, would: Would) -> float:
        """USD that it would have cost."""
        return would.cost * self.hours(would)

    def as_json(self) -> dict[str, Any]:
        """The whole of it, for programs."""
        compared = self.compared
        return {
            "rehearsal": None if self.account is None else self.account.as_json(),
            "assumptions": list(self.assumptions),
            "until": stamp(self.until),
            "chains": self.observed.chains,
            "cut": self.observed.cut,
            "failovers": [
                {
                    **asdict(would),
                    "detection": would.detection,
                    "hours_away": self.hours(would),
                    "usd_per_hour": would.cost,
                    "egress_usd_per_hour": would.egress,
                    "replicas": would.replicas,
                    "usd": self.money(would),
                }
                for would in self.observed.woulds
            ],
            "heard": self.outcomes,
            "acted": self.observed.acted,
            "unmapped": self.observed.unmapped,
            "gave_up": self.observed.gave_up,
            "flapping": [flap._asdict() for flap in self.flaps],
            "compared": None
            if compared is None
            else {
                "true": [
                    {
                        "outage": asdict(met.outage),
                        "chain": met.would.chain,
                        "detection": met.detection,
                        "moved": met.moved,
                        "earlier": met.earlier,
                        "spared": met.spared,
                        "further": met.further,
                    }
                    for met in compared.found
                ],
                "missed": [
                    {"outage": asdict(one.outage), "why": one.why} for one in compared.missed
                ],
                "away": [{"outage": asdict(one.outage), "why": one.why} for one in compared.away],
                "false": [
                    {"chain": would.chain, "region": would.region, "after": after}
                    for would, after in compared.false
                ],
                "median_detection": compared.detection,
                "median_earlier": compared.earlier,
            },
        }


def report(
    ledger: Ledger,
    app: App,
    now: float,
    since: float,
    outages: Sequence[Outage] | None = None,
) -> Report:
    """Read the report of a store.

    Args:
        now: until when it is read, where the store holds no rehearsal; seconds since the epoch.
        since: seconds before that from which on.
        outages: what really happened, None where it is not known.
    """
    account = Account.kept(ledger)
    if account is not None:
        now, since = account.ended, account.ended - account.began + 2 * 86_400.0
    found = observed(ledger, app, now, since, follows=account is not None)
    until = now if account is None else account.last
    return Report(
        account=account,
        observed=found,
        until=until,
        compared=None if outages is None else compare(found.woulds, found.heard, outages),
        flaps=tuple(_flaps(found.woulds)),
    )


def _flaps(woulds: Sequence[Would]) -> list[Flap]:
    regions = dict.fromkeys(would.region for would in woulds)
    found = []
    for region in regions:
        own = [would for would in woulds if would.region == region]
        gaps = [after.confirmed - before.confirmed for before, after in pairwise(own)]
        soon = [gap for gap in gaps if gap <= FLAPS]
        relapses = sum(len(would.relapses) for would in own)
        if soon or relapses:
            found.append(Flap(region, len(soon) + bool(soon), relapses, min(soon, default=None)))
    return found
