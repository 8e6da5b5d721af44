"""How long each part took: the time of a chain, without a gap, and nothing counted twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.journal.review.facts import Asked, ChainFacts, Moment, Outage, Phase, Seen
from crosswind.journal.review.phases import Way, ways

BEGAN = 1_000.0


def seen(at: float) -> Seen:
    return Seen(
        chain="c",
        at=at,
        heard=at,
        event="e",
        says="unhealthy",
        kind="probe",
        source="//probes.example.com",
        region="aws/us-east-1",
        vantage="",
        workload="",
        alarm="",
        reason="r",
    )


def asked(at: float, answered: float | None, workload: str = "chat") -> Asked:
    outcome = "granted" if answered else "waiting"
    return Asked(
        "c", "register.accept", workload, "approval is required", at, answered, outcome, "", ""
    )


def chain(
    *moments: tuple[float, Phase, str], closed: float | None = 100.0, **more: Any
) -> ChainFacts:
    """A chain whose first evidence was given at 0, with times since then."""
    return ChainFacts(
        "c",
        BEGAN,
        closed=None if closed is None else BEGAN + closed,
        seen=[seen(BEGAN)],
        moments=[Moment(BEGAN + at, phase, workload) for at, phase, workload in moments],
        **more,
    )


def parts(way: Way) -> dict[str, float]:
    return {part.phase: part.seconds for part in way.parts}


USUAL: tuple[tuple[float, Phase, str], ...] = (
    (10.0, "planning", ""),
    (10.0, "planning", "chat"),
    (15.0, "capacity", "chat"),
    (40.0, "shift", "chat"),
    (95.0, "conclusion", "chat"),
)


def test_each_part_lasts_until_the_next_begins() -> None:
    (way,) = ways(chain(*USUAL), BEGAN + 500)
    assert parts(way) == {
        "confirmation": 10.0,
        "planning": 5.0,
        "capacity": 25.0,
        "shift": 55.0,
        "conclusion": 5.0,
    }
    assert way.seconds == 100.0
    assert way.share("shift") == 0.55


def test_the_time_for_which_a_person_was_asked_is_no_planning() -> None:
    facts = chain(*USUAL, asked=[asked(BEGAN + 11, BEGAN + 14)])
    (way,) = ways(facts, BEGAN + 500)
    assert way.took("planning") == 2.0
    assert way.took("approval") == 3.0


def test_two_questions_at_the_same_time_are_not_counted_twice() -> None:
    facts = chain(*USUAL, asked=[asked(BEGAN + 41, BEGAN + 50), asked(BEGAN + 45, BEGAN + 60)])
    (way,) = ways(facts, BEGAN + 500)
    assert way.took("approval") == 19.0
    assert way.took("shift") == 55.0 - 19.0


def test_what_was_asked_about_another_workload_is_not_this_one_s_time() -> None:
    facts = chain(*USUAL, asked=[asked(BEGAN + 11, BEGAN + 14, "search")])
    (way,) = ways(facts, BEGAN + 500)
    assert way.took("approval") == 0.0


def test_a_second_attempt_adds_to_the_parts_of_the_first() -> None:
    facts = chain(
        (10.0, "planning", "chat"),
        (20.0, "capacity", "chat"),
        (50.0, "planning", "chat"),
        (60.0, "capacity", "chat"),
        (70.0, "shift", "chat"),
        (100.0, "conclusion", "chat"),
    )
    (way,) = ways(facts, BEGAN + 500)
    assert way.took("planning") == 20.0
    assert way.took("capacity") == 40.0


def test_detection_is_from_the_first_failure_that_callers_saw() -> None:
    facts = chain(*USUAL, outages={"chat": Outage("chat", BEGAN - 20, BEGAN + 90)})
    (way,) = ways(facts, BEGAN + 500)
    assert way.took("detection") == 20.0
    assert way.seconds == 120.0
    assert way.outage is not None
    assert way.outage.seconds == 110.0


def test_an_outage_after_the_first_evidence_is_no_detection() -> None:
    facts = chain(*USUAL, outages={"chat": Outage("chat", BEGAN + 5, None)})
    (way,) = ways(facts, BEGAN + 500)
    assert way.took("detection") == 0.0
    assert way.outage is not None
    assert way.outage.seconds is None


def test_the_workload_that_was_done_with_last_comes_first() -> None:
    facts = chain(
        *USUAL,
        (10.0, "planning", "search"),
        (99.0, "conclusion", "search"),
        (10.0, "planning", "mail"),
        (30.0, "conclusion", "mail"),
    )
    assert [way.workload for way in ways(facts, BEGAN + 500)] == ["search", "chat", "mail"]


def test_a_chain_that_is_open_has_taken_time_until_now() -> None:
    (way,) = ways(chain(*USUAL[:3], closed=None), BEGAN + 35)
    assert way.seconds == 35.0
    assert way.took("capacity") == 20.0


def test_a_chain_in_which_nothing_was_confirmed_has_one_part() -> None:
    (way,) = ways(chain(), BEGAN + 500)
    assert parts(way) == {"confirmation": 100.0}
    assert way.workload == ""


def test_a_way_back_soaks_first() -> None:
    facts = chain((5.0, "soak", ""), (65.0, "planning", "chat"), (70.0, "shift", "chat"))
    (way,) = ways(facts, BEGAN + 500)
    assert way.took("soak") == 60.0


PHASES: list[Phase] = ["planning", "capacity", "shift", "conclusion", "soak"]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 200), st.sampled_from(PHASES), st.sampled_from(["", "chat", "mail"])
        ),
        max_size=12,
    ),
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 200)), max_size=5),
    st.floats(0, 200),
)
def test_the_parts_of_a_way_add_up_to_its_time_whatever_happened(
    moments: list[tuple[float, Phase, str]], questions: list[tuple[float, float]], closed: float
) -> None:
    facts = chain(
        *moments,
        closed=closed,
        asked=[asked(BEGAN + at, BEGAN + at + wait) for at, wait in questions],
    )
    for way in ways(facts, BEGAN + 500):
        assert sum(part.seconds for part in way.parts) == pytest.approx(way.seconds, abs=1e-6)
        assert all(part.seconds > 0 for part in way.parts)
        assert sum(part.share for part in way.parts) == pytest.approx(float(way.seconds > 0))
