"""A review as a document: every part of it, and nothing in it that is not meant as markup."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from crosswind.journal.review import markdown as document
from crosswind.journal.review import tables
from crosswind.journal.review.incidents import incidents
from crosswind.journal.review.markdown import markdown
from crosswind.journal.review.story import review
from crosswind.journal.review.wording import after, lasting, listed, plain
from crosswind.testing import FaultPlan, On
from unit.chains.drama import Drama
from unit.chains.fleets import EAST, fleet, placement, workload
from unit.chains.test_brakes import PROPOSE, answer

SECTIONS = [
    "## Summary",
    "## What was seen",
    "## What was decided, and why",
    "## What was done",
    "## How long each part took",
    "## What was not known",
    "## What to improve",
]
LONELY = {"chat": workload(regions={EAST: placement(1.0, 10, 10)})}


def written(drama: Drama) -> list[str]:
    found = incidents(drama.engine.ledger, ["shop"], drama.now, 30 * 86_400.0)
    told = review(drama.engine.ledger, drama.app, found[0], drama.now, found)
    return list(markdown(told))


def failed(reason: str = "r") -> Drama:
    drama = Drama(fleet(workloads=LONELY))
    drama.hear(evidence="operator", reason=reason)
    drama.pass_time(30)
    return drama


def rows(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.startswith("|")]


def test_a_review_has_all_its_parts_in_their_order() -> None:
    lines = written(failed())
    assert lines[0] == f"# {EAST} fails and is not left by all"
    assert [line for line in lines if line.startswith("## ")] == SECTIONS


def test_no_part_is_empty() -> None:
    lines = written(failed())
    for heading in SECTIONS:
        assert lines[lines.index(heading) + 2]


def test_what_observers_write_breaks_no_table_and_is_no_markup() -> None:
    hostile = "| a | <script>alert(1)</script> `x` **b** [c](https://example.com)\n# d \\"
    (row,) = [line for line in rows(written(failed(hostile))) if "operator" in line]
    assert row.count(" | ") == 4
    assert "<script" not in row
    assert "`" not in row
    assert "**" not in row.replace("\\*", "")
    assert "\\[c\\]" in row


def test_questions_and_attempts_that_failed_have_tables_of_their_own() -> None:
    drama = Drama(
        fleet(modes=PROPOSE), faults=FaultPlan(On("answer", about="endpoint.status", times=2))
    )
    drama.fail()
    drama.pass_time(60)
    answer(drama, "rejected")
    drama.pass_time(60)
    lines = written(drama)
    assert "Questions to people:" in lines
    assert any("register.accept of chat | approval is required | rejected by" in o for o in lines)
    assert "Attempts that failed:" in lines
    assert any("plan_failover | 2 time(s) | then done | TimeoutError" in one for one in lines)


def test_of_a_decision_with_very_many_ways_the_first_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drama = Drama(fleet())
    drama.cloud.most |= {"gcp/us-central1": 1, "azure/westeurope": 1}
    drama.fail()
    drama.pass_time(400)
    monkeypatch.setattr(document, "ALTERNATIVES", 1)
    text = "\n".join(written(drama))
    assert "**chosen** " in text
    assert "more: crosswind trace " in text


def test_of_very_many_rows_the_first_and_the_latest_are_shown() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    drama.fail()
    for number in range(100):
        drama.hear(vantage=f"v{number}")
    answer(drama, "rejected")
    drama.pass_time(30)
    lines = written(drama)
    assert "probe from v0 " in "\n".join(lines)
    assert "probe from v99 " in "\n".join(lines)
    assert any(f"… {102 - tables.ROWS} more, with --json" in line for line in lines)


def test_long_words_are_cut() -> None:
    lines = written(failed("x" * 1_900))
    assert max(len(line) for line in rows(lines)) < 1_000


def test_who_was_done_with_last_is_told_in_full_and_the_others_beside_it() -> None:
    drama = Drama(fleet(modes=PROPOSE, workloads={"chat": workload(), "search": workload()}))
    drama.fail()
    drama.pass_time(60)
    answer(drama, "rejected")
    drama.pass_time(60)
    lines = written(drama)
    assert any(line.startswith("| workload | ") for line in lines)
    assert any(line.startswith("| total | ") for line in lines)


def test_a_review_of_which_the_journal_holds_nothing_any_more_says_so() -> None:
    drama = failed()
    drama.store.purge(drama.now + 40 * 86_400)
    text = "\n".join(written(drama))
    assert "No longer in the journal" in text
    assert "The journal holds nothing of its chains any more. It was told: " in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ms"),
        (0.35, "350 ms"),
        (0.9999, "1.0 s"),
        (4.24, "4.2 s"),
        (9.97, "10 s"),
        (59.6, "1 min"),
        (72.0, "1 min 12 s"),
        (3_599.7, "1 h"),
        (7_500.0, "2 h 5 min"),
        (86_399.0, "1 d"),
        (273_600.0, "3 d 4 h"),
        (-72.0, "-1 min 12 s"),
    ],
)
def test_a_duration_has_one_unit_or_two(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


def test_a_time_is_that_of_the_day_and_how_long_after_the_first() -> None:
    assert after(1_800_000_072.0, 1_800_000_000.0) == "08:01:12 (+1 min 12 s)"
    assert after(1_800_000_000.2, 1_800_000_000.0) == "08:00:00 (+0 s)"


def test_names_are_short_where_all_of_them_are_alike() -> None:
    assert plain("dev.crosswind.failover.planned.v1") == "failover.planned"
    assert plain("com.example.asked.v1") == "com.example.asked.v1"
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
