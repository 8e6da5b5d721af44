"""AWS Budgets. They belong to the account, and are asked in one region.

Source: docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_DescribeBudgets.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crosswind.adopting.found import FoundBudget
from crosswind_aws.adopt.asking import Asker


def read(asker: Asker, region: str, account: str) -> Iterator[FoundBudget]:
    """The budgets of an account; `region` is any of its partition."""
    for one in asker.pages("budgets", "DescribeBudgets", "Budgets", region, AccountId=account):
        yield FoundBudget(str(one["BudgetName"]), ", ".join(_says(one)))


def _says(budget: Mapping[str, Any]) -> Iterator[str]:
    limit = budget.get("BudgetLimit")
    amount = f"{limit['Amount']} {limit['Unit']}" if limit else "a planned amount"
    yield f"{amount} {str(budget.get('TimeUnit', '')).lower()}".rstrip()
    if (kind := budget.get("BudgetType")) and kind != "COST":
        yield f"of {str(kind).lower()}"
    spend = budget.get("CalculatedSpend") or {}
    if actual := spend.get("ActualSpend"):
        yield f"{actual['Amount']} {actual['Unit']} spent"
    if forecast := spend.get("ForecastedSpend"):
        yield f"{forecast['Amount']} {forecast['Unit']} forecast"
