"""A review as a Markdown document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crosswind.journal.findings import Alternative
from crosswind.journal.review.facts import ChainFacts, Decided, Done, Outage, Seen
from crosswind.journal.review.phases import ORDER, Way
from crosswind.journal.review.story import Review
from crosswind.journal.review.tables import code, harmless, some, table
from crosswind.journal.review.wording import after, lasting, listed, percent, plain, stamp

ALTERNATIVES: Final = 12
"""Ways that are shown of one decision."""

WORKLOADS: Final = 20
"""Workloads whose times are shown of one chain, those that took longest."""


def markdown(review: Review) -> Iterator[str]:
    """The lines of the document."""
    yield f"# {harmless(review.incident.title)}"
    yield ""
    yield from _about(review)
    for heading, section in (
        ("Summary", _summary(review)),
        ("What was seen", _seen(review)),
        ("What was decided, and why", _decided(review)),
        ("What was done", _done(review)),
        ("How long each part took", _took(review)),
        ("What was not known", _unknown(review)),
        ("What to improve", _lessons(review)),
    ):
        yield ""
        yield f"## {heading}"
        yield ""
        yield from section


def _about(review: Review) -> Iterator[str]:
    one = review.incident
    states = {
        "open": "open",
        "resolved": "resolved",
        "observed": "only observed: it would have been opened",
        "untold": "not remembered: the handler that tells people gave up or still waits",
    }
    named = f"`{code(one.name)}`, id {one.id[:8]}"
    yield f"- **Incident** {named}: {one.severity}, {states[one.state]}"
    where = [f"region {one.region}"] if one.region else []
    where += [f"workload {name}" for name in one.workloads]
    if where:
        yield f"- **Where** {harmless(', '.join(where))}"
    yield f"- **Opened** {stamp(one.since)}" + (f", met {one.times} times" if one.times > 1 else "")
    if one.until is not None:
        by = f" by {harmless(one.by)}" if one.by else ""
        because = f": {harmless(one.because)}" if one.because else ""
        lasted = lasting(one.until - one.since)
        yield f"- **Resolved** {stamp(one.until)}{by}, after {lasted}{because}"
    chains = [facts.chain[:8] for facts in review.chains]
    left = f"; {review.left_out} more were left out" if review.left_out else ""
    yield f"- **Told from** {len(chains)} chain(s): {', '.join(chains) or 'none'}{left}"
    if review.missing:
        yield f"- **No longer in the journal** {listed([c[:8] for c in review.missing])}"


def _summary(review: Review) -> Iterator[str]:
    if not review.chains:
        met = review.incident.met[0]
        told = harmless(met.cause)
        yield f"The journal holds nothing of its chains any more. It was told: {told}"
        return
    for facts in review.chains:
        yield f"- {_chain_told(facts, review)}"
    yield f"- {_counted(review)}"
    for met in review.incident.met[:1]:
        yield f"- The incident was opened at {after(met.at, review.first)}: {harmless(met.cause)}"


def _counted(review: Review) -> str:
    observers = {(one.source, one.kind, one.vantage) for one in review.seen}
    plans = {one.plan for one in review.decided if one.plan}
    refused = sum(one.refused for one in review.done)
    return (
        f"{sum(one.times for one in review.seen)} word(s) of {len(observers)} observer(s); "
        f"{len(plans)} plan(s); {len(review.done)} action(s), {refused} of them refused; "
        f"a person was asked {len(review.asked)} time(s)"
    )


def _chain_told(facts: ChainFacts, review: Review) -> str:
    began = after(facts.opened, review.first)
    about = f" about {harmless(facts.target)}" if facts.target else ""
    head = f"{began} chain {facts.chain[:8]}{about} began with {plain(facts.began_with)}"
    observed = " (only observed)" if facts.simulated else ""
    if facts.closed is None:
        waits = f": {harmless(facts.waits[0])}" if facts.waits else ""
        return f"{head} and is open{observed}{waits}"
    ends = [one for one in facts.decided if one.ends]
    because = f". {harmless(ends[-1].because)}" if ends and ends[-1].because else ""
    took = lasting(facts.closed - facts.opened)
    return f"{head} and ended {facts.outcome}{observed} after {took}{because}"


def _seen(review: Review) -> Iterator[str]:
    rows = [_seen_row(one, review.first) for one in review.seen]
    if not rows:
        yield "Nothing: no observer's word opened its chains."
        return
    yield from table(("when", "who", "says", "what", "counted"), rows)


def _seen_row(one: Seen, first: float) -> tuple[str, ...]:
    who = one.kind + (f" from {one.vantage}" if one.vantage else "")
    who += f", alarm {one.alarm}" if one.alarm else ""
    when = after(one.at, first)
    if one.times > 1:
        when += f", {one.times} times until {after(one.last, first)}"
    about = f"{one.region}" + (f", {one.workload}" if one.workload else "")
    counted = "not weighed" if one.weight is None else f"{one.weight:g}: {one.because}"
    return when, who, f"{about} is {one.says}", one.reason, counted


def _decided(review: Review) -> Iterator[str]:
    if not review.decided:
        yield "Nothing."
    for one in some(review.decided):
        if isinstance(one, str):
            yield f"- {one}"
        else:
            yield from _decision(one, review.first)


def _decision(one: Decided, first: float) -> Iterator[str]:
    about = f" of {one.workload}" if one.workload else ""
    attempt = f", attempt {one.attempt}" if one.attempt > 1 else ""
    outcome = f" as {one.outcome}" if one.outcome else ""
    ends = f"; the chain ends {one.ends}" if one.ends else ""
    head = f"{plain(one.type)}{about}{attempt}{outcome}"
    yield f"- **{harmless(head)}** at {after(one.at, first)} in chain {one.chain[:8]}{ends}"
    if one.because:
        yield f"  - because {harmless(one.because)}"
    if one.rule:
        yield f"  - decided by: {harmless(one.rule)}"
    for way in one.alternatives[:ALTERNATIVES]:
        yield f"  - {_alternative(way)}"
    if len(one.alternatives) > ALTERNATIVES:
        more = len(one.alternatives) - ALTERNATIVES
        yield f"  - and {more} more: crosswind trace {one.chain[:8]}"


def _alternative(way: Alternative) -> str:
    said = way.because.partition(": ")
    because = said[2] if said[0] in ("chosen", "rejected") else way.because
    word = "**chosen**" if way.chosen else "rejected"
    return f"{word} {harmless(way.name)}: {harmless(because)}"


def _done(review: Review) -> Iterator[str]:
    rows = [_done_row(one, review.first) for one in review.done]
    if not rows:
        yield "Nothing was done."
    else:
        yield from table(("when", "what", "how", "took", "answer"), rows)
    if review.asked:
        yield ""
        yield "Questions to people:"
        yield ""
        rows = [
            (
                after(one.at, review.first),
                f"{one.action}" + (f" of {one.workload}" if one.workload else ""),
                one.why,
                f"{one.outcome}{f' by {one.by}' if one.by else ''}"
                f"{f': {one.reason}' if one.reason else ''}",
                lasting((review.now if one.answered is None else one.answered) - one.at),
            )
            for one in review.asked
        ]
        yield from table(("asked", "for", "why", "answer", "waited"), rows)
    if review.failed:
        yield ""
        yield "Attempts that failed:"
        yield ""
        rows = [
            (
                after(one.at, review.first),
                one.handler,
                f"{one.times} time(s)",
                "given up" if one.final else "then done",
                one.error,
            )
            for one in review.failed
        ]
        yield from table(("last at", "handler", "how often", "in the end", "error"), rows)


def _done_row(one: Done, first: float) -> tuple[str, ...]:
    how = one.mode or "?"
    if one.simulated:
        how += ", not really"
    elif one.covered:
        how += ", covered by its plan"
    elif one.times > 1:
        how += f", asked {one.times} times"
    took = "" if one.took is None else lasting(one.took)
    return after(one.at, first), f"{one.kind}: {one.words}", how, took, one.result


def _took(review: Review) -> Iterator[str]:
    told = False
    for facts in review.chains:
        ways = review.ways.get(facts.chain, ())
        if ways and any(facts.moments):
            if told:
                yield ""
            told = True
            yield from _ways(facts, ways)
        elif facts.closed is not None:
            yield f"- chain {facts.chain[:8]}: {lasting(facts.closed - facts.opened)} in all"
    if not review.chains:
        yield "Unknown: the journal holds nothing of it any more."


def _ways(facts: ChainFacts, ways: Sequence[Way]) -> Iterator[str]:
    slowest = ways[0]
    about = f", {slowest.workload} (done with last)" if slowest.workload else ""
    yield f"Chain {facts.chain[:8]}{harmless(about)}:"
    yield ""
    rows: list[tuple[str, ...]] = [
        *((part.phase, lasting(part.seconds), percent(part.share)) for part in slowest.parts),
        ("total", lasting(slowest.seconds), percent(1.0)),
        ("outage as its callers saw it", _outage(slowest.outage), ""),
    ]
    yield from table(("part", "took", "share"), rows)
    others = ways[1 : 1 + WORKLOADS]
    if others:
        phases = [p for p in ORDER if any(way.took(p) for way in others)]
        yield ""
        yield from table(
            ("workload", *phases, "total", "outage"),
            [
                (
                    way.workload,
                    *(lasting(way.took(phase)) if way.took(phase) else "" for phase in phases),
                    lasting(way.seconds),
                    _outage(way.outage),
                )
                for way in others
            ],
        )
        if len(ways) > 1 + WORKLOADS:
            yield ""
            yield f"and {len(ways) - 1 - WORKLOADS} more workload(s)."


def _outage(outage: Outage | None) -> str:
    if outage is None:
        return "not measured"
    if outage.seconds is None:
        return "not over when it was measured"
    return lasting(outage.seconds) if outage.seconds else "none"


def _unknown(review: Review) -> Iterator[str]:
    if not review.unknown:
        yield "Nothing is missing in the journal."
    for one in some(review.unknown):
        yield f"- {one if isinstance(one, str) else harmless(one.what)}"


def _lessons(review: Review) -> Iterator[str]:
    if not review.lessons:
        yield "The journal points to nothing."
    for one in some(review.lessons):
        if isinstance(one, str):
            yield f"- {one}"
        else:
            yield f"- {harmless(one.fact)}. What governs it: {harmless(one.governs)}"
