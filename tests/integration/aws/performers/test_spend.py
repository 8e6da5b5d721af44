"""Spend is read from Cost Explorer, on moto: by workload, in decimals, and not twice an hour."""

from __future__ import annotations

import json
import urllib.request
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contract.performers import TIMEOUT
from crosswind.operations.spend import ReadSpend
from crosswind_aws.performers.failures import Denied, NotFound
from crosswind_aws.performers.resources import Resources
from crosswind_aws.performers.spend import SpendPerformer
from crosswind_local.moto import Moto
from integration.aws.performers.wire import Wire, json_error

READ = "GetCostAndUsage"
ASKED = ReadSpend(begins=date(2026, 11, 1), ends=date(2026, 11, 3))
RESOURCES = Resources.read({"spend": {"tag": "workload"}})


def day(estimated: bool, **amounts: str) -> dict[str, Any]:
    groups = [
        {
            "Keys": [f"workload${name}"],
            "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}},
        }
        for name, amount in amounts.items()
    ]
    return {"TimePeriod": {}, "Total": {}, "Groups": groups, "Estimated": estimated}


@pytest.fixture
def spent(local_moto: Moto, moto_account: str) -> None:
    days = [day(False, chat="0.1", speech="2.25"), day(True, chat="0.2")]
    days[1]["Groups"].append(
        {"Keys": ["workload$"], "Metrics": {"UnblendedCost": {"Amount": "7", "Unit": "USD"}}}
    )
    request = urllib.request.Request(
        f"{local_moto.url}/moto-api/static/ce/cost-and-usage-results",
        data=json.dumps({"results": [{"ResultsByTime": days}]}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 201


def test_spend_is_told_by_workload_in_decimals(spent: None, moto_wire: Wire) -> None:
    told = SpendPerformer(RESOURCES).answer(ASKED, TIMEOUT)

    assert told.workloads == {"chat": Decimal("0.3"), "speech": Decimal("2.25")}
    assert told.total == Decimal("9.55")
    assert (told.currency, told.estimated) == ("USD", True)
    assert json.loads(moto_wire.bodies[-1])["TimePeriod"] == {
        "Start": "2026-11-01",
        "End": "2026-11-03",
    }


def test_the_same_question_is_paid_for_once_an_hour(moto_wire: Wire) -> None:
    now = 1_800_000_000.0
    performer = SpendPerformer(RESOURCES, lambda: now)
    for _ in range(3):
        performer.answer(ASKED, TIMEOUT)
    assert moto_wire.count(READ) == 1

    now += 3_601

    performer.answer(ASKED, TIMEOUT)
    assert moto_wire.count(READ) == 2


def test_where_nothing_was_spent_the_total_is_nothing(moto_wire: Wire) -> None:
    assert SpendPerformer(RESOURCES).answer(ASKED, TIMEOUT).total == 0


def test_a_role_without_rights_is_told_so(moto_wire: Wire) -> None:
    moto_wire.strike(READ, json_error("AccessDeniedException"))

    with pytest.raises(Denied, match="ce get_cost_and_usage"):
        SpendPerformer(RESOURCES).answer(ASKED, TIMEOUT)


def test_without_a_tag_spend_is_not_told_apart() -> None:
    with pytest.raises(NotFound, match="no tag is declared"):
        SpendPerformer(Resources()).answer(ASKED, TIMEOUT)


@pytest.mark.parametrize("ends", [date(2026, 11, 1), date(2026, 10, 1), date(2028, 1, 1)])
def test_a_stretch_of_days_is_bounded(ends: date) -> None:
    with pytest.raises(ValueError, match="days after begins"):
        ReadSpend(begins=date(2026, 11, 1), ends=ends)
