"""What of an account is a workload, and which alarms are about it."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.adopting.alerting import escaped
from crosswind.adopting.drafts import Draft
from crosswind.adopting.found import Found, FoundBudget, FoundRotation
from crosswind.adopting.mapping import draft, workload_name
from unit.adopting.accounts import EAST, EUROPE, account, accounts, alarm, serving, share


def drafted(*things: object) -> Draft:
    return draft(account(*things))


def test_one_name_in_several_regions_is_one_workload() -> None:
    made = drafted(serving(replicas=3), serving(region=EUROPE, replicas=1))
    (chat,) = made.workloads
    assert chat.name == "chat"
    assert {region: one.weight for region, one in chat.regions.items()} == {
        EAST: 0.75,
        EUROPE: 0.25,
    }
    assert chat.rate == 4
    assert "weight" in chat.regions[EAST].guesses


def test_a_region_in_a_name_is_no_part_of_it() -> None:
    made = drafted(serving("chat-us-east-1"), serving("chat-eu-west-1", EUROPE))
    assert [one.name for one in made.workloads] == ["chat"]


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("Chat_API", "chat_api"),
        ("us-east-1-chat", "chat"),
        ("useast1-chat", "chat"),
        ("chat..v2--blue", "chat.v2-blue"),
        ("us-east-10", "us-east-10"),
        ("us-east-1", "workload"),
        ("Ünïcode", "n-code"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_name_becomes_one_that_a_fleet_may_have(name: str, becomes: str) -> None:
    assert workload_name(name, ["us-east-1"]) == becomes


def test_two_of_one_name_in_a_region_are_told_apart() -> None:
    made = drafted(serving(within="blue"), serving(within="green"), serving(region=EUROPE))
    names = {one.name: set(one.regions) for one in made.workloads}
    assert names == {"blue.chat": {EAST}, "green.chat": {EAST}, "endpoint.chat": {EUROPE}}


def test_records_that_lead_to_a_workload_give_its_shares() -> None:
    made = drafted(serving(), serving(region=EUROPE), share(EAST, 90), share(EUROPE, 30))
    (chat,) = made.workloads
    assert {region: one.weight for region, one in chat.regions.items()} == {
        EAST: 0.75,
        EUROPE: 0.25,
    }
    assert chat.shared_by == "chat.example.com A"
    assert not any("weight" in one.guesses for one in chat.regions.values())
    # Two replicas at three quarters of the traffic: more would break the floor.
    assert chat.rate == 2.666
    assert made.left == []


def test_a_region_without_a_record_is_a_standby() -> None:
    (chat,) = drafted(serving(), serving(region=EUROPE), share(EAST, 1)).workloads
    assert chat.regions[EUROPE].weight == 0


def test_records_that_lead_elsewhere_too_give_no_shares() -> None:
    made = drafted(serving(), share(EAST, 1), share(EAST, 1, to="other"))
    assert made.workloads[0].shared_by == ""
    (left,) = made.left
    assert left.what == "weighted records"
    assert "not all of them lead to one workload" in left.why


def test_names_that_disagree_are_noted_and_replicas_count() -> None:
    made = drafted(
        serving(),
        serving(region=EUROPE),
        share(EAST, 1),
        share(EAST, 1, "b"),
        share(EUROPE, 1, "b"),
    )
    (chat,) = made.workloads
    assert chat.regions[EAST].weight == 0.5
    assert any("several names lead to it" in note for note in chat.notes)


def test_an_alarm_is_about_what_it_watches() -> None:
    made = drafted(serving(), alarm("errors", "chat"), alarm("errors", "chat", EUROPE))
    (one,) = made.alerts
    assert (one.match, one.workload) == ("errors", "chat")


def test_a_name_alone_is_only_a_hint() -> None:
    made = drafted(serving("chat"), serving("chat-batch"), alarm("prod chat-batch errors"))
    assert made.alerts == []
    assert [(one.match, one.workload) for one in made.hints] == [
        ("prod chat-batch errors", "chat-batch")
    ]


def test_a_part_of_a_word_is_no_hint() -> None:
    made = drafted(serving("chat"), alarm("chatter"))
    assert made.hints == []
    assert "watches nothing of a workload" in made.left[0].why


def test_an_alarm_about_two_workloads_is_about_neither() -> None:
    made = drafted(
        serving("a"), serving("b"), alarm("x", "a"), alarm("y", "b"), alarm("all", children="x y")
    )
    assert [one.match for one in made.alerts] == ["x", "y"]
    assert "several workloads (a, b)" in made.left[0].why


def test_an_alarm_made_of_others_weighs_nothing_beside_them() -> None:
    made = drafted(serving(), alarm("x", "chat"), alarm("all", children="x"))
    assert {one.match: one.repeats for one in made.alerts} == {"x": False, "all": True}


def test_an_alarm_made_of_what_is_no_evidence_speaks_for_it() -> None:
    made = drafted(serving(), alarm("x", "chat", why_not="a band"), alarm("all", children="x"))
    assert {one.match: one.repeats for one in made.alerts} == {"all": False}


def test_alarms_that_are_made_of_each_other_end() -> None:
    made = drafted(serving(), alarm("a", children="b"), alarm("b", children="a"))
    assert made.alerts == []


def test_what_a_load_balancer_leads_to_twice_owns_none_of_its_alarms() -> None:
    one, two = serving("a"), serving("b")
    made = drafted(
        one,
        type(two)("b", EAST, "endpoint", 1, marks=one.marks),
        alarm("hosts", "a"),
    )
    assert made.alerts == []


def test_budgets_and_rotations_have_no_place_yet() -> None:
    made = drafted(
        FoundBudget("models", "3000 USD monthly"),
        FoundRotation("key", "alias/models", EAST, "automatic rotation is off", renewed=False),
    )
    assert [str(one) for one in made.left] == [
        "budget models: 3000 USD monthly; a fleet declares no budget",
        f"key alias/models ({EAST}): automatic rotation is off; a fleet declares no rotation, "
        "and nothing renews this one",
    ]


def test_what_a_fleet_cannot_hold_is_named() -> None:
    made = drafted(*(serving(f"w{number}") for number in range(2001)))
    assert len(made.workloads) == 2000
    assert "a fleet holds 2,000 workloads" in made.left[0].why

    made = drafted(*(serving(region=f"aws/us-east-{number}") for number in range(65)))
    assert "a fleet holds 64 regions" in made.left[0].why

    made = drafted(serving(), *(alarm(f"a{number:04}", "chat") for number in range(1001)))
    assert len(made.alerts) == 1000
    assert [one.name for one in made.left] == [f"a1000 ({EAST})"]
    assert "a fleet maps 1,000 alarms" in made.left[0].why


def test_three_of_one_name_in_one_place_are_numbered() -> None:
    made = drafted(*(serving(within="x", most=number) for number in (1, 2, 3)))
    assert [one.name for one in made.workloads] == ["x.chat", "x.chat-2", "x.chat-3"]


def test_only_names_the_workloads_that_are_declared() -> None:
    made = draft(account(serving("chat"), serving("web")), ["ch*"])
    assert [one.name for one in made.workloads] == ["chat"]
    assert [str(one) for one in made.left] == [f"endpoint web ({EAST}): left out by --only"]


def test_a_name_that_no_pattern_can_hold_is_told() -> None:
    made = drafted(serving(), alarm("[" * 100, "chat"), alarm("a\tb", "chat"))
    assert {one.why for one in made.left} == {"its name cannot be written as a pattern"}


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_escaped_name_fits_itself_alone(name: str, other: str) -> None:
    assert fnmatchcase(name, escaped(name))
    assert fnmatchcase(other, escaped(name)) == (other == name)


@settings(max_examples=150)
@given(accounts)
def test_nothing_that_was_found_is_left_out_silently(found: Found) -> None:
    made = draft(found)
    left = Counter(one.what for one in made.left)
    placed = sum(len(one.regions) for one in made.workloads)
    assert placed + left["endpoint"] == len(found.serving)
    told = {one.name.partition(" (")[0] for one in made.left if one.what == "alarm"}
    mapped = {one.match for one in made.alerts} | {one.match for one in made.hints}
    for one in found.alarms:
        name = one.name
        assert escaped(name) in mapped or any(name.startswith(part) for part in told)
    assert left["budget"] == len(found.budgets)
    assert left["key"] == len(found.rotations)
    led = {one.shared_by for one in made.workloads}
    for name in {one.name for one in found.shares}:
        assert any(name in one for one in led) or any(
            one.name == name for one in made.left if one.what == "weighted records"
        )
