"""Freeze windows: when they stand, and what they hold back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from crosswind.fleet.declaration import FreezeWindow
from unit.fleet.fleets import fleet, workload

YEAR_END = {"name": "year-end", "begins": "2026-12-18T18:00:00Z", "ends": "2027-01-04T08:00:00Z"}
WEEKEND = {"name": "weekend", "cron": "0 18 * * FRI", "lasts": "62h", "tz": "Europe/Berlin"}


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def window(**changes: Any) -> FreezeWindow:
    return FreezeWindow.model_validate(YEAR_END | changes)


def test_a_single_window_stands_from_its_beginning_to_just_before_its_end() -> None:
    ends = at("2027-01-04T08:00:00Z")
    assert window().stands(at("2026-12-18T17:59:59Z")) is None
    assert window().stands(at("2026-12-18T18:00:00Z")) == ends
    assert window().stands(ends - 1) == ends
    assert window().stands(ends) is None


def test_a_window_that_comes_again_stands_after_each_of_its_times() -> None:
    weekend = FreezeWindow.model_validate(WEEKEND)
    for friday in ("2026-07-03T18:00:00+02:00", "2026-12-04T18:00:00+01:00"):
        begins = at(friday)
        assert weekend.stands(begins - 1) is None
        assert weekend.stands(begins) == begins + 62 * 3600
        assert weekend.stands(begins + 62 * 3600) is None


def test_the_offset_of_a_moment_counts() -> None:
    assert window(begins="2026-12-18T19:00:00+01:00").begins == window().begins


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ends": "2026-12-18T18:00:00Z"}, "before it begins; write a later `ends`"),
        ({"ends": None}, "is no window; write `begins` and `ends`"),
        ({"cron": "0 18 * * FRI", "lasts": "1h"}, "is no window"),
        ({"begins": None, "ends": None, "cron": "0 18 * * FRI"}, "is no window"),
        ({"begins": None, "ends": None, "lasts": "1h"}, "is no window"),
        ({"begins": None, "ends": None}, "is no window"),
        ({"begins": "2026-12-18"}, "is no moment; write it with its offset"),
        ({"begins": "2026-12-18T18:00:00"}, "is no moment"),
        ({"begins": 1_800_000_000}, "is no moment"),
        ({"begins": "2026-02-30T18:00:00Z"}, "is a day or time that does not exist"),
        ({"begins": "0001-01-01T00:00:00+14:00"}, "is a day or time that does not exist"),
        ({"tz": "Europe/Bonn"}, "is not a time zone that is known here"),
        ({"tz": "../etc/passwd"}, "is not a time zone that is known here"),
        ({"cron": "never"}, "is not a cron line"),
        ({"workloads": []}, "at least 1 item"),
    ],
)
def test_what_is_no_window_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        window(**changes)
    assert reason in str(caught.value)


def test_a_window_holds_back_what_its_globs_admit() -> None:
    some = window(workloads=["chat-*", "search"], kinds=["traffic.*", "register.accept"])
    assert some.covers("chat-eu", "traffic.set-weights")
    assert some.covers("search", "register.accept")
    assert not some.covers("search", "register.mark")
    assert not some.covers("chat", "traffic.set-weights")


def test_an_action_on_the_whole_fleet_is_held_back_where_all_workloads_are() -> None:
    assert window().covers(None, "register.mark")
    assert not window(workloads=["chat-*"]).covers(None, "register.mark")


def test_of_several_windows_the_one_that_stands_longest_is_told() -> None:
    longer = YEAR_END | {"name": "audit", "ends": "2027-02-01T00:00:00Z", "because": "auditors"}
    declared = fleet(freezes=[YEAR_END, longer])
    standing = declared.frozen("chat", "traffic.set-weights", at("2026-12-24T18:00:00Z"))
    assert str(standing) == "freeze audit until 2027-02-01 00:00 UTC: auditors"
    assert declared.frozen("chat", "traffic.set-weights", at("2027-02-02T00:00:00Z")) is None


def test_no_window_no_freeze() -> None:
    assert fleet().frozen("chat", "traffic.set-weights", 0.0) is None


def test_utc_needs_no_database_of_time_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zoneinfo", None)
    midnight = FreezeWindow.model_validate(
        {"name": "nights", "cron": "0 0 * * *", "lasts": "6h", "tz": "UTC"}
    )
    assert midnight.stands(datetime(2026, 5, 4, 5, 59, tzinfo=UTC).timestamp()) is not None
    assert midnight.stands(datetime(2026, 5, 4, 6, 0, tzinfo=UTC).timestamp()) is None


def test_a_window_comes_back_from_its_json() -> None:
    declared = fleet(freezes=[YEAR_END, WEEKEND], workloads={"chat": workload()})
    assert type(declared).model_validate_json(declared.model_dump_json()) == declared
