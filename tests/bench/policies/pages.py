"""Pages: scores as tables in Markdown, and the curve as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import log10
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from bench.policies.mix import MIX
from bench.policies.scores import Score

MARKS: Final = ascii_lowercase + ascii_uppercase
"""By which a policy is found again in a picture."""

LEAST_FALSE: Final = 0.1
"""False failovers a region-year below which the scale does not go: none is drawn there."""

BEGINS: Final = "<!-- policies: begin -->"
ENDS: Final = "<!-- policies: end -->"

_PERCENT: Final = (1, 10, 25, 50, 75, 90, 95, 99, 99.9)
_WIDTH, _HEIGHT = 72, 20


def summary(scores: Sequence[Score], took: float | None, jobs: int) -> str:
    """How much was played, as a paragraph of Markdown.

    Args:
        took: seconds; None where a part was played before.
        jobs: processes.
    """
    parts = [
        f"{outages:,} outages and {others:,} harmless incidents under each of "
        f"{sum(_counts(s) == (outages, others) for s in scores)} policies"
        for outages, others in sorted({_counts(s) for s in scores}, reverse=True)
    ]
    said = f"Played: {'; '.join(parts)}"
    return f"{said}." if took is None else f"{said}, in {took / 60:.0f} min on {jobs} processes."


def tables(scores: Sequence[Score]) -> Iterator[str]:
    """Lines of Markdown: how soon each policy answers, what it costs, and what it goes by."""
    yield from _soon(scores)
    yield ""
    yield from _distribution(scores)
    yield ""
    yield from _cost(scores)
    yield ""
    yield from _kinds(scores)


def _soon(scores: Sequence[Score]) -> Iterator[str]:
    yield (
        "|   | policy | outages | noticed: median, 95 % | last shift: median, 95 %, 99 % | "
        "first evidence to last shift: median, 95 % | missed |"
    )
    yield "|---" * 7 + "|"
    for mark, score in zip(MARKS, scores, strict=False):
        noticed = _spread(score.noticed(share) for share in (0.5, 0.95))
        shifted = _spread(score.recovery(share) for share in (0.5, 0.95, 0.99))
        answer = _spread(score.response(share) for share in (0.5, 0.95))
        yield (
            f"| {mark} | {score.name} | {len(score.outages):,} | {noticed} | {shifted} | "
            f"{answer} | {score.missed:.1%} |"
        )


def _distribution(scores: Sequence[Score]) -> Iterator[str]:
    """Of the policies of which most outages were played."""
    most = max((len(score.outages) for score in scores), default=0)
    yield f"|   | seconds to the last shift | {' | '.join(f'{s:.4g} %' for s in _PERCENT)} |"
    yield "|---" * (2 + len(_PERCENT)) + "|"
    for mark, score in zip(MARKS, scores, strict=False):
        if len(score.outages) == most:
            for since, of in (("onset", score.recovery), ("first evidence", score.response)):
                cells = " | ".join(_seconds(of(percent / 100)) for percent in _PERCENT)
                yield f"| {mark} | {score.name}, from the {since} | {cells} |"


def _cost(scores: Sequence[Score]) -> Iterator[str]:
    yield (
        "|   | policy | false failovers a region-year | of blips | of nothing | "
        "left again, an outage | user minutes lost, an outage | SLO minutes broken, an outage | "
        "USD, an outage | USD, a false failover |"
    )
    yield "|---" * 10 + "|"
    for mark, score in zip(MARKS, scores, strict=False):
        yield (
            f"| {mark} | {score.name} | {score.false.a_year:.1f} ± {score.false.error:.1f} | "
            f"{score.blips.a_year:.1f} | {score.nothing.a_year:.1f} | {score.again:.2f} | "
            f"{score.lost:.2f} | {score.broken:.1f} | {score.usd:.2f} | {score.usd_false:.2f} |"
        )
    for score in scores[:1]:
        lost = f"{score.untouched:.2f}"
        yield f"|   | nobody does anything | 0.0 |  |  |  | {lost} | {score.lasted:.1f} | 0.00 |  |"


def _kinds(scores: Sequence[Score]) -> Iterator[str]:
    shown = dict(zip(MARKS, scores, strict=False))
    yield f"| a region is left for, % | a year | {' | '.join(shown)} |"
    yield "|---" * (2 + len(shown)) + "|"
    for trouble in MIX:
        left = [score.left(trouble.name) for score in shown.values()]
        cells = " | ".join("" if share is None else f"{share * 100:.0f}" for share in left)
        name = f"**{trouble.name}**" if trouble.due else trouble.name
        yield f"| {name} | {trouble.a_year:g} | {cells} |"


def written(text: str, lines: Iterable[str]) -> str:
    """The text of a page with other lines between its two marks.

    Raises:
        ValueError: the page does not have both, in this order.
    """
    before, begins, rest = text.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not (begins and ends):
        raise ValueError(f"the page has no {BEGINS} with {ENDS} after it; put both where they go")
    return f"{before}{begins}\n" + "\n".join(lines) + f"\n{ends}{after}"


def curve(scores: Sequence[Score]) -> Iterator[str]:
    """Lines of text: false failovers a region-year against the time until an outage is noticed."""
    points = [
        point for mark, score in zip(MARKS, scores, strict=False) for point in _at(mark, score)
    ]
    if not points:
        return
    left, right = _bounds(log10(x) for _, x, _ in points)
    low, high = _bounds(log10(y) for _, _, y in points)
    grid = [[" "] * _WIDTH for _ in range(_HEIGHT)]
    for mark, x, y in points:
        column = round((log10(x) - left) / (right - left) * (_WIDTH - 1))
        row = _HEIGHT - 1 - round((log10(y) - low) / (high - low) * (_HEIGHT - 1))
        while column < _WIDTH - 1 and grid[row][column] != " ":
            column += 1
        grid[row][column] = mark
    yield "false failovers a region-year"
    for number, cells in enumerate(grid):
        value = 10 ** (high - (high - low) * number / (_HEIGHT - 1))
        label = f"{value:8.3g}" if number % 4 == 0 or number == _HEIGHT - 1 else " " * 8
        yield f"{label} |{''.join(cells).rstrip()}"
    yield " " * 9 + "+" + "-" * _WIDTH
    ticks = [10 ** (left + (right - left) * part / 4) for part in range(5)]
    yield " " * 6 + "".join(f"{tick:<{_WIDTH // 4}.3g}" for tick in ticks).rstrip()
    yield " " * 10 + "seconds until half of the answered outages were noticed"
    for mark, score in zip(MARKS, scores, strict=False):
        yield f"  {mark}  {score.name}{_missing(score)}"


def _at(mark: str, score: Score) -> Iterator[tuple[str, float, float]]:
    noticed = score.noticed(0.5)
    if noticed is not None:
        yield mark, max(noticed, 1.0), max(score.false.a_year, LEAST_FALSE)


def _missing(score: Score) -> str:
    return f" (misses {score.missed:.0%})" if score.missed >= 0.005 else ""


def _bounds(values: Iterable[float]) -> tuple[float, float]:
    known = tuple(values)
    return min(known) - 0.05, max(known) + 0.05


def _counts(score: Score) -> tuple[int, int]:
    return len(score.outages), len(score.outcomes) - len(score.outages)


def _spread(values: Iterable[float | None]) -> str:
    return " / ".join(map(_seconds, values))


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f}"
