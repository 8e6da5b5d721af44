"""Which policy: `PYTHONPATH=tests python -m bench.policies [POLICY...]`.

Plays the same simulated outages and harmless troubles under each policy, and prints what each is
worth: tables in Markdown, and false failovers against the time until an outage is noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.policies.candidates import AS_IT_COMES, CANDIDATES, PEERS
from bench.policies.kept import Shelf
from bench.policies.pages import curve, summary, tables, written
from bench.policies.picture import picture
from bench.policies.scores import Score
from bench.policies.season import season


def main() -> int:
    """Play what is asked for, all policies unless said."""
    parser = _parser()
    given = parser.parse_args()
    names = [
        name
        for name in CANDIDATES
        if not given.policies or any(part in name for part in given.policies)
    ]
    if not names:
        parser.error(f"no policy is called that; there are {', '.join(CANDIDATES)}")
    began = time.monotonic()
    shelf = Shelf(given.keep)
    scores: dict[str, Score] = {}
    for score in _played(names, given, shelf):
        scores[score.name] = score
        print(f"{time.monotonic() - began:7.0f} s  {score.name}", file=sys.stderr, flush=True)
    ordered = [scores[name] for name in names]
    if given.json is not None:
        each = (json.dumps(score.as_json()) for score in ordered)
        given.json.write_text("".join(f"{line}\n" for line in each), encoding="utf-8")
    if given.svg is not None:
        given.svg.write_text(picture(ordered), encoding="utf-8")
    if given.page is not None:
        took = None if shelf.used else time.monotonic() - began
        lines = (summary(ordered, took, given.jobs), "", *tables(ordered))
        page = given.page.read_text(encoding="utf-8")
        given.page.write_text(written(page, lines), encoding="utf-8")
    print("\n".join([*tables(ordered), "", *curve(ordered)]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench.policies", description=__doc__)
    parser.add_argument("policies", nargs="*", metavar="POLICY", help="a part of its name")
    parser.add_argument(
        "--outages", type=int, default=300, help="of the first policy, and what it is held against"
    )
    parser.add_argument("--settings", type=int, help="outages of each other setting; as many")
    parser.add_argument("--harmless", type=int, help="incidents of no outage, at most; as many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--keep", type=Path, help="keep outcomes in this folder, and go on from it")
    parser.add_argument("--json", type=Path, help="write every number there, one policy a line")
    parser.add_argument("--svg", type=Path, help="draw the curve there")
    parser.add_argument("--page", type=Path, help="write the tables into this page of the docs")
    return parser


def _played(names: Sequence[str], given: argparse.Namespace, shelf: Shelf) -> Iterator[Score]:
    """The scores of policies, those that are kept first."""
    many = {AS_IT_COMES, *(peer.name for peer in PEERS)}
    for outages, group in (
        (given.outages, [name for name in names if name in many]),
        (given.settings or given.outages, [name for name in names if name not in many]),
    ):
        others = min(outages, given.harmless or outages)
        kept = {name: shelf.get(name, outages, others) for name in group}
        yield from (score for score in kept.values() if score is not None)
        left = [name for name, score in kept.items() if score is None]
        for score in season(left, outages, others, given.jobs):
            shelf.put(score)
            yield score


if __name__ == "__main__":
    sys.exit(main())
