"""Evidence and decisions are recognised by their shape, and JSON is written for people."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.journal import findings
from crosswind.journal.rendering import brief, lines

PIECE = {"source": "//a", "kind": "probe", "weight": 1, "because": "3 of 3 failed", "says": "no"}
DECISION = {
    "rule": "the cheapest",
    "chosen": "b",
    "because": "it costs least",
    "alternatives": [
        {"name": "a", "because": "dearer", "breaks": ["floor"]},
        {"name": "b", "because": "chosen"},
    ],
}


def test_evidence_is_found_wherever_it_stands() -> None:
    (piece,) = findings.evidence({"sweep": {"verdict": {"pieces": [PIECE]}}})
    assert (piece.source, piece.kind, piece.weight) == ("//a", "probe", 1.0)
    assert findings.evidence({"pieces": [PIECE, {"kind": "probe"}]}) == (), "not all have the shape"


def test_a_piece_tells_what_it_would_count_for_and_how_old_it_is() -> None:
    stored = {**PIECE, "full": 2, "age": 30.0, "against": 0.5, "workload": "chat"}
    (piece,) = findings.evidence({"pieces": [stored]})
    assert (piece.full, piece.age, piece.against, piece.about) == (2.0, 30.0, 0.5, "chat")
    (bare,) = findings.evidence({"pieces": [PIECE]})
    assert (bare.full, bare.age, bare.against, bare.about) == (None, None, 0.0, "")


def test_a_sum_is_found_beside_its_evidence() -> None:
    sums = {"about": None, "total": 1.5, "quorum": 2, "views": 1, "reached": False}
    assert findings.weighing({"pieces": [], "weighing": sums}) == findings.Weighing(
        total=1.5, quorum=2.0, reached=False, views=1
    )
    assert findings.weighing({"weighing": {"total": 1}}) is None
    assert findings.weighing({"weighing": None}) is None


def test_a_decision_says_which_way_was_chosen_and_why_others_were_not() -> None:
    (decision,) = findings.decisions([{"plan": 1, "decision": DECISION}])
    assert decision.rule == "the cheapest"
    assert [(one.name, one.chosen, one.breaks) for one in decision.alternatives] == [
        ("a", False, ("floor",)),
        ("b", True, ()),
    ]


def test_where_nothing_was_safe_nothing_is_chosen() -> None:
    (decision,) = findings.decisions({**DECISION, "chosen": None})
    assert decision.chosen is None
    assert not any(one.chosen for one in decision.alternatives)


def test_the_reason_is_read_off_the_top() -> None:
    assert findings.because({"because": "so"}) == "so"
    assert findings.because({"cause": "it", "because": ["a", "b"]}) == "a; b"
    assert findings.because({"reason": "r"}) == "r"
    assert findings.because(None) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "pieces",
                    "alternatives",
                    "chosen",
                    "kind",
                    "weight",
                    "because",
                    "name",
                    "weighing",
                    "total",
                    "quorum",
                    "reached",
                    "age",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=100)
def test_whatever_stands_in_a_journal_can_be_read_and_shown(data: Any) -> None:
    findings.evidence(data)
    findings.weighing(data)
    findings.decisions(data)
    findings.because(data)
    assert len(brief(data, 40)) <= 40
    assert all("\n" not in line and "\x1b" not in line for line in lines(data))


def test_short_values_stand_on_one_line_and_long_ones_below() -> None:
    value = {"weights": {"a": 1}, "plan": {"id": "x", "steps": [{"n": 1}]}, "why": "so it is"}
    assert list(lines(value)) == [
        "plan:",
        "  id: x",
        "  steps:",
        "    - n: 1",
        'weights: {"a": 1}',
        "why: so it is",
    ]


def test_brief_leaves_out_what_says_nothing() -> None:
    assert brief({"a": 1, "b": None, "c": [], "d": {"e": "f", "g": ""}}) == "a 1, d {e f}"
