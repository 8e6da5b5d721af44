"""Spend on AWS: Cost Explorer, told apart by a cost allocation tag.

Sources: docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html (the
end is exclusive; a group of a tag is named TAG$VALUE), .../latest/userguide/ce-api.html (its only
endpoint is in us-east-1; every request costs money, data is refreshed some times a day).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from crosswind.actions import Action, Call, Query
from crosswind.operations.spend import ReadSpend, Spent
from crosswind_aws.performers.asking import Deadline, Service, never
from crosswind_aws.performers.failures import NotFound
from crosswind_aws.performers.resources import Resources

REGION: Final = "us-east-1"
METRIC: Final = "UnblendedCost"

MAX_AGE: Final = 3_600.0
"""Seconds for which an answer is good enough for the same question."""

_REMEMBERED: Final = 64


class SpendPerformer:
    """Reads what was spent from Cost Explorer. It changes nothing.

    Every request is charged for, and the data is a few hours old whenever it is asked for: the same
    question within an hour is answered from memory.

    Args:
        resources: what stands for the fleet.
        clock: seconds since the epoch.
    """

    performs: tuple[type[Action[Any]], ...] = ()
    answers: tuple[type[Query[Any]], ...] = (ReadSpend,)

    def __init__(self, resources: Resources, clock: Callable[[], float] = time.time) -> None:
        self._resources = resources
        self._clock = clock
        self._ask = Service("ce", REGION)
        self._kept: dict[ReadSpend, tuple[float, Spent]] = {}

    def perform(self, action: Action[Any], call: Call) -> Any:
        """It performs nothing.

        Raises:
            TypeError: always.
        """
        raise never(action.kind, self)

    def answer(self, query: ReadSpend, timeout: float) -> Spent:
        """What was spent.

        Raises:
            NotFound: no tag is declared by which spend is told apart.
            CallFailed: see `failures`.
        """
        if self._resources.spend is None:
            raise NotFound("spend.read", "NotDeclared", "no tag is declared that tells spend apart")
        kept = self._kept.get(query)
        if kept is not None and self._clock() - kept[0] < MAX_AGE:
            return kept[1]
        found = self._read(query, self._resources.spend.tag, Deadline(timeout))
        if len(self._kept) >= _REMEMBERED:
            del self._kept[next(iter(self._kept))]
        self._kept[query] = self._clock(), found
        return found

    def _read(self, query: ReadSpend, tag: str, deadline: Deadline) -> Spent:
        asked: dict[str, Any] = {
            "TimePeriod": {"Start": query.begins.isoformat(), "End": query.ends.isoformat()},
            "Granularity": "DAILY",
            "Metrics": [METRIC],
            "GroupBy": [{"Type": "TAG", "Key": tag}],
        }
        spent: dict[str, Decimal] = {}
        currencies: set[str] = set()
        estimated = False
        while True:
            page = self._ask.read("get_cost_and_usage", deadline, **asked)
            for day in page["ResultsByTime"]:
                estimated = estimated or bool(day.get("Estimated"))
                for group in day["Groups"]:
                    cost = group["Metrics"][METRIC]
                    name = str(group["Keys"][0]).partition("$")[2]
                    spent[name] = spent.get(name, Decimal(0)) + Decimal(cost["Amount"])
                    currencies.add(str(cost["Unit"]))
            if not page.get("NextPageToken"):
                break
            asked["NextPageToken"] = page["NextPageToken"]
        return Spent(
            begins=query.begins,
            ends=query.ends,
            # An account is billed in one currency.
            currency=min(currencies, default="USD"),
            total=sum(spent.values(), Decimal(0)),
            workloads={name: amount for name, amount in sorted(spent.items()) if name},
            estimated=estimated,
        )
