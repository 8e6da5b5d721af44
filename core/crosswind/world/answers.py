"""What callers got: reading the answers of a load, and what they say of an outage.

Pure functions over answers; times are seconds since the epoch, latencies milliseconds. An answer
counts at the moment its request was due, so that a stalled target cannot hide its own stall.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Reversible, Sequence
from math import ceil
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple


class Answer(NamedTuple):
    """One request and what became of it.

    Attributes:
        at: when it was due.
        status: the HTTP status; 0 where no answer came.
        region: which region it was sent to, where that is known.
        ms: from due to answered or given up.
    """

    at: float
    status: int
    region: str | None
    ms: float

    @property
    def good(self) -> bool:
        """Whether the caller got what it asked for."""
        return 200 <= self.status < 300


class Bucket(NamedTuple):
    """Answers due in one span of time that begins at `start`."""

    start: float
    requests: int
    errors: int

    @property
    def error_rate(self) -> float:
        """Share of requests that failed."""
        return self.errors / self.requests


class Disruption(NamedTuple):
    """A time of failures: when it began and ended (None where it did not), and failed answers."""

    began: float | None
    ended: float | None
    failed: int


class Traffic(NamedTuple):
    """Answers of one region; percentiles of the good ones only, None where there are none.

    `slow` are good ones that took longer than was asked for, None where nothing was asked for.
    """

    requests: int
    errors: int
    p50: float | None
    p95: float | None
    slow: int | None = None


def read(path: Path) -> Iterator[Answer]:
    """The answers in a load's log, in the order in which they came.

    A last line that is still being written is left out.

    Raises:
        ValueError: a complete line is not an answer.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                fields = json.loads(line)
                yield Answer(*(fields[name] for name in Answer._fields))
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{path}, line {number} is not an answer: {error!r}") from error


def error_rates(answers: Iterable[Answer], seconds: float = 1.0) -> list[Bucket]:
    """Requests and errors in spans of so many seconds; spans without requests are left out."""
    requests: Counter[float] = Counter()
    errors: Counter[float] = Counter()
    for answer in answers:
        start = answer.at // seconds * seconds
        requests[start] += 1
        errors[start] += not answer.good
    return [Bucket(start, requests[start], errors[start]) for start in sorted(requests)]


def shares(
    answers: Iterable[Answer], seconds: float = 1.0
) -> list[tuple[float, dict[str | None, float]]]:
    """Each region's share of the requests, in spans of so many seconds.

    Requests whose region is not known count under None.
    """
    counts: dict[float, Counter[str | None]] = defaultdict(Counter)
    for answer in answers:
        counts[answer.at // seconds * seconds][answer.region] += 1
    return [
        (start, {region: count / by.total() for region, count in by.items()})
        for start, by in sorted(counts.items())
    ]


def traffic(answers: Iterable[Answer], slower_than: float | None = None) -> Mapping[str, Traffic]:
    """Requests, errors and latency by region; answers without a region are left out.

    Args:
        slower_than: milliseconds; good answers that took longer are counted as slow.
    """
    by_region: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.region is not None:
            by_region[answer.region].append(answer)
    return {region: _traffic(its, slower_than) for region, its in sorted(by_region.items())}


def since(answers: Reversible[Answer], start: float, disorder: float) -> Iterator[Answer]:
    """Those that were due at `start` or later, the newest first; it looks no further back.

    Args:
        disorder: seconds by which an answer may stand behind one that was due later.
    """
    for answer in reversed(answers):
        if answer.at >= start:
            yield answer
        elif answer.at < start - disorder:
            return


def windows(
    answers: Iterable[Answer],
    now: float,
    seconds: Sequence[float],
    slower_than: float | None = None,
) -> list[Mapping[str, Traffic]]:
    """Requests, errors and slow answers by region, for each of several windows that end now.

    All of them in one pass, so that a window of an hour costs no more beside one of a minute; no
    percentiles. Windows are told in the order in which they are asked for.
    """
    ends = sorted(set(seconds))
    counts: list[dict[str, list[int]]] = [{} for _ in ends]
    for answer in answers:
        shortest = bisect_left(ends, now - answer.at)
        if answer.region is None or shortest == len(ends):
            continue
        count = counts[shortest].setdefault(answer.region, [0, 0, 0])
        count[0] += 1
        if not answer.good:
            count[1] += 1
        elif slower_than is not None and answer.ms > slower_than:
            count[2] += 1
    told: dict[float, Mapping[str, Traffic]] = {}
    totals: dict[str, list[int]] = {}
    for end, its in zip(ends, counts, strict=True):
        for region, count in its.items():
            before = totals.get(region, [0, 0, 0])
            totals[region] = [a + b for a, b in zip(before, count, strict=True)]
        told[end] = {
            region: Traffic(requests, errors, None, None, None if slower_than is None else slow)
            for region, (requests, errors, slow) in sorted(totals.items())
        }
    return [told[one] for one in seconds]


def disruption(answers: Iterable[Answer], threshold: float, window: float) -> Disruption:
    """The first time of failures among these answers.

    It begins with the first failed answer. It ends with the first good answer from which on the
    error rate stays below `threshold` for `window` seconds, counted anew with every answer in that
    time; None where the answers do not reach that far.

    Raises:
        ValueError: the threshold is not in (0, 1], or the window not above 0.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"the threshold must lie above 0 and up to 1, not {threshold}")
    if not window > 0:
        raise ValueError(f"the window must be longer than 0 seconds, not {window}")
    ordered = sorted(answers, key=attrgetter("at"))
    began = next((index for index, answer in enumerate(ordered) if not answer.good), None)
    if began is None:
        return Disruption(None, None, 0)
    end = _steady_from(ordered, began, threshold, window)
    failed = sum(not answer.good for answer in ordered[began:end])
    return Disruption(ordered[began].at, None if end is None else ordered[end].at, failed)


def recovery_time(answers: Iterable[Answer], threshold: float, window: float) -> float | None:
    """Seconds from the first failure until the error rate stays below the threshold.

    See `disruption` for the exact rule; 0 without a failure, None where it did not recover.
    """
    found = disruption(answers, threshold, window)
    if found.began is None:
        return 0.0
    return None if found.ended is None else found.ended - found.began


def _steady_from(
    ordered: Sequence[Answer], start: int, threshold: float, window: float
) -> int | None:
    """Index of the first good answer after `start` that begins a steady window."""
    for index in range(start + 1, len(ordered)):
        # A later answer of the same good stretch has fewer good ones before the next failure,
        # so only the first of each stretch can begin a window.
        if not ordered[index].good or ordered[index - 1].good:
            continue
        if ordered[-1].at < ordered[index].at + window:
            return None
        if _steady(ordered, index, threshold, window):
            return index
    return None


def _steady(ordered: Sequence[Answer], first: int, threshold: float, window: float) -> bool:
    errors = 0
    for index in range(first, len(ordered)):
        answer = ordered[index]
        if answer.at >= ordered[first].at + window:
            break
        errors += not answer.good
        if errors >= threshold * (index - first + 1):
            return False
    return True


def _traffic(answers: Sequence[Answer], slower_than: float | None) -> Traffic:
    times = sorted(answer.ms for answer in answers if answer.good)
    return Traffic(
        requests=len(answers),
        errors=len(answers) - len(times),
        p50=_percentile(times, 50),
        p95=_percentile(times, 95),
        slow=None if slower_than is None else len(times) - bisect_right(times, slower_than),
    )


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile: the smallest value that so many percent do not exceed."""
    return ordered[ceil(len(ordered) * percent / 100) - 1] if ordered else None
