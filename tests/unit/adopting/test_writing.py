"""The first fleet.yaml is valid, safe, and says what is a guess."""

from __future__ import annotations

from hypothesis import given, settings

from crosswind.adopting.found import Found, FoundBudget, Unread
from crosswind.adopting.mapping import draft
from crosswind.adopting.writing import write
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.load import parse_fleet
from unit.adopting.accounts import EAST, EUROPE, account, accounts, alarm, serving


def written(*things: object) -> tuple[str, Fleet]:
    found = account(*things)
    text = write(found, draft(found), said_on="2026-03-02")
    return text, parse_fleet(text)


def test_a_fleet_only_observes() -> None:
    text, fleet = written(serving())
    assert fleet.modes.default == "observe"
    assert not fleet.modes.kinds
    assert text.startswith("# A first fleet, read from aws account 123456789012 on 2026-03-02.\n")


def test_what_was_read_is_no_guess_and_what_was_not_is_one() -> None:
    text, _ = written(serving(replicas=3, most=9), serving("other", replicas=None))
    lines = [line.strip() for line in text.splitlines()]
    assert "replicas: 3" in lines
    assert "quota: 9" in lines
    assert "replicas: 1  # GUESS: what it has could not be read" in lines
    assert "quota: 1  # GUESS: nothing says how far it may grow" in lines
    assert "weight: 1" in lines
    for field in ("tier", "rate", "per_replica"):
        guesses = [line for line in lines if line.startswith(f"{field}: ")]
        assert all("# GUESS: " in line for line in guesses)


def test_a_country_that_is_not_known_is_asked_for() -> None:
    found = Found("aws", "123456789012", {"aws/xx-new-1": None}, [serving(region="aws/xx-new-1")])
    text = write(found, draft(found))
    assert "jurisdiction: ZZ  # GUESS: not known" in text
    assert parse_fleet(text).regions["aws/xx-new-1"].jurisdiction == "ZZ"


def test_hints_are_comments_that_can_be_uncommented() -> None:
    text, fleet = written(serving(), alarm("errors", "chat"), alarm("chat *"))
    assert len(fleet.alerts) == 1
    hint = next(line for line in text.splitlines() if line.startswith("  # - {match"))
    more = parse_fleet(text.replace(hint, hint.replace("# ", "", 1)))
    assert [one.match for one in more.alerts] == ["errors", "chat [*]"]


def test_an_alarm_that_repeats_its_parts_weighs_nothing() -> None:
    text, fleet = written(serving(), alarm("part", "chat"), alarm("whole", children="part"))
    assert {one.match: one.weight for one in fleet.alerts} == {"part": 1, "whole": 0}
    assert "# GUESS: it says what its parts say" in text


def test_the_end_says_what_has_no_place_and_what_was_not_read() -> None:
    text, _ = written(
        serving(),
        FoundBudget("models", "3000 USD monthly"),
        Unread("alarms", EUROPE, "these credentials may not", "cloudwatch:DescribeAlarms"),
    )
    _, _, end = text.partition("# ---- What was found and has no place above ----\n")
    assert end == (
        "# - budget models: 3000 USD monthly; a fleet declares no budget\n"
        "#\n"
        "# ---- What was not read ----\n"
        "# - alarms in aws/eu-west-1 not read: these credentials may not; it needs "
        "cloudwatch:DescribeAlarms\n"
    )


def test_a_name_cannot_declare_anything() -> None:
    name = "x\nmodes: {default: act}\n#"
    text, fleet = written(serving(), FoundBudget(name, name), alarm(name), alarm(f"{name} chat"))
    assert fleet.modes.default == "observe"
    assert "\nmodes: {default: act}" not in text


def test_an_endless_list_is_counted() -> None:
    text, _ = written(serving(), *(FoundBudget(f"b{n}", "1 USD") for n in range(600)))
    assert text.count("# - budget") == 500
    assert "# and 100 more; crosswind adopt --json lists them all" in text


def test_a_fleet_without_traffic_is_valid() -> None:
    _, fleet = written(serving(replicas=0), serving(region=EUROPE, replicas=0))
    assert fleet.workloads["chat"].rate == 0
    assert fleet.workloads["chat"].weights == {EAST: 0.5, EUROPE: 0.5}


@settings(max_examples=150)
@given(accounts)
def test_whatever_was_found_makes_a_valid_fleet(found: Found) -> None:
    made = draft(found)
    if not made.workloads:
        return
    fleet = parse_fleet(write(found, made))
    assert set(fleet.workloads) == {one.name for one in made.workloads}
    assert fleet.modes.default == "observe"
    assert [(one.match, one.workload) for one in fleet.alerts] == [
        (one.match, one.workload) for one in made.alerts
    ]
