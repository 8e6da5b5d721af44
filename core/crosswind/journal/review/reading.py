"""From the records of a chain to facts: one pass, bounded however much the chain holds.

    answers, evidence, runs -> ChainFacts

What one run says is looked at once and let go, so that the memory that is needed follows from the
facts, not from the size of the records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from crosswind.journal.chain import LIVE, Run
from crosswind.journal.review import acts, looks, said
from crosswind.journal.review.facts import ChainFacts, Failed, Gap, Seen
from crosswind.journal.review.wording import short
from crosswind.records.head import Head
from crosswind.records.identity import EVIDENCE, HEAD, RUN, chain_partition
from crosswind.records.joins import Answered
from crosswind.records.record import Entry, Record

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.ports import Item, Store

READ: Final = 5_000
"""Items of each kind that are read of one chain."""

_PAGE: Final = 100
_WAITS: Final = 8
_APPROVAL: Final = "settled:approval:"


def read_facts(store: Store, chain: str, app: App, now: float) -> ChainFacts | None:
    """Read one chain; None where nothing of it is stored.

    Args:
        app: whose kinds of action put themselves into words.
        now: seconds since the epoch.
    """
    return _Reader(store, chain, app, now).facts()


class _Reader:
    def __init__(self, store: Store, chain: str, app: App, now: float) -> None:
        self.store = store
        self.partition = chain_partition(chain)
        self.app = app
        self.found = ChainFacts(chain, now)
        self.words: dict[str, Seen] = {}
        self.counted: dict[str, said.Counted] = {}
        self.heard: set[str] = set()
        self.gaps: dict[str, Gap] = {}
        self.answers: dict[str, Answered] = {}

    def facts(self) -> ChainFacts | None:
        found = self.found
        item = self.store.read(self.partition, HEAD)
        head = None if item is None else Head.decode(item.value)
        for item in self._items(_APPROVAL):
            name = item.key.removeprefix(_APPROVAL)
            self.answers[name] = Answered(**from_json(item.value))
        for item in self._items(EVIDENCE):
            self._first(from_json(item.value), None)
        runs = 0
        for item in self._items(RUN):
            runs += 1
            record = Record.decode(item.value)
            self._run(Run(record, from_json(record.event)))
        if head is None and not runs:
            return None
        if head is not None:
            found.opened, found.closed, found.outcome = head.opened, head.closed_at, head.outcome
            found.target = head.lock.target if head.lock is not None else found.target
        self._finish()
        return found

    def _items(self, prefix: str) -> Iterator[Item]:
        after, left = "", READ
        while left > 0:
            page = self.store.scan(self.partition, prefix, after, min(_PAGE, left))
            yield from page
            if len(page) < _PAGE:
                return
            left -= len(page)
            after = page[-1].key
        rest = self.store.scan(self.partition, prefix, after, limit=1)
        self.found.cut = self.found.cut or bool(rest)

    def _run(self, run: Run) -> None:
        record, found = run.record, self.found
        found.opened = min(found.opened, record.began)
        found.simulated = found.simulated or record.simulated
        if record.first:
            self._first(run.event, record.began)
        name = record.handler.rpartition(":")[2]
        if record.state in LIVE and len(found.waits) < _WAITS:
            found.waits = (*found.waits, f"{name}: {record.why or record.state}")
        self._log(run)
        for emitted in run.emitted():
            self._said(run, emitted.event)
        if record.fails:
            last, times = record.fails[-1], len(record.fails)
            final = record.state == "failed"
            error = short(last.error)
            found.failed.append(Failed(found.chain, last.at, name, record.run, error, times, final))

    def _first(self, event: Mapping[str, Any], heard: float | None) -> None:
        """A first event: the one that opened the chain, or evidence that joined it."""
        self.found.began_with = self.found.began_with or str(event["type"])
        known = self.words.get(event["id"])
        if known is None:
            word = said.seen(self.found.chain, event, heard)
            if word is not None:
                self.words[word.event] = word
        elif heard is not None and (known.heard is None or heard < known.heard):
            self.words[known.event] = replace(known, heard=heard)

    def _log(self, run: Run) -> None:
        """What a run saw and did."""
        record, found = run.record, self.found
        about = said.workload_of(run.event.get("data"))
        free = record.began
        for entry in record.log:
            if not entry.is_action:
                self._looked(run.event, entry)
                continue
            if entry.approval is not None:
                found.asked.append(acts.asked(record, entry, about, free, self.answers))
            found.done.append(acts.done(record, entry, about, self.app))
            free = entry.at + (entry.took or 0.0)

    def _looked(self, event: Mapping[str, Any], entry: Entry) -> None:
        measured = looks.outage(entry)
        if measured is not None:
            self.found.outages[measured.workload] = measured
        for what in looks.gaps(event, entry):
            known = self.gaps.get(what)
            times = 1 if known is None else known.times + 1
            at = entry.at if known is None else min(entry.at, known.at)
            self.gaps[what] = Gap(self.found.chain, at, what, times)

    def _said(self, run: Run, event: Mapping[str, Any]) -> None:
        """An event of the chain; runs that race for a join make the same one."""
        fresh = event["id"] not in self.heard and "hop" in event
        if not fresh or not isinstance(event.get("data"), Mapping):
            return
        self.heard.add(event["id"])
        found = self.found
        for piece, counted in said.counted(event):
            known = self.counted.get(piece)
            if known is None or known[:2] < counted[:2]:
                self.counted[piece] = counted
        found.moments += said.moments(event)
        unmeasured = said.unmeasured(event)
        if unmeasured is not None:
            workload, why = unmeasured
            found.unmeasured.pop(workload, None)
            if why:
                found.unmeasured[workload] = why
        plan = said.planned(found.chain, event)
        if plan is not None:
            found.planned.append(plan)
        ends = str(event["ended"]) if "ended" in event and "ended" not in run.event else ""
        decision = said.decided(found.chain, event, ends)
        if decision is not None:
            found.decided.append(decision)

    def _finish(self) -> None:
        found = self.found
        words = [
            replace(word, weight=its.weight, because=its.because)
            if (its := self.counted.get(event)) is not None
            else word
            for event, word in self.words.items()
        ]
        found.seen = _collapsed(sorted(words, key=lambda one: (one.at, one.event)))
        found.gaps = sorted(self.gaps.values(), key=lambda gap: gap.at)
        for facts in (
            found.decided,
            found.planned,
            found.asked,
            found.done,
            found.failed,
            found.moments,
        ):
            facts.sort(key=lambda fact: fact.at)
        if not found.target and found.seen:
            found.target = found.seen[0].region


def _collapsed(seen: list[Seen]) -> list[Seen]:
    """The words of observers in order; what one says again is counted with what it said first."""
    standing: dict[tuple[str, ...], int] = {}
    kept: list[Seen] = []
    for one in seen:
        stance = (one.source, one.kind, one.vantage, one.workload, one.region)
        position = standing.get(stance)
        if position is None or kept[position].says != one.says:
            standing[stance] = len(kept)
            kept.append(one)
            continue
        first = kept[position]
        counts = (first.weight or 0.0) < (one.weight or 0.0) or first.weight is None
        kept[position] = replace(
            first,
            times=first.times + 1,
            last=one.last,
            weight=one.weight if counts else first.weight,
            because=one.because if counts else first.because,
        )
    return kept
