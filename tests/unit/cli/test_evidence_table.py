"""The table of what was believed and why, as `crosswind trace` shows it."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from crosswind.cli.traceview import evidence_table, view
from crosswind.journal.chain import read_chain
from crosswind.journal.findings import Piece, Weighing
from crosswind.journal.trace import trace
from crosswind_events import RegionRecovered
from unit.chains.drama import APP, Drama
from unit.chains.fleets import EAST, fleet


def printed(*shown: Any, width: int = 160) -> list[str]:
    console = Console(file=StringIO(), width=width, markup=False, highlight=False)
    for one in shown:
        console.print(one)
    file = console.file
    assert isinstance(file, StringIO)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def piece(number: int = 0, weight: float = 1.0, **more: Any) -> Piece:
    given = {"source": f"//{number}.example.com", "kind": "probe", "says": "unhealthy"}
    return Piece(**{**given, "weight": weight, "because": f"reason {number}", **more})


def row(lines: list[str], word: str) -> str:
    (found,) = [line for line in lines if word in line]
    return " ".join(found.split())


def test_it_tells_what_each_piece_counts_for_of_what_it_could_and_why() -> None:
    lines = printed(
        evidence_table(
            (
                piece(1, 0.5, full=1.0, age=90.0, vantage="home", about="chat"),
                piece(2, 0.0, full=1.0, age=3.0, says="recovered", against=1.0),
            ),
            Weighing(0.0, 2.0, False, 1.0, 1, 2, "chat"),
        )
    )
    assert row(lines, "counts") == "counts of evidence about says age from because"
    assert row(lines, "reason 1") == (
        "0.5 1 probe at home chat unhealthy 90 s //1.example.com reason 1"
    )
    assert row(lines, "reason 2") == "-1 1 probe all recovered 3.0 s //2.example.com reason 2"
    assert lines[-1] == (
        "sum 0 of 2 needed about chat, 1 taken off it, 1 independent views (2 needed): not enough"
    )


def test_a_sum_that_suffices_says_so() -> None:
    lines = printed(evidence_table((piece(),), Weighing(2.0, 2.0, True, 0.0, 2, 2)))
    assert lines[-1] == "sum 2 of 2 needed, 2 independent views (2 needed): enough"


def test_of_very_many_pieces_those_that_count_are_shown_and_then_the_newest() -> None:
    pieces = tuple(piece(number, float(number == 3)) for number in range(60))
    lines = printed(evidence_table(pieces))
    shown = [line for line in lines if "example.com" in line]
    assert len(shown) == 25
    assert "//3.example.com" in shown[0]
    assert "//36.example.com" in shown[1]
    assert "//59.example.com" in shown[-1]
    assert lines[-1] == "35 more; --full shows them, --json has them all"


def test_in_full_all_of_them_are_shown() -> None:
    lines = printed(evidence_table(tuple(map(piece, range(60))), full=True))
    assert len([line for line in lines if "example.com" in line]) == 60


def test_pieces_of_another_making_are_shown_with_what_they_have() -> None:
    lines = printed(evidence_table((piece(7),)))
    assert row(lines, "counts") == "counts evidence says from because"


def test_nobody_writes_to_a_terminal_by_way_of_evidence() -> None:
    lines = printed(evidence_table((piece(because="\x1b[31mred", kind="[bold]", about="\x07"),)))
    assert not any("\x1b" in line or "\x07" in line for line in lines)
    assert any("[bold]" in line for line in lines)


def contradicted() -> Drama:
    """A chain in which a vantage of ours denies what others say, until they are three."""
    drama = Drama(fleet())
    drama.cloud.lag = None
    drama.hear(evidence="provider", source="//health.example.com")
    drama.hear(vantage="far")
    drama.hear(vantage="farther")
    return drama


def test_a_trace_tells_of_each_piece_why_it_counted_or_not() -> None:
    drama = contradicted()
    chain = read_chain(drama.engine.ledger, drama.chain)
    assert chain is not None
    built = trace(chain, APP, drama.now)
    lines = printed(*view(built, APP, full=False), width=200)
    table = "\n".join(lines)
    assert "policy gives provider evidence 1" in table
    assert "says that the region is well, freshly: takes 1 from the sum" in table
    assert "sum 1 of 2 needed, 1 taken off it, 2 independent views (2 needed): not enough" in table
    assert "sum 2 of 2 needed, 1 taken off it, 3 independent views (2 needed): enough" in table


def test_for_programs_a_trace_has_what_was_believed_last_as_a_whole() -> None:
    drama = contradicted()
    chain = read_chain(drama.engine.ledger, drama.chain)
    assert chain is not None
    believed = trace(chain, APP, drama.now).as_json()["believed"]
    assert believed["weighing"]["total"] == 2.0
    assert believed["weighing"]["reached"]
    assert [(one["kind"], one["vantage"], one["weight"]) for one in believed["pieces"]] == [
        ("provider", "", 1.0),
        ("probe", "far", 1.0),
        ("probe", "farther", 1.0),
        ("probe", "home", 0.0),
    ]
    assert believed["pieces"][-1]["against"] == 1.0


def test_where_nothing_was_weighed_nothing_was_believed() -> None:
    drama = Drama(fleet())
    drama.hear(RegionRecovered, region=EAST)
    chain = read_chain(drama.engine.ledger, drama.chain)
    assert chain is not None
    assert trace(chain, APP, drama.now).as_json()["believed"] is None
