"""What the demonstration shows of the world: shares of traffic, failures, orders carried out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from crosswind.world.answers import Answer, error_rates

WIDTH = 30


def shares(title: str, seen: Sequence[Answer], seconds: float) -> Table:
    """Which region served how much of the traffic in the last seconds."""
    table = Table(title=title, title_justify="left", title_style="", box=None, show_header=False)
    end = max(answer.at for answer in seen)
    recent = [answer for answer in seen if answer.at > end - seconds]
    counted = Counter(answer.region or "nobody" for answer in recent)
    for region, count in sorted(counted.items()):
        share = count / len(recent)
        table.add_row(f"  {region}", f"{share:4.0%}", "█" * round(share * WIDTH))
    return table


def errors(title: str, seen: Sequence[Answer], failed_at: float) -> Table:
    """The share of failed requests in each second from just before the failure."""
    table = Table(title=title, title_justify="left", title_style="", box=None, show_header=False)
    for bucket in error_rates(seen):
        second = bucket.start - failed_at
        if second >= -2:
            bar = "█" * round(bucket.error_rate * WIDTH)
            table.add_row(f"  {second:+6.1f} s", f"{bucket.error_rate:4.0%}", f"[red]{bar}[/]")
    return table


def orders(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Every order that a process was given: its epoch, its key and what became of it."""
    table = Table(box=None, header_style="dim")
    for name in ("", "at", "order", "epoch", "key", "effect"):
        table.add_column(name)
    for name, given in logs.items():
        for order in given:
            if order["epoch"] == 0:
                continue
            subject = order["detail"].get("subject", "")
            what = f"{order['call']} {subject}"
            table.add_row("", name, what, str(order["epoch"]), order["key"][:8], order["effect"])
    return table


def repeated_effects(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Keys that took effect more than once, in any process."""
    applied = Counter(
        order["key"] for given in logs.values() for order in given if order["effect"] == "applied"
    )
    return [key for key, times in applied.items() if times > 1]
