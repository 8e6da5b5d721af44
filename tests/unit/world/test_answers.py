"""Reading what callers got: error rates, shares, percentiles and the time of an outage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.world.answers import (
    Answer,
    Bucket,
    Disruption,
    disruption,
    error_rates,
    read,
    recovery_time,
    shares,
    since,
    traffic,
    windows,
)

EAST, CENTRAL = "aws/us-east-1", "gcp/us-central1"


def story(outcomes: str, every: float = 0.125, begin: float = 1000.0) -> list[Answer]:
    """Answers at even distances: `.` is a good one, `x` a failed one."""
    return [
        Answer(begin + index * every, 200 if outcome == "." else 502, EAST, 10.0)
        for index, outcome in enumerate(outcomes)
    ]


def write(path: Path, answers: list[Answer]) -> None:
    path.write_text("".join(json.dumps(answer._asdict()) + "\n" for answer in answers))


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    answers = [Answer(1.5, 200, EAST, 3.25), Answer(1.25, 0, None, 5000.0)]
    write(tmp_path / "answers.jsonl", answers)
    assert list(read(tmp_path / "answers.jsonl")) == answers


def test_a_last_line_still_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    write(path, story(".."))
    with path.open("a") as file:
        file.write('{"at":1')
    assert len(list(read(path))) == 2


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"at":1}', "3"])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "answers.jsonl"
    write(path, story("."))
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="line 2 is not an answer"):
        list(read(path))


@pytest.mark.parametrize(
    ("status", "good"), [(200, True), (204, True), (0, False), (404, False), (502, False)]
)
def test_an_answer_is_good_when_the_caller_got_what_it_asked_for(status: int, good: bool) -> None:
    assert Answer(0.0, status, None, 1.0).good is good


def test_error_rates_count_by_the_second_in_which_requests_were_due() -> None:
    rates = error_rates(story("....x xx..".replace(" ", "x"), every=0.25))
    assert rates == [Bucket(1000.0, 4, 0), Bucket(1001.0, 4, 4), Bucket(1002.0, 2, 0)]
    assert [bucket.error_rate for bucket in rates] == [0.0, 1.0, 0.0]


def test_seconds_without_requests_are_left_out_of_the_error_rates() -> None:
    rates = error_rates([*story(".", begin=10.0), *story("x", begin=15.0)])
    assert [bucket.start for bucket in rates] == [10.0, 15.0]


def test_shares_follow_the_traffic_from_region_to_region() -> None:
    answers = [
        Answer(10.0, 200, EAST, 1.0),
        Answer(10.5, 502, EAST, 1.0),
        Answer(11.0, 200, EAST, 1.0),
        Answer(11.5, 200, CENTRAL, 1.0),
        Answer(12.0, 200, CENTRAL, 1.0),
        Answer(12.5, 0, None, 1.0),
    ]
    assert shares(answers) == [
        (10.0, {EAST: 1.0}),
        (11.0, {EAST: 0.5, CENTRAL: 0.5}),
        (12.0, {CENTRAL: 0.5, None: 0.5}),
    ]


def test_traffic_counts_by_region_and_takes_latency_of_good_answers_only() -> None:
    good = [Answer(float(ms), 200, EAST, float(ms)) for ms in range(1, 101)]
    bad = [Answer(0.0, 502, EAST, 9999.0), Answer(0.0, 504, CENTRAL, 1000.0)]
    seen = traffic([*reversed(good), *bad, Answer(0.0, 0, None, 1.0)])
    assert set(seen) == {EAST, CENTRAL}
    assert seen[EAST] == (101, 1, 50.0, 95.0, None)
    assert seen[CENTRAL] == (1, 1, None, None, None)


def test_slow_are_the_good_answers_that_took_longer_than_was_asked_for() -> None:
    good = [Answer(0.0, 200, EAST, float(ms)) for ms in range(1, 101)]
    seen = traffic([*good, Answer(0.0, 502, EAST, 9999.0)], slower_than=90.0)
    assert seen[EAST].slow == 10


def test_several_windows_are_told_in_the_order_in_which_they_are_asked_for() -> None:
    ages = [(5.0, 200), (15.0, 502), (25.0, 200), (3599.0, 502), (3601.0, 502)]
    answers = [Answer(10_000.0 - age, code, EAST, 100.0) for age, code in ages]
    hour, minute, short = windows(answers, 10_000.0, [3600.0, 60.0, 10.0], slower_than=50.0)
    assert hour[EAST] == (4, 2, None, None, 2)
    assert minute[EAST] == (3, 1, None, None, 2)
    assert short[EAST] == (1, 0, None, None, 1)
    assert windows(answers, 10_000.0, []) == []


@given(
    st.lists(
        st.builds(
            Answer,
            st.floats(0, 100),
            st.sampled_from([200, 502]),
            st.sampled_from([EAST, CENTRAL, None]),
            st.floats(0, 1000),
        ),
        max_size=40,
    ),
    st.lists(st.floats(0.5, 120), min_size=1, max_size=4),
)
def test_a_window_counts_what_reading_it_alone_would_count(
    answers: list[Answer], seconds: list[float]
) -> None:
    for length, seen in zip(seconds, windows(answers, 100.0, seconds, 500.0), strict=True):
        alone = traffic([a for a in answers if 100.0 - a.at <= length], 500.0)
        assert seen == {region: its._replace(p50=None, p95=None) for region, its in alone.items()}


def test_looking_back_ends_where_nothing_newer_can_follow() -> None:
    looked: list[float] = []

    class Looked(list[Answer]):
        def __reversed__(self) -> Iterator[Answer]:
            for answer in super().__reversed__():
                looked.append(answer.at)
                yield answer

    answers = Looked(Answer(float(at), 200, EAST, 1.0) for at in (1, 2, 7, 6, 9, 8, 10))
    assert [answer.at for answer in since(answers, 7.0, disorder=1.5)] == [10, 8, 9, 7]
    assert looked == [10, 8, 9, 6, 7, 2]


def test_without_a_failure_there_is_no_disruption() -> None:
    assert disruption(story("....."), threshold=0.01, window=0.2) == Disruption(None, None, 0)
    assert recovery_time(story("....."), threshold=0.01, window=0.2) == 0.0
    assert recovery_time([], threshold=0.01, window=0.2) == 0.0


def test_a_disruption_lasts_from_the_first_failure_to_the_first_steady_answer() -> None:
    answers = story("...xx.x.xx" + "." * 20)
    assert disruption(answers, threshold=0.01, window=1.0) == Disruption(1000.375, 1001.25, 5)
    assert recovery_time(answers, threshold=0.01, window=1.0) == 0.875


def test_it_has_not_ended_while_the_window_is_not_over() -> None:
    answers = story("..xx" + "." * 9)
    assert disruption(answers, threshold=0.01, window=1.125).ended is None
    assert recovery_time(answers, threshold=0.01, window=1.125) is None
    assert recovery_time(answers, threshold=0.01, window=1.0) == 0.25


def test_it_has_not_ended_when_failures_go_on_to_the_end() -> None:
    found = disruption(story("..x.x.xx"), threshold=0.01, window=0.375)
    assert found == Disruption(1000.25, None, 4)


def test_a_failure_below_the_threshold_does_not_prolong_it() -> None:
    answers = story("xx" + "." * 16 + "x" + "." * 16)
    assert recovery_time(answers, threshold=0.1, window=4.0) == 0.25
    assert recovery_time(answers, threshold=0.01, window=2.0) == 0.25
    assert recovery_time(answers, threshold=0.01, window=2.125) is None


def test_answers_count_when_they_were_due_and_not_when_they_came() -> None:
    answers = story("...xxx" + "." * 20)
    late_first = [*answers[10:], *answers[:10]]
    assert disruption(late_first, 0.01, 1.0) == disruption(answers, 0.01, 1.0)


@pytest.mark.parametrize(("threshold", "window"), [(0.0, 1.0), (1.5, 1.0), (0.1, 0.0)])
def test_thresholds_and_windows_without_a_meaning_are_refused(
    threshold: float, window: float
) -> None:
    with pytest.raises(ValueError, match="must"):
        disruption(story("."), threshold, window)


def slow_end(answers: list[Answer], threshold: float, window: float) -> float | None:
    """The rule of `disruption`, tried at every good answer after the first failure."""
    began = next((i for i, a in enumerate(answers) if not a.good), len(answers))
    for start in range(began + 1, len(answers)):
        end = answers[start].at + window
        if not answers[start].good or answers[-1].at < end:
            continue
        within = [a for a in answers[start:] if a.at < end]
        if all(
            sum(not a.good for a in within[:n]) < threshold * n for n in range(1, len(within) + 1)
        ):
            return answers[start].at
    return None


@given(
    st.text(alphabet=".x", max_size=60),
    st.sampled_from([0.01, 0.1, 0.3, 1.0]),
    st.sampled_from([0.125, 0.5, 1.0, 3.0]),
)
def test_the_end_is_the_same_as_by_trying_every_answer(
    outcomes: str, threshold: float, window: float
) -> None:
    answers = story(outcomes)
    assert disruption(answers, threshold, window).ended == slow_end(answers, threshold, window)
