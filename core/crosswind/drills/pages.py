"""What came of drills as Markdown, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from crosswind.drills.failover import WORDS
from crosswind.journal.review.tables import harmless, table
from crosswind.journal.review.wording import lasting

if TYPE_CHECKING:
    from crosswind.drills.comparison import Comparison, Measure, Tally
    from crosswind.drills.failover import Drilled
    from crosswind.drills.narration import Step
    from crosswind.drills.season import Season
    from crosswind.sim import Kept, Spread, Violation

_WORDS: Final = 240
"""Letters of a reason that are shown."""

_ALIKE: Final = 20
"""Different incidents and proposals that are listed."""


def drilled_page(found: Drilled) -> Iterator[str]:
    """What a failover drill shows."""
    drill = found.drill
    yield f"# Drill: {drill.kind} of {drill.region} for {lasting(drill.seconds)}"
    yield ""
    yield (
        f"Fleet {harmless(drill.fleet.name)}, {drill.fleet.digest[:12]}, seed {drill.seed}. "
        f"{found.outage.share:.0%} of all requests went there."
    )
    yield from _assumed(drill.fleet.modes.default, drill.answer_after)
    yield ""
    yield "## Step by step"
    yield ""
    yield from table(("after", "what", "why"), list(_folded(found.steps)))
    yield ""
    yield "## What came of it"
    yield ""
    yield from (f"- {line}" for line in _came(found))
    yield ""
    yield from _rules(found.violations, len(found.violations))


def _folded(steps: Sequence[Step]) -> Iterator[tuple[str, str, str]]:
    """The steps as rows; of what is said again in the same words, how often and until when."""
    last = {step[1:]: step.at for step in steps}
    count = Counter(step[1:] for step in steps)
    for step in steps:
        often = count.pop(step[1:], 0)
        if often:
            until = f" ({often} times, until {_since(last[step[1:]])})" if often > 1 else ""
            why = step.why if len(step.why) <= _WORDS else f"{step.why[: _WORDS - 1]}…"
            yield _since(step.at), step.what + until, why


def _assumed(mode: str, after: float) -> Iterator[str]:
    yield (
        f"Modes: {mode} unless the fleet says otherwise. A person is assumed to answer after "
        f"{lasting(after)}."
    )


def _since(seconds: float) -> str:
    return f"+{lasting(seconds)}" if seconds >= 1 else "0 s" if seconds >= 0 else lasting(seconds)


def _came(found: Drilled) -> Iterator[str]:
    outage, report = found.outage, found.report
    yield f"**Verdict** {WORDS[found.verdict]}"
    if outage.detection is not None:
        yield f"**Detection** the evidence sufficed after {lasting(outage.detection)}"
    if outage.recovery is not None:
        yield f"**Recovery** the last request was moved after {lasting(outage.recovery)}"
    yield f"**Way back** {_back(found)}"
    without = sum(account.failed for account in report.untouched.values())
    lost = report.total().failed
    yield (
        f"**Requests lost** {lost:,.0f}; had nobody done anything {without:,.0f}, "
        f"so {without - lost:,.0f} were spared"
    )
    for name, kept in report.kept.items():
        if kept.untouched.broken >= 0.5 or kept.steered.broken >= 0.5:
            yield f"**SLO of {name}** {_kept(kept)}"
    yield f"**Money** {report.added_usd:+,.2f} USD for replicas and egress"
    unanswered = sum(one.unanswered for one in found.proposals)
    yield f"**People** {len(found.proposals)} proposal(s), {unanswered} not answered"


def _back(found: Drilled) -> str:
    if found.outage.moved is None:
        return "nothing had moved"
    if found.back is None:
        return "the region was not returned to within a day"
    all_of_it = "all of it" if found.restored else "not all of it"
    return f"began after {lasting(found.back)}; in the end {all_of_it} was back"


def _kept(kept: Kept) -> str:
    steered, untouched = kept.steered, kept.untouched
    return (
        f"{steered.broken:,.1f} minutes broken instead of {untouched.broken:,.1f}, "
        f"{steered.lost:,.1f} minutes of its users lost instead of {untouched.lost:,.1f}"
    )


def _rules(violations: Iterable[Violation], count: int) -> Iterator[str]:
    if not count:
        yield "No rule of safety was broken."
        return
    yield f"**{count} time(s) a rule of safety was broken:**"
    yield ""
    yield from (f"- {harmless(str(one))}" for one in list(violations)[:_ALIKE])


# -- game days ------------------------------------------------------------------------------------


def season_page(season: Season, name: str) -> Iterator[str]:
    """What game days of one policy show."""
    seeds = [play.seed for play in season.plays]
    span = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    yield f"# Game days of {harmless(name)}"
    yield ""
    yield f"{span}, {season.days:,.4g} simulated days, {season.faults:,} faults."
    yield ""
    yield from _safety(season)
    for heading, section in (
        ("Outages", _outages(season)),
        ("Objectives", _objectives(season)),
        ("People", _people(season)),
    ):
        yield ""
        yield f"## {heading}"
        yield ""
        yield from section


def _safety(season: Season) -> Iterator[str]:
    held = f"{season.checked:,} writes, calls and orders were held against the rules"
    if not season.broken:
        yield f"No rule of safety was broken: {held}."
        return
    yield f"**{season.broken} time(s) a rule of safety was broken**; {held}."
    yield ""
    shown = list(season.violations())[:_ALIKE]
    yield from table(
        ("seed", "day", "rule", "what", "why"),
        [(str(seed), f"{one.at / 86_400:.3f}", one.rule, one.what, one.why) for seed, one in shown],
    )


def _outages(season: Season) -> Iterator[str]:
    over = len(season.seen) - season.answered - season.missed
    yield (
        f"- {len(season.seen)} outages were seen by users: {season.answered} answered, "
        f"{season.missed} missed, {over} over before they had to be"
    )
    yield (
        f"- {season.failovers} times a region was left, {season.false} of them false, "
        f"{season.needless} with the region well again"
    )
    yield ""
    rows = (("detection", season.detection), ("recovery", season.recovery))
    yield from table(
        ("from the beginning", "outages", "least", "median", "90 %", "99 %", "most"),
        [(name, str(spread.count), *_spread(spread)) for name, spread in rows],
    )


def _spread(spread: Spread) -> Iterator[str]:
    for number in (spread.least, spread.median, spread.p90, spread.p99, spread.most):
        yield "" if number is None else lasting(number)


def _objectives(season: Season) -> Iterator[str]:
    rows = [
        (
            name,
            f"{kept.steered.broken:,.1f}",
            f"{kept.untouched.broken:,.1f}",
            f"{kept.saved.broken:+,.1f}",
            f"{kept.steered.lost:,.1f}",
            f"{kept.untouched.lost:,.1f}",
            f"{kept.saved.lost:+,.1f}",
        )
        for name, kept in season.kept.items()
    ]
    heads = ("SLO broken, min", "by doing nothing", "saved")
    yield from table(
        ("workload", *heads, "users' minutes lost", "by doing nothing", "saved"),
        rows,
    )
    yield ""
    lost, without = season.total.failed, season.without.failed
    yield f"- {lost:,.0f} requests failed; by doing nothing {without:,.0f} would have"
    yield f"- {season.added_usd:+,.2f} USD for replicas and egress, against doing nothing"


def _people(season: Season) -> Iterator[str]:
    yield f"- {len(season.proposals)} proposal(s), {len(season.unanswered)} not answered"
    kinds = Counter(one.action for one in season.unanswered)
    yield from (
        f"  - {count} of {harmless(kind)} not answered" for kind, count in kinds.most_common(_ALIKE)
    )
    called = [one for _, one in season.incidents()]
    yield f"- {len(called)} incident(s)"
    alike = Counter((one.severity, one.title) for one in called)
    yield from (
        f"  - {count} {severity}: {harmless(title)}"
        for (severity, title), count in alike.most_common(_ALIKE)
    )
    if len(alike) > _ALIKE:
        yield f"  - and {len(alike) - _ALIKE} more, with --json"
    ends = ", ".join(f"{count} {how}" for how, count in season.endings.items())
    yield f"- chains ended: {ends or 'none'}"


# -- two policies ---------------------------------------------------------------------------------


def comparison_page(found: Comparison) -> Iterator[str]:
    """Two policies side by side."""
    here, there = harmless(found.here), harmless(found.there)
    yield f"# {here} against {there}"
    yield ""
    yield (
        f"{len(found.this.plays)} seed(s), {found.this.days:,.4g} simulated days in all; the "
        "same faults and people for both."
    )
    yield ""
    yield from table(
        ("", found.here, found.there, "difference"),
        [
            (one.name, _number(one, one.here), _number(one, one.there), _difference(one))
            for one in found.measures
        ],
    )
    yield ""
    yield f"- minutes that users lost: {there} is {_tally(found.lost)}"
    yield f"- money: {there} is {_tally(found.money)}"
    for name, season in ((here, found.this), (there, found.other)):
        if season.broken:
            yield ""
            yield f"Under {name}:"
            yield from _safety(season)


def _tally(tally: Tally) -> str:
    return f"better in {tally.better} seed(s), alike in {tally.alike}, worse in {tally.worse}"


def _number(measure: Measure, number: float | None) -> str:
    if number is None:
        return ""
    match measure.unit:
        case "seconds":
            return lasting(number)
        case "minutes":
            return f"{number:,.1f} min"
        case "usd":
            return f"{number:,.2f} USD"
        case _:
            return f"{number:,.0f}"


def _difference(measure: Measure) -> str:
    difference = measure.difference
    if difference is None:
        return ""
    if abs(difference) < 5e-3:
        return "0"
    number = _number(measure, difference)
    return number if difference <= 0 else f"+{number}"
