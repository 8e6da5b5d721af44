"""A shadow report as a Markdown document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crosswind.journal.review.facts import Planned
from crosswind.journal.review.tables import harmless, table
from crosswind.journal.review.wording import lasting, listed, percent, stamp
from crosswind.journal.shadow.report import Report
from crosswind.journal.shadow.verdicts import Compared
from crosswind.journal.shadow.would import Would

_NAMES: Final = 10


def markdown(report: Report) -> Iterator[str]:
    """The lines of the document."""
    yield "# What would have been done"
    yield ""
    yield from _about(report)
    for heading, section in (
        ("Failovers", _failovers(report)),
        ("Plans", _plans(report)),
        ("Against what really happened", _compared(report)),
        ("Back and forth", _flaps(report)),
        ("What counted for nothing", _nothing(report)),
        ("What is assumed", (f"- {harmless(one)}" for one in report.assumptions)),
    ):
        yield ""
        yield f"## {heading}"
        yield ""
        yield from section


def _about(report: Report) -> Iterator[str]:
    seen, account = report.observed, report.account
    if account is not None:
        span = f"{stamp(account.began)} to {stamp(account.last)}"
        yield f"- **Signals** of {harmless(account.file)}, {span}: {account.lines:,} line(s)"
        became = f"{account.worked:,} event(s) were worked"
        ignored = sum(account.ignored.values())
        untaken = sum(account.untaken.values())
        yield (
            f"- **What became of them** {became}, {account.repeated:,} had come before, "
            f"{ignored:,} record(s) say nothing of a region, {untaken:,} event(s) are taken by no "
            f"handler, {account.parked:,} were parked, {account.refused:,} could not be read"
        )
        yield f"- **Policy** fleet {harmless(account.fleet)}, {account.digest[:12]}, all observed"
        yield f"- **Rehearsed** in {lasting(account.took)}"
    elif seen.first is not None and seen.last is not None:
        yield f"- **Signals** {stamp(seen.first)} to {stamp(seen.last)}, as they came"
    cut = "; there are more, which were not read" if seen.cut else ""
    yield f"- **Chains** {seen.chains:,} about regions{cut}"
    money = sum(report.money(would) for would in seen.woulds)
    yield (
        f"- **In all** {len(seen.woulds)} failover(s) would have been begun, "
        f"{sum(would.moved is not None for would in seen.woulds)} carried through; "
        f"{sum(report.hours(would) for would in seen.woulds):.1f} hour(s) away, "
        f"{money:+,.2f} USD"
    )
    if seen.acted:
        yield f"- **Really done** {seen.acted} failover(s), which are not told here"


def _failovers(report: Report) -> Iterator[str]:
    woulds = report.observed.woulds
    if not woulds:
        yield "None."
        return
    heads = ("first evidence", "region", "enough", "moved", "back", "ends", "USD", "chain")
    yield from table(heads, [_failover(would, report) for would in woulds])
    yield ""
    yield "Times are counted from the first evidence; a chain is read with crosswind trace."


def _failover(would: Would, report: Report) -> tuple[str, ...]:
    moved = "" if would.moved is None else lasting(would.moved - would.evidence)
    back = "" if would.back is None else lasting(would.back - would.evidence)
    ends = would.outcome or "open"
    if would.moved is not None and would.back is None:
        back = "not by the end"
    if would.relapses:
        ends += f", then {len(would.relapses)} relapse(s)"
    if would.again:
        ends += f", decided {would.again} more time(s)"
    return (
        stamp(would.evidence),
        would.region,
        lasting(would.detection),
        moved,
        back,
        ends,
        f"{report.money(would):+.2f}" if would.moved is not None else "",
        would.chain,
    )


def _plans(report: Report) -> Iterator[str]:
    plans = [(would, plan) for would in report.observed.woulds for plan in would.plans]
    if not plans:
        yield "None."
        return
    heads = ("when", "leaves", "of", "goes to", "replicas", "USD/h", "egress USD/h", "chosen")
    yield from table(heads, [_plan(would, plan) for would, plan in plans])


def _plan(would: Would, plan: Planned) -> tuple[str, ...]:
    target = ", ".join(f"{region} {percent(share)}" for region, share in plan.target.items())
    added = ", ".join(f"{region} +{count}" for region, count in plan.added.items())
    unserved = f"; {percent(plan.unserved)} unserved" if plan.unserved > 0 else ""
    return (
        stamp(plan.at),
        would.region,
        plan.workload,
        target + unserved,
        added or "as they are",
        f"{plan.cost:+.2f}",
        f"{plan.egress:.2f}",
        plan.chosen,
    )


def _compared(report: Report) -> Iterator[str]:
    compared = report.compared
    if compared is None:
        yield (
            "It cannot be compared: nothing is known of what really happened. Give a file of "
            "outages with --actual. All that the signals themselves say:"
        )
        yield ""
        woulds = report.observed.woulds
        if not woulds:
            yield "- no failover would have been begun"
        for would in woulds:
            yield f"- {would.region}, chain {would.chain[:8]}: {_well(would)}"
        return
    yield from _counts(compared)
    if compared.found:
        yield ""
        yield "Outages that were found:"
        yield ""
        heads = ("began", "region", "enough after", "moved after", "people after", "so")
        yield from table(
            heads,
            [
                (
                    stamp(met.outage.began),
                    met.outage.region,
                    lasting(met.detection),
                    "" if met.moved is None else lasting(met.moved),
                    ""
                    if met.outage.acted is None
                    else lasting(met.outage.acted - met.outage.began),
                    _so(met.earlier, met.would.outcome)
                    + (f", left {met.further} more time(s)" if met.further else ""),
                )
                for met in compared.found
            ],
        )
    for heading, outages in (
        ("Outages that were missed:", compared.missed),
        ("Outages while the region would have been away:", compared.away),
    ):
        if outages:
            yield ""
            yield heading
            yield ""
        for one in outages:
            yield f"- {one.outage.region} at {stamp(one.outage.began)}: {harmless(one.why)}"
    if compared.false:
        yield ""
        yield "Failovers without an outage:"
        yield ""
        for would, after in compared.false:
            ended = "" if after is None else f" (one had ended {lasting(after)} before)"
            yield (
                f"- {would.region} at {stamp(would.confirmed)}, chain {would.chain[:8]}{ended}: "
                f"{harmless(would.because)}"
            )


def _counts(compared: Compared) -> Iterator[str]:
    outages = len(compared.found) + len(compared.missed) + len(compared.away)
    away = f", {len(compared.away)} while it was away" if compared.away else ""
    yield (
        f"- {len(compared.found)} of {outages} outage(s) were found, {len(compared.missed)} missed"
        f"{away}; {len(compared.false)} failover(s) without an outage"
    )
    if compared.detection is not None:
        yield f"- enough evidence after {lasting(compared.detection)} (median)"
    if compared.earlier is not None:
        yield f"- the traffic moved {_so(compared.earlier, None)} (median)"
    spared = [met.spared for met in compared.found if met.spared is not None]
    if spared:
        yield f"- callers would have been spared {lasting(sum(spared))} of outage in all"


def _so(earlier: float | None, outcome: str | None) -> str:
    if earlier is None:
        return outcome or ""
    if abs(earlier) < 1:
        return "as early as people"
    word = "earlier" if earlier > 0 else "later"
    return f"{lasting(abs(earlier))} {word} than people"


def _well(would: Would) -> str:
    if would.well is None:
        return "no signal said that it was well again"
    rest = would.well - would.confirmed
    before = would.moved is not None and would.well < would.moved
    early = ", before its traffic would have been moved" if before else ""
    return f"a signal said that it was well {lasting(rest)} after there was enough evidence{early}"


def _flaps(report: Report) -> Iterator[str]:
    if not report.flaps:
        yield "No region would have been left twice within a day, or have relapsed."
    for flap in report.flaps:
        parts = []
        if flap.soonest is not None:
            parts.append(f"left {flap.times} times, again after {lasting(flap.soonest)}")
        if flap.relapses:
            parts.append(f"relapsed {flap.relapses} time(s) on its way back")
        yield f"- {flap.region}: {'; '.join(parts)}"


def _nothing(report: Report) -> Iterator[str]:
    seen, account = report.observed, report.account
    lines: list[str] = []
    lines += [
        f"{count:,} chain(s) that heard of a failing region ended {outcome}"
        for outcome, count in report.outcomes.items()
    ]
    if seen.unmapped:
        names = [f"{name} ({count})" for name, count in seen.unmapped.items()]
        lines.append(f"alarms that no entry of the fleet maps: {listed(names, _NAMES)}")
    if account is not None:
        lines += [f"{count:,} time(s) {reason}" for reason, count in _top(account.ignored)]
        lines += [f"{count:,} {kind}: no handler takes it" for kind, count in _top(account.untaken)]
        lines += [
            f"{count:,} time(s) the register would not have taken it: {reason}"
            for reason, count in _top(account.declined)
        ]
        lines += account.refusals[:_NAMES]
        if account.refused > _NAMES:
            lines.append(f"and {account.refused - _NAMES:,} more that could not be read")
    lines += [f"{count:,} time(s) a handler gave up: {why}" for why, count in _top(seen.gave_up)]
    for line in lines or ["Nothing."]:
        yield f"- {harmless(line)}"


def _top(counted: dict[str, int] | object) -> Sequence[tuple[str, int]]:
    assert isinstance(counted, dict)
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:_NAMES]
