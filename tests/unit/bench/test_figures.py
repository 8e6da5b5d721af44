"""Every figure's own side runs, and a figure is what its rounds say; nothing here is timed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench import archives
from bench.contestants import ContestantFailed, Serving, Starting, within
from bench.crowd import Crowd
from bench.figure import figure
from bench.figures import FIGURES
from bench.ours.waiting import write_journal
from bench.rounds import Measured, calibrated, measure
from bench.samples import BYTES, bodies
from bench.serve import Took
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind_events import CATALOGUE, Codec


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("bench.ours.codec", {}),
        ("bench.ours.codec", {"blanks": True}),
        ("bench.ours.bare_pydantic", {}),
        ("bench.ours.decision", {}),
        ("bench.ours.decision", {"durable": True}),
        ("bench.ours.decision", {"durable": True, "settle": False}),
        ("bench.ours.bare_sqlite", {}),
        ("bench.ours.bare_sqlite", {"settle": True}),
        ("bench.ours.store_write", {}),
        ("bench.ours.waiting", {"waiting": 10}),
        ("bench.ours.waiting", {"waiting": 10, "journal": 50}),
        ("bench.ours.fleet", {}),
        ("bench.ours.fleet", {"as_json": True}),
        ("bench.ours.bare_loader", {}),
        ("bench.ours.bare_loader", {"as_json": True}),
        ("bench.peers.sdk", {}),
        ("bench.peers.sdk", {"blanks": True}),
    ],
)
def test_a_contestant_works_as_often_as_it_is_told(module: str, options: dict[str, int]) -> None:
    with within(module, **options) as contestant:
        assert contestant.work(2).wall > 0
        assert contestant.work(8).wall > 0  # and again, with other events


def test_a_contestant_in_a_process_of_its_own_answers_round_by_round() -> None:
    with Serving("bench.ours.codec") as ours, Serving("bench.peers.sdk") as peer:
        measured = measure({"ours": ours, "sdk": peer}, rounds=2, slice_seconds=0.001)
    assert measured.rounds == 2
    assert all(ratio > 0 for ratio in measured.ratios("ours", "sdk", "wall"))


def test_a_contestant_that_cannot_work_says_why() -> None:
    with pytest.raises(ContestantFailed, match=r"No module named 'bench\.ours\.nobody'"):
        Serving("bench.ours.nobody")


def test_our_function_handles_its_first_event_from_its_archive(tmp_path: Path) -> None:
    assert archives.ours(tmp_path / "ours", compiled=False).work(1).wall > 0
    assert not list((tmp_path / "ours").rglob("*.pyc"))
    assert archives.bare(tmp_path / "bare").work(1).wall > 0
    assert list((tmp_path / "bare").rglob("*.pyc"))


def test_a_process_that_ends_badly_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(ContestantFailed, match="ZeroDivisionError"):
        Starting([sys.executable, "-c", "1/0"], tmp_path).work(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_crowd_works_every_event_once(workers: int) -> None:
    assert Crowd(workers).work(20).wall > 0


def test_the_samples_are_events_of_the_size_they_claim() -> None:
    first, second = (Codec(CATALOGUE).decode(body) for body in bodies(1, 2))
    assert {len(body) for body in bodies(1, 100)} == {BYTES}
    assert first.id != second.id
    assert first.data == second.data


def test_the_long_journal_holds_one_settled_run_in_each_chain(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "journal.sqlite") as store:
        write_journal(tmp_path / "journal.sqlite", 7)
        chains = store.partitions("chain:")
        assert len(chains) == 7
        for chain in chains:
            (item,) = store.scan(chain)
            assert json.loads(item.value)["settled"] is True


class _Steady:
    """Takes a hundredth of a second each time; counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def work(self, count: int) -> Took:
        self.asked.append(count)
        return Took(0.01 * count, 0.01 * count)


def test_a_contestant_works_about_as_long_as_its_slice() -> None:
    assert calibrated(_Steady(), seconds=1.0, most=5_000) == 100
    assert calibrated(_Steady(), seconds=1.0, most=8) == 8


def test_one_spoilt_round_does_not_move_the_figure() -> None:
    steady, spoilt = Took(1.0, 1.0), Took(9.0, 9.0)
    measured = Measured({"ours": [steady] * 4 + [spoilt], "peer": [Took(2.0, 4.0)] * 5})
    made = figure("f", measured, "ours", "peer", limit=0.2, note="n")
    assert made.ratio == 0.25
    assert made.spread == (0.25, 0.25)
    assert not made.ok
    line = json.loads(made.line())
    assert {"figure", "ratio", "limit", "ok", "ours", "peer", "unit", "rounds", "note"} < set(line)
    assert line["note"] == "n (processor time; by wall time 0.5)"


def test_every_figure_that_is_promised_is_there() -> None:
    assert list(FIGURES) == [
        "codec",
        "decision",
        "durable",
        "imports",
        "start",
        "flat",
        "throughput",
        "loading",
        "planner",
        "packages",
        "records",
        "cold",
        "hops",
        "policies",
    ]
