"""What would have been done against what really happened: found, missed, false; earlier, later."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from crosswind.journal.shadow import actual
from crosswind.journal.shadow.actual import ActualInvalid, Outage, read_actual
from crosswind.journal.shadow.verdicts import SLACK, Compared, compare
from crosswind.journal.shadow.would import Heard, Would

EAST = "aws/us-east-1"
WEST = "aws/us-west-2"
MINUTE = 60.0


def would(at: float, region: str = EAST, **changes: Any) -> Would:
    """A region that is left: enough evidence `at`, moved two minutes later."""
    given: dict[str, Any] = {
        "region": region,
        "chain": f"chain-{region}-{at}",
        "evidence": at - 30,
        "confirmed": at,
        "shifted": at + 10,
        "moved": at + 2 * MINUTE,
        "outcome": "completed",
        "because": "2 of 2 needed",
        "plans": (),
    }
    return Would(**given | changes)


def outage(
    began: float, ended: float | None, acted: float | None = None, region: str = EAST
) -> Outage:
    return Outage(region, began, ended, acted)


def compared(
    woulds: list[Would], outages: list[Outage], heard: list[Heard] | None = None
) -> Compared:
    return compare(woulds, heard or [], outages)


def test_an_outage_is_found_where_the_region_would_have_been_left_while_it_lasted() -> None:
    (met,) = compared([would(1_100)], [outage(1_000, 5_000, acted=2_820)]).found
    assert met.detection == 100
    assert met.moved == 220
    assert met.earlier == 1_600
    assert met.spared == 2_820 - 1_220


def test_who_would_have_been_later_than_people_is_told_so() -> None:
    (met,) = compared([would(3_000)], [outage(1_000, 5_000, acted=2_000)]).found
    assert met.earlier == -1_120
    assert met.spared == 0


def test_where_nobody_acted_the_whole_rest_of_the_outage_would_have_been_spared() -> None:
    (met,) = compared([would(1_100)], [outage(1_000, 5_000)]).found
    assert met.earlier is None
    assert met.spared == 5_000 - 1_220


def test_a_failover_that_would_not_have_been_carried_through_spares_nothing() -> None:
    one = would(1_100, moved=None, outcome="no-safe-plan")
    (met,) = compared([one], [outage(1_000, 5_000, acted=2_000)]).found
    assert (met.moved, met.earlier, met.spared) == (None, None, None)


def test_an_outage_that_people_wrote_down_late_is_found_all_the_same() -> None:
    assert compared([would(1_000 - SLACK)], [outage(1_000, 5_000)]).found
    assert not compared([would(999 - SLACK)], [outage(1_000, 5_000)]).found


def test_an_outage_that_goes_on_is_found_whenever_it_was() -> None:
    assert compared([would(90_000)], [outage(1_000, None)]).found


def test_leaving_the_same_region_again_in_one_outage_is_counted_and_is_not_false() -> None:
    found = compared([would(1_100), would(3_000)], [outage(1_000, 5_000)])
    assert found.found[0].further == 1
    assert not found.false


def test_each_failover_belongs_to_one_outage() -> None:
    found = compared([would(1_100)], [outage(1_000, 1_500), outage(1_050, 1_600)])
    assert len(found.found) == 1
    assert len(found.missed) == 1


def test_a_failover_without_an_outage_is_false_also_when_one_had_just_ended() -> None:
    found = compared([would(9_000), would(700, WEST)], [outage(1_000, 5_000)])
    assert [(one.region, after) for one, after in found.false] == [(EAST, 4_000), (WEST, None)]
    assert len(found.missed) == 1


def test_an_outage_is_missed_for_a_reason() -> None:
    weak = Heard(EAST, "c" * 36, 1_200, 1_600, "unconfirmed", "1 of 2 needed")
    (missed,) = compared([], [outage(1_000, 5_000)], [weak]).missed
    assert missed.why == "chain cccccccc ended unconfirmed: 1 of 2 needed"
    (silent,) = compared([], [outage(1_000, 5_000, region=WEST)], [weak]).missed
    assert silent.why == "no signal said anything about it"


def test_a_chain_that_failed_is_a_stronger_reason_than_one_that_was_not_confirmed() -> None:
    weak = Heard(EAST, "c" * 36, 1_200, 1_600, "unconfirmed", "1 of 2 needed")
    dead = Heard(EAST, "d" * 36, 1_300, 1_600, "failed", "hear_unhealthy gave up: KeyError")
    (missed,) = compared([], [outage(1_000, 5_000)], [weak, dead]).missed
    assert (
        missed.why
        == "chain dddddddd ended failed: hear_unhealthy gave up: KeyError (and 1 more chain(s))"
    )


def test_an_outage_of_a_region_that_would_have_been_away_is_not_missed() -> None:
    before = would(500, moved=620, back=None)
    found = compared([before], [outage(2_000 + SLACK, 5_000)])
    assert not found.missed
    assert "would have been left already" in found.away[0].why
    back = would(500, moved=620, back=1_500)
    assert compared([back], [outage(2_000 + SLACK, 5_000)]).missed


def test_medians_are_told_where_there_is_anything_to_tell() -> None:
    found = compared(
        [would(1_100), would(11_300), would(21_200)],
        [outage(at, at + 5_000, acted=at + 1_000) for at in (1_000, 11_000, 21_000)],
    )
    assert found.detection == 200
    assert found.earlier == 1_000 - 320
    assert compared([], []).detection is None
    assert compared([], []).earlier is None


# -- the file ------------------------------------------------------------------------------------


def read(*lines: Any) -> tuple[Outage, ...]:
    body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return read_actual(io.BytesIO(body.encode()))


LINE = {
    "region": EAST,
    "began": "2026-03-02T16:52:00Z",
    "ended": "2026-03-02T18:10:00+00:00",
    "acted": "2026-03-02T17:25:00Z",
    "note": "moved by hand",
}


def test_outages_are_read_in_the_order_of_time() -> None:
    later = {"region": WEST, "began": "2026-03-03T00:00:00Z"}
    first, second = read(later, "", LINE)
    assert (first.region, first.note) == (EAST, "moved by hand")
    assert first.acted is not None
    assert first.acted - first.began == 33 * MINUTE
    assert (second.region, second.ended, second.acted) == (WEST, None, None)


def test_every_fault_of_the_file_is_named_with_its_line() -> None:
    with pytest.raises(ActualInvalid) as caught:
        read(
            {"region": "east", "began": "yesterday"},
            {**LINE, "ended": "2026-03-01T00:00:00Z", "acted": "2026-03-01T00:00:00Z"},
            "[]",
            {**LINE, "until": 1},
            "{",
            {"region": EAST},
        )
    said = str(caught.value)
    for words in (
        "line 1: region is 'east'; write one such as aws/us-east-1",
        "line 1: began must be a time",
        "line 2: ended lies before began",
        "line 2: acted lies before began",
        "line 3: is no JSON object; write region, began, ended, acted, note",
        "line 4: has fields that are not known here (until)",
        "line 5: is not JSON",
        "line 6: has no began",
    ):
        assert words in said, words


def test_of_very_many_faults_the_first_are_shown() -> None:
    with pytest.raises(ActualInvalid, match="and 30 more"):
        read(*["[]"] * 50)


def test_the_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ActualInvalid, match="line 1: the file has a line too long"):
        read("x" * 20_000)
    monkeypatch.setattr(actual, "MAX_LINES", 2)
    with pytest.raises(ActualInvalid, match="line 3: the file has more than 2 lines"):
        read(LINE, LINE, LINE)
