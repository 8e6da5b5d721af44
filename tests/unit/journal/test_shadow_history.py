"""Past signals are read line by line: each is accounted for, and a bad one spoils nothing."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from crosswind.journal.shadow import history
from crosswind.journal.shadow.history import Cloud, History, HistoryTooLong, read_history
from crosswind.signals import Translated
from crosswind_events import CATALOGUE, Codec
from unit.journal.month import (
    BEGAN,
    CENTRAL,
    EAST,
    EASTUS2,
    REGIONS,
    alarm,
    month,
    noise,
    notice,
    probe,
    rfc3339,
    written,
)

CODEC = Codec(CATALOGUE)


def translate(cloud: Cloud, payload: Any, attributes: Mapping[str, str]) -> Sequence[Translated]:
    found: Sequence[Translated] = importlib.import_module(
        f"crosswind_{cloud}.signals"
    ).translate_each(payload, attributes)
    return found


def read(body: bytes, **how: Any) -> History:
    return read_history(io.BytesIO(body), CODEC, translate, ahead=5.0, **how)


def refused(*lines: Any) -> list[tuple[int, str]]:
    body = b"".join(
        (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines
    )
    return [(one.line, one.problem) for one in read(body).refused]


@pytest.mark.parametrize("region", REGIONS)
def test_a_notification_of_each_cloud_is_read_with_the_time_at_which_it_arrived(
    region: str,
) -> None:
    fires = alarm(region, "chat-5xx", BEGAN + 60, True, BEGAN + 60)
    told = notice(region, BEGAN + 120, True, BEGAN + 120)
    found = read(written([fires, told]))
    assert [arrival.events[0].data.region for arrival in found.arrivals] == [region, region]
    assert [arrival.events[0].data.evidence for arrival in found.arrivals] == ["alarm", "provider"]
    assert [arrival.at - BEGAN for arrival in found.arrivals] == [62.0, 125.0]


def test_a_neutral_event_has_the_time_of_its_line_or_its_own() -> None:
    line = probe(EAST, "us", BEGAN, well=False)
    found = read(written([line, {**line["event"], "id": "2"}]))
    assert [arrival.at - BEGAN for arrival in found.arrivals] == [0.0, 1.0]


def test_arrivals_are_in_the_order_of_time_whatever_that_of_the_lines() -> None:
    lines = [probe(EAST, "us", BEGAN + at, well=False) for at in (30, 10, 20)]
    assert [arrival.line for arrival in read(written(lines)).arrivals] == [2, 3, 1]


def test_envelopes_and_attributes_are_read_as_they_arrive() -> None:
    from unit.journal.month import sample

    push = sample("gcp", "incident-open-push")
    sns = sample("aws", "alarm-sns-sqs")
    found = read(
        written(
            [
                {"time": "2026-04-01T00:00:00Z", "cloud": "gcp", "payload": push},
                {"time": "2026-04-01T00:00:00Z", "cloud": "aws", "payload": json.dumps(sns)},
                {
                    "time": "2026-04-01T00:00:00Z",
                    "cloud": "azure",
                    "payload": sample("azure", "metric-fired"),
                    "attributes": {"content-type": "application/json"},
                },
            ]
        )
    )
    assert {arrival.events[0].data.region for arrival in found.arrivals} == {
        CENTRAL,
        EAST,
        EASTUS2,
    }
    assert not found.unread


def test_what_says_nothing_of_a_region_is_counted_by_its_reason() -> None:
    lines = [noise("aws", "health-scheduled-change", BEGAN + 9 * 86_400, n) for n in range(3)]
    found = read(written(lines))
    assert found.ignored == {"aws: is of category scheduledChange, not an issue": 3}
    assert found.lines == 3
    assert not found.arrivals


def test_an_event_that_comes_twice_counts_once() -> None:
    line = alarm(EAST, "chat-5xx", BEGAN, True, BEGAN)
    found = read(written([line, line]))
    assert (found.events, found.repeated) == (1, 1)


def test_a_bad_line_is_refused_with_its_number_and_spoils_no_other() -> None:
    good = written([probe(EAST, "us", BEGAN, well=False)])
    found = read(good + b"{nonsense\n" + good.replace(b"east-1-us", b"east-1-eu"))
    assert [one.line for one in found.refused] == [2]
    assert "is not JSON" in found.refused[0].problem
    assert found.events == 2
    assert found.lines == 3


def test_blank_lines_are_no_lines_and_keep_the_numbers() -> None:
    found = read(b"\n  \n[]\n\n")
    assert found.lines == 1
    assert [one.line for one in found.refused] == [3]


def test_every_fault_of_a_line_is_named_at_once() -> None:
    ((number, problem),) = refused({"cloud": "oracle", "payload": 7, "tme": 1, "attributes": [1]})
    assert number == 1
    for words in (
        "fields that are not known here (tme)",
        "has no time",
        "cloud is 'oracle'; write one of aws, gcp, azure",
        "payload must be an object, a list or a text",
        "attributes must be texts by name",
    ):
        assert words in problem, words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"7", "is no JSON object; write time, cloud and payload"),
        (b'{"time": "2026-03-01", "event": {}}', "time must be a time"),
        (b'{"time": "2026-03-01T00:00:00Z", "event": []}', "event must be an object"),
        (b'{"time": "2026-03-01T00:00:00Z", "event": {"specversion": "1.0"}}', "id"),
        (b'{"specversion": "1.0"}', "source"),
        (b'{"time": "2026-03-01T00:00:00Z", "cloud": "aws", "payload": "{"}', "is not JSON"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_each_kind_of_bad_line_says_what_is_wrong(line: bytes, words: str) -> None:
    ((_, problem),) = refused(line)
    assert words in problem


def test_what_would_have_happened_after_it_arrived_is_refused() -> None:
    line = alarm(EAST, "chat-5xx", BEGAN + 3_600, True, BEGAN) | {"time": rfc3339(BEGAN)}
    ((_, problem),) = refused(line)
    assert problem == "what it says happened 3600 s after it arrived; correct its time"


def test_in_a_batch_only_the_bad_record_is_refused() -> None:
    from unit.journal.month import sample

    mixed = sample("aws", "sqs-lambda-mixed")
    found = read(written([{"time": "2026-04-01T00:00:00Z", "cloud": "aws", "payload": mixed}]))
    assert found.unread
    assert found.events


def test_a_line_that_is_too_long_is_refused_and_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_LINE", 1_000)
    good = written([probe(EAST, "us", BEGAN, well=False)])
    found = read(b'{"time": "' + b"x" * 500_000 + b'"}\n' + good)
    assert [one.line for one in found.refused] == [1]
    assert "is longer than 1,000 bytes" in found.refused[0].problem
    assert found.arrivals[0].line == 2


def test_a_last_line_that_is_too_long_and_has_no_end_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "MAX_LINE", 1_000)
    assert read(b"x" * 70_000).unread == 1


def test_more_lines_than_are_read_are_refused_as_a_whole() -> None:
    body = written([probe(EAST, "us", BEGAN + n, well=False) for n in range(4)])
    with pytest.raises(HistoryTooLong, match="more than 3 lines; give a part of it"):
        read(body, most=3)


def test_more_events_than_are_held_are_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_EVENTS", 3)
    body = written([probe(EAST, "us", BEGAN + n, well=False) for n in range(4)])
    with pytest.raises(HistoryTooLong, match="more than 3 events"):
        read(body)


def test_of_very_many_bad_lines_all_are_counted_and_the_first_are_told() -> None:
    found = read(b"x\n" * 300)
    assert found.unread == 300
    assert len(found.refused) == history.SHOWN


def test_every_line_of_a_month_is_accounted_for() -> None:
    lines = month(3, days=4, count=2)
    found = read(written(lines))
    assert found.lines == len(lines)
    assert found.events + found.repeated + sum(found.ignored.values()) == len(lines)
    assert not found.unread
